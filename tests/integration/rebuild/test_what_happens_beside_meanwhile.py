"""What operators and the live reader do while rows are built beside: none of it is lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg
import pytest

from libs.events import parking
from libs.events.database import Connection, Pool, transaction
from libs.events.envelope import Event, Recorded
from libs.events.log import StreamAppend
from libs.events.parking import ParkedStream
from libs.events.relay import Relay
from libs.events.resending import send_again
from libs.events.shadow_reader import Kept, reader_beside
from libs.events.shadow_sql import InUse
from libs.events.shadow_tables import NothingBeside
from tests.conftest import MakeDatabase
from tests.integration.rebuild.tallies import (
    READER,
    TABLES,
    beside_it,
    counted,
    keep,
    kept,
    reader,
    rows_of,
    until_taken,
)
from tests.support.way import CASE, Place, a_log, a_start, a_topic, append_starts, running, until

_FIRST = UUID(int=1)
_ANOTHER = UUID(int=9)
WAITS = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND mode = $1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture(autouse=True)
async def tables(target: Place) -> None:
    await target.pool.execute(TABLES)


@pytest.fixture
async def quiet(database: MakeDatabase) -> AsyncIterator[Place]:
    """The log of a topic of which nothing was ever told."""
    async with a_log(await database(), "contracts") as place:
        yield place


@pytest.fixture
async def never_started(kafka_bootstrap: str, topic_prefix: str) -> str:
    return await a_topic(kafka_bootstrap, prefix=topic_prefix, context="monitoring")


@pytest.fixture
async def told(
    source: Place, quiet: Place, topic: str, never_started: str, kafka_bootstrap: str
) -> AsyncIterator[dict[str, Pool]]:
    """Both logs by topic, each with its relay."""
    first = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    second = Relay(dsn=quiet.dsn, bootstrap=kafka_bootstrap, topic=never_started)
    async with running(first.run), running(second.run):
        yield {topic: source.pool, never_started: quiet.pool}


async def test_the_first_event_of_a_topic_in_the_moment_of_the_switch_has_effect_once(
    source: Place, quiet: Place, target: Place, told: dict[str, Pool], kafka_bootstrap: str
) -> None:
    """The live reader is held by its cursors, of which it has none for a topic never started.

    Somebody looks at the tables, so the switch, which holds the reader by then, can't lock them yet.
    """

    async def waits() -> bool:
        return bool(await target.pool.fetchval(WAITS, "AccessExclusiveLock"))

    async def tell(*, after: int) -> None:
        start = StreamAppend(stream_id=_ANOTHER, events=[a_start(9)], expected=after)
        await quiet.log.append(start, cause=CASE)

    await append_starts(source.log, streams=2, versions=3)
    looking = await asyncpg.connect(target.dsn)
    live = reader(target, *told, bootstrap=kafka_bootstrap)
    async with (
        running(live.run),
        reader_beside(
            kept(*told),
            log=target.log,
            keys=target.keys,
            dsn=target.dsn,
            bootstrap=kafka_bootstrap,
            sources=told,
        ) as one,
    ):
        await until_taken(target.pool, events=6)
        await one.begin()
        async with looking.transaction():
            await looking.fetch("SELECT FROM tally")
            switching = asyncio.create_task(one.switch())
            await until(waits)
            await tell(after=0)
            await until_taken(target.pool, events=7)
            assert not switching.done()
        await switching
        assert await counted(target.pool) == {
            UUID(int=1): (3, 3),
            UUID(int=2): (3, 3),
            _ANOTHER: (1, 1),
        }
        await tell(after=1)
        await until_taken(target.pool, events=8)
        assert (await counted(target.pool))[_ANOTHER] == (2, 2)
    await looking.close()


async def test_an_event_that_is_given_up_after_it_had_effect_beside_is_told_and_gets_none(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """It was taken well beside, by mended code, before an operator gave it up live."""

    async def fails(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        if any((each.envelope.stream_id, each.envelope.version) == (_FIRST, 2) for each in batch):
            raise ValueError("broken")
        await keep(connection, batch)

    async def settled() -> bool:
        return (await counted(target.pool)).get(_FIRST) == (2, 2)

    await append_starts(source.log, streams=2, versions=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    live = reader(target, topic, bootstrap=kafka_bootstrap, effect=fails)
    async with (
        running(live.run),
        beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one,
    ):
        await until_taken(target.pool, events=6)
        await one.begin()
        await one.follow()
        async with transaction(target.pool) as connection:
            stream = ParkedStream(consumer=READER, topic=topic, stream_id=_FIRST)
            await parking.skip(connection, stream, because="twice", by="tanaka")
        await until(settled)
        before = await rows_of(target.pool)
        for _ in range(2):
            with pytest.raises(NothingBeside, match=r"given up since.* drop it and begin again"):
                await one.switch()
        assert await rows_of(target.pool) == before
        await one.drop()
        await one.begin()
        await one.switch()
    assert await counted(target.pool) == {_FIRST: (2, 2), UUID(int=2): (3, 3)}


async def test_who_looks_at_what_a_switch_kept_is_told_to_be_in_its_way(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=2, versions=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with (
        running(reader(target, topic, bootstrap=kafka_bootstrap).run),
        beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one,
    ):
        await until_taken(target.pool, events=6)
        await one.begin()
        await one.switch()
        await one.begin()
        async with transaction(target.pool) as looking:
            await looking.fetch("SELECT FROM replaced_tally_keeper.tally")
            with pytest.raises(InUse, match="replaced_tally_keeper"):
                await one.switch()
        await one.switch()
    assert await counted(target.pool) == {_FIRST: (3, 3), UUID(int=2): (3, 3)}


async def test_what_the_own_log_is_behind_is_taken_before_the_live_view_is_held(
    source: Place, target: Place, kafka_bootstrap: str
) -> None:
    """The live view goes on by a thousand events while the first are taken beside."""

    async def moves(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        await target.pool.execute("UPDATE view_cursor SET position = 1200")
        await keep(connection, batch)

    await append_starts(source.log, streams=100, versions=12)
    await target.pool.execute("INSERT INTO view_cursor (view, position) VALUES ('own', 100)")
    async with reader_beside(
        Kept(reader=READER, topics=(), tables=("seen", "tally"), effect=moves, view="own"),
        log=source.log,
        keys=target.keys,
        dsn=target.dsn,
        bootstrap=kafka_bootstrap,
        sources={},
    ) as one:
        await one.begin()
        assert (await one.follow()).position == 1_200


async def test_the_live_reader_goes_on_while_rows_are_compared(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """Somebody holds a table beside, so the comparison can't end before he lets go."""

    async def waits() -> bool:
        return bool(await target.pool.fetchval(WAITS, "AccessShareLock"))

    await append_starts(source.log, streams=2, versions=3)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with (
        running(relay.run),
        running(reader(target, topic, bootstrap=kafka_bootstrap).run),
        beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one,
    ):
        await until_taken(target.pool, events=6)
        await one.begin()
        await one.follow()
        async with transaction(target.pool) as holding:
            await holding.execute("LOCK TABLE rebuild_tally_keeper.tally")
            comparing = asyncio.create_task(one.compare())
            await until(waits)
            await append_starts(source.log, streams=2, versions=1, after=3)
            await until_taken(target.pool, events=8)
            assert not comparing.done()
        seen = await comparing
    assert (seen.marks.events, seen.found.total) == (6, 0)
    assert seen.found.rows == {"seen": (6, 6), "tally": (2, 2)}
