"""A topic is looked at in pieces: one that was made anew meanwhile from its beginning."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest

from libs.events.consumer import Consumer
from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.projector import Projector
from libs.events.reconcile import Check, Looked, Round, go_on, whole_round
from libs.events.reconcile_topic import Sent, Taken
from libs.events.relay import Relay
from libs.events.topics import make_anew
from tests.support.way import Place, append_starts, notes, running, take_notes, until


async def send(source: Place, topic: str, bootstrap: str) -> None:
    """Have everything stand in the topic that stands in the log."""

    async def sent() -> bool:
        cursor = await source.pool.fetchval("SELECT position FROM relay_cursor")
        return bool(cursor == await source.log.position())

    async with running(Relay(dsn=source.dsn, bootstrap=bootstrap, topic=topic).run):
        await until(sent)


async def words(check: Check, begun: Looked) -> list[str]:
    """What a round finds that goes on where a look ended."""
    assert begun.next is not None
    ended = await go_on(check, begun.next, Round(check.name, 0, ()), limit=100)
    return [drift.what for drift in ended.drift]


@pytest.mark.parametrize(
    "versions", [pytest.param(8, id="as long as before"), pytest.param(12, id="longer")]
)
async def test_a_topic_made_anew_is_looked_at_from_its_beginning(
    source: Place, topic: str, kafka_bootstrap: str, versions: int
) -> None:
    check = Sent(pool=source.pool, topic=topic, bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=1, versions=8)
    await send(source, topic, kafka_bootstrap)
    begun = await check.look({}, limit=5)
    assert (begun.looked, begun.drift) == (5, [])
    await source.pool.execute("UPDATE event SET data = '{}' WHERE position = 2")
    assert await words(check, begun) == [], "the round goes on, and comes back to it in the next"

    await source.pool.execute(
        "UPDATE event SET data = e.data FROM event e WHERE event.position = 2 AND e.position = 3"
    )
    await make_anew(topic, bootstrap=kafka_bootstrap)
    await source.pool.execute("UPDATE relay_cursor SET position = 0")
    await append_starts(source.log, streams=1, versions=versions - 8, after=8)
    await send(source, topic, kafka_bootstrap)
    assert await words(check, begun) == []
    await source.pool.execute("UPDATE event SET data = '{}' WHERE position = 2")
    assert await words(check, begun) == ["sequence 2 has other data than the log"]


async def test_a_topic_that_is_shorter_than_it_was_is_looked_at_from_its_beginning(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    check = Sent(pool=source.pool, topic=topic, bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=1, versions=8)
    await send(source, topic, kafka_bootstrap)
    begun = await check.look({}, limit=5)
    await make_anew(topic, bootstrap=kafka_bootstrap)
    assert await words(check, begun) == ["ends with sequence 0, and events up to 8 were sent"]


async def test_what_a_reader_took_of_another_log_is_not_compared_with_this_one(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    async def none_is_kept(
        connection: Connection, events: Sequence[Recorded[Event]]
    ) -> Mapping[str, str]:
        assert not connection.is_closed()
        return {str(each.envelope.event_id): "is missing" for each in events}

    check = Taken(
        consumer="reader",
        topic=topic,
        pool=target.pool,
        bootstrap=kafka_bootstrap,
        keys=target.keys,
        kept=none_is_kept,
    )
    await append_starts(source.log, streams=1, versions=3)
    await send(source, topic, kafka_bootstrap)
    reader = Projector("reader", effect=take_notes, pool=target.pool, keys=target.keys)
    consumer = Consumer(
        reader,
        topics=[topic],
        group=f"{topic}-reader",
        bootstrap=kafka_bootstrap,
        pool=target.pool,
    )

    async def taken() -> bool:
        return len(await notes(target.pool)) == 3

    assert (await whole_round(check, limit=10)).drift == (), "what is not taken yet is no drift"
    async with running(consumer.run):
        await until(taken)
    assert len((await whole_round(check, limit=10)).drift) == 3
    await target.pool.execute("UPDATE consumer_cursor SET log_epoch = $1", UUID(int=7))
    assert (await whole_round(check, limit=10)).drift == ()
