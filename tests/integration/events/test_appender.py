"""What callers of an appender are told when the way to the server, or the process, gives out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from libs.dates.clock import SystemClock
from libs.events import log_sql
from libs.events.appender import Appender
from libs.events.database import Pool, open_pool
from libs.events.envelope import Cause
from libs.events.log import (
    NO_RIDERS,
    Appended,
    Idempotency,
    LogUnavailable,
    OutcomeUnknown,
    Riders,
    StreamAppend,
)
from libs.events.settle import Asked, Entry, Identity, StreamEntries
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import ServiceStarted
from libs.refusal.refusal import Refusal
from tests.integration.events.postgres_way import PostgresWay, a_postgres_way
from tests.support.way import Place, append_starts

CASE = Cause(correlation_id=UUID(int=100), actor="operator-1")


def a_start(number: int) -> ServiceStarted:
    return ServiceStarted(contract_id=UUID(int=number), started_on=date(2026, 4, 1))


def an_append(number: int) -> Asked:
    entry = Entry(UUID(int=1000 + number), a_start(number), b"{}")
    return Asked([StreamEntries(UUID(int=number), 0, [entry], CASE)], NO_RIDERS)


async def identity_of(pool: Pool) -> Identity:
    async with pool.acquire() as connection:
        identity = await log_sql.find_identity(connection)
    assert identity is not None
    return identity


@pytest.fixture
async def way(source: Place) -> AsyncIterator[PostgresWay]:
    async with a_postgres_way(source.dsn) as way:
        yield way


@asynccontextmanager
async def an_appender(way: PostgresWay, *, patience_seconds: float) -> AsyncIterator[Appender]:
    async with asyncpg.create_pool(way.dsn, min_size=0, max_size=4) as pool:
        identity = await identity_of(pool)
        appender = Appender(
            pool, identity=identity, clock=SystemClock(), patience_seconds=patience_seconds
        )
        appender.start()
        try:
            yield appender
        finally:
            way.let_go()
            await appender.close()


async def test_a_commit_that_is_never_answered_leaves_its_caller_in_the_open(
    way: PostgresWay, source: Place
) -> None:
    async with an_appender(way, patience_seconds=3) as appender:
        way.hold_at(b"COMMIT\0")
        with pytest.raises(OutcomeUnknown):
            await appender.append(an_append(1))
        way.let_go()
        await appender.append(an_append(2))
    assert await source.pool.fetchval(
        "SELECT count(*) FROM event WHERE stream_id = $1", UUID(int=2)
    )


async def test_a_server_that_says_nothing_before_the_commit_has_appended_nothing(
    way: PostgresWay, source: Place
) -> None:
    async with an_appender(way, patience_seconds=3) as appender:
        way.hold_at(b"pg_advisory_xact_lock")
        with pytest.raises(LogUnavailable) as told:
            await appender.append(an_append(1))
        assert not isinstance(told.value, OutcomeUnknown)
        way.let_go()
        assert (await appender.append(an_append(2))).position == 1
    assert await source.log.position() == 1


async def test_callers_of_an_appender_that_is_ended_in_its_commit_are_told(
    way: PostgresWay,
) -> None:
    others = asyncio.all_tasks()
    async with an_appender(way, patience_seconds=60) as appender:
        (task,) = (
            one for one in asyncio.all_tasks() - others if one.get_name().startswith("append")
        )
        way.hold_at(b"COMMIT\0")
        first = asyncio.ensure_future(appender.append(an_append(1)))
        await way.held()
        second = asyncio.ensure_future(appender.append(an_append(2)))
        await asyncio.sleep(0)
        task.cancel()
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, LogUnavailable]
        await asyncio.wait([task])
        assert task.cancelled()
        with pytest.raises(LogUnavailable):
            await appender.append(an_append(3))


async def test_whoever_is_paused_with_the_append_lock_in_hand_loses_it_before_others_give_up(
    source: Place,
) -> None:
    async with open_pool(source.dsn, min_size=1, max_size=1) as pool, pool.acquire() as paused:
        await log_sql.prepare_appender(paused)
        await log_sql.begin_locked(paused)
        # parsed and not executed: the server waits for us, and does not call that idle
        await paused.prepare("SELECT position FROM log_head")
        await append_starts(source.log, streams=1, versions=1)
        assert await source.log.position() == 1


def answer(appended: Appended) -> bytes:
    return str(appended.position).encode()


class AlreadyStarted(Refusal):
    code = "already-started"
    title = "Already started"


@pytest.mark.parametrize("expected", [0, None], ids=["by version", "by the rule"])
async def test_a_request_that_another_process_takes_in_between_gets_the_first_answer(
    source: Place, expected: int | None
) -> None:
    key = Idempotency(scope="partner", key="k", fingerprint="f", answer=answer)

    def start(history: object) -> list[ServiceStarted]:
        if history:
            raise AlreadyStarted
        return [a_start(1)]

    async def first() -> None:
        await source.log.append(
            StreamAppend(stream_id=UUID(int=1), events=[a_start(1)], expected=0),
            cause=CASE,
            riders=Riders(idempotency=key),
        )

    uses: list[int] = []

    async def before_each_use(_: object) -> None:
        # the first is the look-up of the key, the second the load of the stream
        uses.append(1)
        if len(uses) == 2:
            await first()

    async with AsyncExitStack() as stack:
        pool: Pool = await stack.enter_async_context(
            asyncpg.create_pool(source.dsn, min_size=1, max_size=4, setup=before_each_use)
        )
        identity = await identity_of(pool)
        uses.clear()
        log = PostgresLog(pool, identity=identity, keys=source.keys, clock=SystemClock())
        await stack.enter_async_context(log)
        again = await log.decide(
            UUID(int=1), start, cause=CASE, expected=expected, riders=Riders(idempotency=key)
        )
    assert again.replayed == b"1"
    assert await source.log.position() == 1
