"""The relay: everything in the log stands in the topic, in order, whatever happens to it."""

import asyncio
import signal
from collections.abc import Sequence

import asyncpg

from libs.events.kafka import Message
from libs.events.relay import Relay
from libs.events.relay_sql import LOCK, try_lock
from tests.integration.events.postgres_way import a_postgres_way
from tests.support.proxy import a_way
from tests.support.victims import Part, a_process
from tests.support.way import Place, all_of, append_starts, new_ones, running, until

STREAMS = 200
VERSIONS = 20
CUT_LEADER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objid = $1::bigint & 4294967295
"""


async def sent(place: Place) -> bool:
    """Whether the relay's cursor stands at the log's head."""
    return bool(
        await place.pool.fetchval(
            "SELECT relay_cursor.position = log_head.position FROM relay_cursor, log_head"
        )
    )


async def sent_up_to(place: Place, *, position: int) -> bool:
    found = await place.pool.fetchval("SELECT position FROM relay_cursor")
    return bool(found >= position)


async def is_the_log(found: Sequence[Message], *, place: Place) -> bool:
    """Whether a topic without its repeats is the log."""
    envelopes = {message.envelope for message in new_ones(found)}
    return envelopes == {event.envelope for event in await place.log.read(0, limit=100_000)}


async def test_each_event_of_the_log_stands_in_the_topic_once_and_in_order(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=40, versions=5)
    async with running(relay.run):
        await until(lambda: sent(source))
    found = await all_of(topic, bootstrap=kafka_bootstrap)
    assert new_ones(found) == found
    assert await is_the_log(found, place=source)


async def test_a_relay_killed_while_it_sends_loses_and_swaps_nothing(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    part = Part(kind="relay", dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    appending = asyncio.ensure_future(append_starts(source.log, streams=STREAMS, versions=VERSIONS))
    for step in (1, 1_000, 2_500):
        async with a_process(part) as relay:
            await until(lambda step=step: sent_up_to(source, position=step))  # type: ignore[misc]
            relay.kill()
    await appending
    async with a_process(part):
        await until(lambda: sent(source))
    assert await is_the_log(await all_of(topic, bootstrap=kafka_bootstrap), place=source)


async def test_two_relays_take_turns_and_send_nothing_that_is_not_in_order(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    first = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    second = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)

    async def one_leads() -> bool:
        return first.leads != second.leads

    async def second_leads() -> bool:
        return second.leads

    async with running(second.run):
        async with running(first.run):
            await until(one_leads)
            await append_starts(source.log, streams=STREAMS, versions=2)
        await until(second_leads)
        await until(lambda: sent(source))
    assert await is_the_log(await all_of(topic, bootstrap=kafka_bootstrap), place=source)


async def test_no_second_one_leads_while_the_connection_of_the_first_lives(source: Place) -> None:
    first, second = await asyncpg.connect(source.dsn), await asyncpg.connect(source.dsn)
    try:
        assert await try_lock(first)
        assert not await try_lock(second)
        first.terminate()
        await until(lambda: try_lock(second))
    finally:
        second.terminate()


async def test_a_leader_whose_epoch_has_passed_moves_nothing(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    old = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)

    async def leads() -> bool:
        return old.leads

    async with running(old.run):
        await until(leads)
        await source.pool.execute("UPDATE relay_cursor SET leader_epoch = leader_epoch + 1")
        await append_starts(source.log, streams=10, versions=2)
        # The old leader sends, finds its epoch passed, steps down, and leads anew.
        await until(lambda: sent(source))
    found = await all_of(topic, bootstrap=kafka_bootstrap)
    assert len(found) > len(new_ones(found))
    assert await is_the_log(found, place=source)


async def test_a_leader_that_was_paused_and_wakes_after_another_took_over_swaps_nothing(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    part = Part(kind="relay", dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    appending = asyncio.ensure_future(append_starts(source.log, streams=STREAMS, versions=10))
    async with a_process(part) as paused:
        await until(lambda: sent_up_to(source, position=1))
        paused.send_signal(signal.SIGSTOP)
        await source.pool.execute(CUT_LEADER, LOCK)
        await appending
        second = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
        async with running(second.run):
            await until(lambda: sent(source))
            paused.send_signal(signal.SIGCONT)
            await append_starts(source.log, streams=STREAMS, versions=10, after=10)
            await until(lambda: sent(source))
    assert await is_the_log(await all_of(topic, bootstrap=kafka_bootstrap), place=source)


async def test_while_the_broker_is_away_appends_succeed_and_are_sent_when_it_is_back(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    async with a_way(kafka_bootstrap) as way:
        relay = Relay(dsn=source.dsn, bootstrap=way.address, topic=topic)
        async with running(relay.run):
            await append_starts(source.log, streams=10, versions=2)
            await until(lambda: sent(source))
            await way.cut()
            await append_starts(source.log, streams=10, versions=2, after=2)
            assert not await sent(source)
            await way.open()
            await until(lambda: sent(source))
    assert await is_the_log(await all_of(topic, bootstrap=kafka_bootstrap), place=source)


async def test_a_leader_whose_database_says_nothing_more_steps_down_and_leads_again(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    async with a_postgres_way(source.dsn) as way:
        relay = Relay(dsn=way.dsn, bootstrap=kafka_bootstrap, topic=topic, patience_seconds=2)

        async def leads() -> bool:
            return relay.leads

        async def stands_by() -> bool:
            return not relay.leads

        async with running(relay.run):
            await until(leads)
            way.hold_at(b"\0")
            await append_starts(source.log, streams=5, versions=2)
            await until(stands_by)
            way.let_go()
            await until(lambda: sent(source))
    assert await is_the_log(await all_of(topic, bootstrap=kafka_bootstrap), place=source)
