"""What a reader keeps built anew beside the live rows: the same, switched at once, nothing lost."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from libs.events import parking, recovering
from libs.events.consumer import Consumer
from libs.events.database import Connection, transaction
from libs.events.envelope import Event, Recorded
from libs.events.parking import ParkedStream
from libs.events.projector import Projector
from libs.events.relay import Relay
from libs.events.resending import send_again
from libs.events.shadow_marks import OtherHistory
from libs.events.shadow_tables import NothingBeside
from libs.events.topics import make_anew
from libs.events.trouble import Short, Stopped
from tests.integration.rebuild.tallies import (
    READER,
    TABLES,
    beside_it,
    counted,
    each_once,
    keep,
    kept,
    living,
    reader,
    rows_of,
    until_taken,
)
from tests.support.way import Place, append_starts, running, until

_CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
async def tables(target: Place) -> None:
    await target.pool.execute(TABLES)


async def test_what_is_beside_equals_the_live_rows_and_mends_doctored_ones(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=20, versions=5)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with living(target, topic=topic, bootstrap=kafka_bootstrap):
        await until_taken(target.pool, events=100)
        before = await rows_of(target.pool)
        async with beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one:
            assert await one.begin()
            marks = await one.follow()
            assert await rows_of(target.pool) == before
            same = await one.compare()
            await target.pool.execute(
                "UPDATE tally SET events = 7 WHERE stream_id = $1", UUID(int=3)
            )
            await target.pool.execute("DELETE FROM tally WHERE stream_id = $1", UUID(int=4))
            different = await one.compare()
            await one.switch()
            assert await counted(target.pool) == each_once(streams=20, versions=5)
            old = await target.pool.fetchval("SELECT count(*) FROM replaced_tally_keeper.tally")
            await one.drop()
    schemas = await target.pool.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ 'tally'")
    assert (marks.events, marks.parted, old, schemas) == (100, (), 19, [])
    assert (same.found.total, same.found.rows) == (0, {"seen": (100, 100), "tally": (20, 20)})
    assert [difference.words() for difference in different.found.differences] == [
        f"tally stream_id={UUID(int=3)}: events is 7 live and 5 rebuilt",
        f"tally stream_id={UUID(int=4)}: stands in the rebuilt one only",
    ]


async def test_events_that_arrive_meanwhile_are_neither_lost_nor_doubled_nor_seen_by_half(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """Somebody looks all the while: both tables say the same, and never less than before."""
    looks: list[int] = []

    async def look(stop: asyncio.Event) -> None:
        while not stop.is_set():
            found = await target.pool.fetchrow(
                "SELECT (SELECT count(*) FROM seen) AS seen,"
                " (SELECT coalesce(sum(events), 0) FROM tally) AS counted"
            )
            assert found is not None
            assert found["seen"] == found["counted"]
            looks.append(found["seen"])
            await asyncio.sleep(0)

    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=30, versions=10)
    async with running(relay.run), living(target, topic=topic, bootstrap=kafka_bootstrap):
        await until_taken(target.pool, events=300)
        appending = asyncio.create_task(
            append_starts(source.log, streams=30, versions=40, after=10)
        )
        switched = []
        async with running(look):
            for _ in range(3):
                async with beside_it(
                    target, topic=topic, bootstrap=kafka_bootstrap, source=source
                ) as one:
                    await one.begin()
                    assert (await one.compare()).found.total == 0
                    switched.append((await one.switch()).events)
            await appending
            await until_taken(target.pool, events=1_500)
    assert await counted(target.pool) == each_once(streams=30, versions=50)
    assert looks == sorted(looks)
    assert len(set(looks)) > 1
    assert switched == sorted(switched)


async def test_who_takes_an_event_in_the_moment_of_the_switch_waits_and_has_effect_once(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    async def blocked() -> bool:
        found = await target.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(found)

    async def meanwhile(_: Connection) -> None:
        await append_starts(source.log, streams=1, versions=1, after=3)
        await until(blocked)

    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=2, versions=3)
    async with running(relay.run), living(target, topic=topic, bootstrap=kafka_bootstrap):
        await until_taken(target.pool, events=6)
        what = replace(kept(topic), carry=meanwhile)
        async with beside_it(
            target, topic=topic, bootstrap=kafka_bootstrap, source=source, what=what
        ) as one:
            await one.begin()
            assert (await one.switch()).events == 6
        await until_taken(target.pool, events=7)
    assert await counted(target.pool) == {UUID(int=1): (4, 4), UUID(int=2): (3, 3)}


async def test_a_rebuild_that_was_killed_leaves_the_live_rows_and_goes_on(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=100, versions=30)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with living(target, topic=topic, bootstrap=kafka_bootstrap):
        await until_taken(target.pool, events=3_000)
    before = await rows_of(target.pool)
    arguments = (target.dsn, source.dsn, topic, kafka_bootstrap, "1")
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.rebuild.killed_reading", *arguments, cwd=_CHECKOUT
    )
    assert await killed.wait() == -signal.SIGKILL
    stood = await target.pool.fetchval(
        "SELECT sum(sequence) FROM rebuild_tally_keeper.consumer_cursor"
    )
    assert 0 < stood < 3_000
    assert await rows_of(target.pool) == before

    reached: list[int] = []
    async with beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one:
        assert not await one.begin()
        await one.follow(told=lambda position, _: reached.append(position))
        assert reached[0] > stood
        assert reached[-1] == 3_000
        assert (await one.compare()).found.total == 0
        await one.switch()
    assert await counted(target.pool) == each_once(streams=100, versions=30)


async def test_an_event_that_was_given_up_stays_given_up(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """Its effect would succeed by now, and it is behind another that is parked as well."""
    broken = {(UUID(int=1), 2), (UUID(int=2), 2)}

    async def fails(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        if any((each.envelope.stream_id, each.envelope.version) in broken for each in batch):
            raise ValueError("broken")
        await keep(connection, batch)

    live = Consumer(
        Projector(READER, effect=fails, pool=target.pool, keys=target.keys),
        topics=[topic],
        group=f"{topic}-{READER}",
        bootstrap=kafka_bootstrap,
        pool=target.pool,
    )
    await append_starts(source.log, streams=3, versions=4)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    given_up = ParkedStream(consumer=READER, topic=topic, stream_id=UUID(int=1))

    async def settled() -> bool:
        return (await counted(target.pool)).get(UUID(int=1)) == (3, 3)

    async with running(live.run):
        await until_taken(target.pool, events=12)
        async with transaction(target.pool) as connection:
            await parking.skip(connection, given_up, because="twice", by="tanaka")
        await until(settled)
    assert await target.pool.fetchval("SELECT count(*) FROM parked_event") == 3

    same = replace(kept(topic), effect=fails)
    async with beside_it(
        target, topic=topic, bootstrap=kafka_bootstrap, source=source, what=same
    ) as one:
        await one.begin()
        assert (await one.compare()).found.total == 0
        await one.drop()
    async with beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one:
        await one.begin()
        mended = await one.compare()
        await one.switch()
    words = [difference.words() for difference in mended.found.differences]
    assert f"tally stream_id={UUID(int=2)}: events is 1 live and 4 rebuilt" in words
    assert sum("parked_event" in line and "live one only" in line for line in words) == 3
    assert await counted(target.pool) == {
        UUID(int=1): (3, 3),
        UUID(int=2): (4, 4),
        UUID(int=3): (4, 4),
    }
    assert await target.pool.fetchval("SELECT count(*) FROM parked_event") == 0


async def test_a_topic_that_lost_events_or_was_dropped_beside_is_told(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=2, versions=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with running(reader(target, topic, bootstrap=kafka_bootstrap).run):
        await until_taken(target.pool, events=6)
    await make_anew(topic, bootstrap=kafka_bootstrap)
    before = await rows_of(target.pool)
    async with beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one:
        with pytest.raises(NothingBeside, match="there is nothing of tally-keeper beside"):
            await one.switch()
        await one.begin()
        with pytest.raises(Stopped, match=r"Send the topic anew") as stopped:
            await one.switch()
        assert isinstance(stopped.value.trouble, Short)
        assert await rows_of(target.pool) == before
        await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
        await one.switch()
    assert await counted(target.pool) == each_once(streams=2, versions=3)


async def test_a_topic_of_another_log_than_its_service_has_is_told(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """The log was restored with a new epoch, and its topic is still the old one's."""
    await append_starts(source.log, streams=2, versions=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with living(target, topic=topic, bootstrap=kafka_bootstrap):
        await until_taken(target.pool, events=6)
    async with transaction(source.pool) as connection:
        await recovering.begin_epoch(connection)
    before = await rows_of(target.pool)
    async with beside_it(target, topic=topic, bootstrap=kafka_bootstrap, source=source) as one:
        await one.begin()
        with pytest.raises(OtherHistory, match=r"send it anew, \./yk rebuild topic"):
            await one.switch()
        assert await rows_of(target.pool) == before
        await source.pool.execute("DELETE FROM log_fork")
        with pytest.raises(OtherHistory, match="nobody can say what of it was taken"):
            await one.switch()
