"""A topic that was lost is made again from the log, and readers take nothing twice."""

import asyncio
import sys
from pathlib import Path

import pytest

from libs.events.consumer import Consumer
from libs.events.kafka import Message
from libs.events.partition import PARTITIONS
from libs.events.projector import Projector
from libs.events.relay import Relay
from libs.events.resending import SomeoneSends, examine, send_again
from libs.events.topics import make_anew
from tests.support.moments import Moment, to_kafka
from tests.support.way import (
    Place,
    all_of,
    append_starts,
    is_once_and_in_order,
    new_ones,
    notes,
    running,
    take_notes,
    until,
)

_CHECKOUT = Path(__file__).parents[3]
_HOP = "traceparent"

Record = tuple[int, str, bytes, dict[str, str]]


def records(messages: list[Message]) -> list[Record]:
    """Partition, key, value and headers of each event, without the hop of its sending."""
    return [
        (
            message.partition,
            str(message.envelope.stream_id),
            message.data,
            {name: value for name, value in message.headers.items() if name != _HOP},
        )
        for message in new_ones(messages)
    ]


async def level(place: Place) -> None:
    async def sent() -> bool:
        head = await place.log.position()
        return bool(await place.pool.fetchval("SELECT position FROM relay_cursor") == head)

    await until(sent)


def reader(target: Place, *, topic: str, bootstrap: str) -> Consumer:
    return Consumer(
        Projector("notes", effect=take_notes, pool=target.pool, keys=target.keys),
        topics=[topic],
        group=f"{topic}-notes",
        bootstrap=bootstrap,
        pool=target.pool,
    )


async def test_a_lost_topic_is_sent_again_byte_for_byte_and_readers_go_on(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    notes_reader = reader(target, topic=topic, bootstrap=kafka_bootstrap)

    async def taken(count: int) -> None:
        async def all_taken() -> bool:
            return len(await notes(target.pool)) >= count

        await until(all_taken)

    async with running(notes_reader.run):
        async with running(relay.run):
            await append_starts(source.log, streams=50, versions=10)
            await taken(500)
            with pytest.raises(SomeoneSends):
                await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
            await level(source)
        before = records(await all_of(topic, bootstrap=kafka_bootstrap))

        await make_anew(topic, bootstrap=kafka_bootstrap)  # as if its disk had been lost
        assert await all_of(topic, bootstrap=kafka_bootstrap) == []

        async def busy() -> None:
            await append_starts(source.log, streams=50, versions=10, after=10)

        appending = asyncio.create_task(busy())
        found = await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
        await appending
        assert found.trouble is None
        async with running(relay.run):
            await taken(1_000)
            await level(source)
        after = records(await all_of(topic, bootstrap=kafka_bootstrap))
        assert notes_reader.trouble is None
    first = {(partition, str(headers["ce_id"])) for partition, _, _, headers in before}
    assert [one for one in after if (one[0], one[3]["ce_id"]) in first] == before
    assert (len(before), len(after)) == (500, 1_000)
    assert is_once_and_in_order(await notes(target.pool), streams=50, versions=20)


async def test_a_true_topic_is_left_and_only_what_is_missing_is_sent(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=20, versions=2)
    async with running(Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic).run):
        await level(source)
    await append_starts(source.log, streams=20, versions=1, after=2)
    found = await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    assert (found.events, found.trouble) == (60, None)
    positions = sorted(m.envelope.position for m in await all_of(topic, bootstrap=kafka_bootstrap))
    # Sent once each, but for what stood beyond the first missing one in its partition's order.
    assert sorted(set(positions)) == list(range(1, 61))
    assert len(positions) < 60 + 20


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE event SET data = '{}' WHERE position = 3", "another key or value"),
        ("UPDATE event SET actor = 'nobody' WHERE position = 3", "other headers"),
        (
            "DELETE FROM event WHERE position = 10; UPDATE log_head SET position = 9",
            "not in the log",
        ),
    ],
    ids=["value", "header", "more than the log"],
)
async def test_a_topic_that_tells_something_else_is_made_anew(
    source: Place, topic: str, kafka_bootstrap: str, *, change: str, word: str
) -> None:
    await append_starts(source.log, streams=10, versions=1)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    await source.pool.execute(change)
    other = await examine(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    assert other.trouble is not None
    assert word in other.trouble
    found = await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    events = await source.pool.fetchval("SELECT count(*) FROM event")
    assert (found.events, found.trouble) == (events, None)


async def test_a_command_killed_in_between_goes_on(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=400, versions=10)
    async with to_kafka(kafka_bootstrap) as (way, bootstrap):
        way.stop_at(Moment(("Produce",), "before", nth=2))
        sending = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.rebuild.sending"),
            *(source.dsn, topic, bootstrap),
            cwd=_CHECKOUT,
        )
        try:
            await way.reached()
        finally:
            sending.kill()
            await sending.wait()
    between = await all_of(topic, bootstrap=kafka_bootstrap)
    found = await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    assert (found.events, found.trouble) == (4_000, None)
    after = await all_of(topic, bootstrap=kafka_bootstrap)
    assert len(new_ones(after)) == 4_000
    assert 0 < len(between) < 4_000
    kept = {(m.partition, m.offset, m.envelope.event_id) for m in between}
    assert kept <= {(m.partition, m.offset, m.envelope.event_id) for m in after}
    assert {m.partition for m in after} == set(range(PARTITIONS))
