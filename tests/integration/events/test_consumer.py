"""The consumer: each event has its effect once and in order, and a loss is seen."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer

from libs.events.consumer import Consumer
from libs.events.kafka import Message
from libs.events.log import StreamAppend
from libs.events.partition import key_bytes, partition_of
from libs.events.projector import Projector
from libs.events.relay import Relay
from libs.events.trouble import Gap, OtherLog, Trouble, Unreadable
from libs.events.weather import is_weather
from tests.support.parked import parked_events
from tests.support.proxy import a_way
from tests.support.victims import Part, a_process
from tests.support.way import (
    CASE,
    Place,
    a_start,
    a_topic,
    all_of,
    append_starts,
    is_once_and_in_order,
    notes,
    running,
    take_notes,
    until,
)

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE (datname = $1 AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'))
   OR datname = $2
"""


def a_consumer(target: Place, *, topic: str, bootstrap: str) -> Consumer:
    projector = Projector("notes", effect=take_notes, pool=target.pool, keys=target.keys)
    return Consumer(
        projector, topics=[topic], group=f"{topic}-notes", bootstrap=bootstrap, pool=target.pool
    )


async def has_notes(place: Place, *, count: int) -> bool:
    return len(await notes(place.pool)) >= count


async def in_topic(place: Place) -> bool:
    return bool(
        await place.pool.fetchval(
            "SELECT relay_cursor.position = log_head.position FROM relay_cursor, log_head"
        )
    )


async def sent(source: Place, *, topic: str, bootstrap: str) -> list[Message]:
    """Send the source's log; gives what stands in the topic then."""
    async with running(Relay(dsn=source.dsn, bootstrap=bootstrap, topic=topic).run):
        await until(lambda: in_topic(source))
    return await all_of(topic, bootstrap=bootstrap)


async def write(messages: Sequence[Message], *, topic: str, bootstrap: str) -> None:
    """Write messages to a topic by hand."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for message in messages:
            await producer.send_and_wait(
                topic,
                message.data,
                key=key_bytes(message.envelope.stream_id),
                partition=message.partition,
                headers=[(name, value.encode()) for name, value in message.headers.items()],
            )
    finally:
        await producer.stop()


async def test_each_event_has_its_effect_once_and_in_the_order_of_its_stream(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, topic=topic, bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=40, versions=5)
    async with running(relay.run), running(consumer.run):
        await until(lambda: has_notes(target, count=200))
    assert is_once_and_in_order(await notes(target.pool), streams=40, versions=5)


async def test_a_consumer_killed_in_the_middle_of_a_batch_leaves_each_effect_once(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=20, versions=10)
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)

    async def in_the_middle() -> bool:
        # the sequence shows what an open transaction has written
        return bool(await target.pool.fetchval("SELECT last_value FROM note_seen_seq") > 5)

    part = Part(kind="slow projector", dsn=target.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with a_process(part) as killed:
        await until(in_the_middle)
        killed.kill()
    async with running(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=200))
    found = await notes(target.pool)
    assert is_once_and_in_order(found, streams=20, versions=10)
    assert await target.pool.fetchval("SELECT last_value FROM note_seen_seq") > len(found)


async def test_a_second_consumer_that_joins_and_leaves_takes_nothing_twice(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    first = a_consumer(target, topic=topic, bootstrap=kafka_bootstrap)
    second = a_consumer(target, topic=topic, bootstrap=kafka_bootstrap)

    async def both_share() -> bool:
        return len(first.shares) == len(second.shares) == 6

    async with running(relay.run), running(first.run):
        await append_starts(source.log, streams=30, versions=4)
        async with running(second.run):
            await append_starts(source.log, streams=30, versions=4, after=4)
            await until(both_share)
            await append_starts(source.log, streams=30, versions=4, after=8)
            await until(lambda: has_notes(target, count=360))
        await append_starts(source.log, streams=30, versions=4, after=12)
        await until(lambda: has_notes(target, count=480))
    assert is_once_and_in_order(await notes(target.pool), streams=30, versions=16)


async def test_records_sent_twice_are_taken_once(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=10, versions=3)
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    await source.pool.execute("UPDATE relay_cursor SET position = 5")
    await append_starts(source.log, streams=10, versions=1, after=3)
    found = await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    assert len(found) == 30 + 35
    async with running(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=40))
    assert is_once_and_in_order(await notes(target.pool), streams=10, versions=4)


async def trouble_of(consumer: Consumer) -> Trouble:
    """What stops a consumer."""

    async def stopped() -> bool:
        return consumer.trouble is not None

    async with running(consumer.run):
        await until(stopped)
        assert not consumer.ready
    assert consumer.trouble is not None
    return consumer.trouble


async def test_an_event_missing_from_the_topic_stops_the_consumer_before_what_follows(
    source: Place, target: Place, topic: str, kafka_bootstrap: str, topic_prefix: str
) -> None:
    await append_starts(source.log, streams=1, versions=5)
    found = await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    holed = await a_topic(kafka_bootstrap, prefix=f"{topic_prefix}holed-")
    await write([*found[:2], *found[3:]], topic=holed, bootstrap=kafka_bootstrap)
    trouble = await trouble_of(a_consumer(target, topic=holed, bootstrap=kafka_bootstrap))
    assert trouble == Gap(topic=holed, partition=found[0].partition, expected=3, seen=4)
    assert await notes(target.pool) == [(UUID(int=1), 1), (UUID(int=1), 2)]


async def test_a_hint_that_leads_too_far_is_mended_from_the_start_of_the_topic(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=2)
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    async with running(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=2))
    await append_starts(source.log, streams=1, versions=3, after=2)
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    await target.pool.execute("UPDATE consumer_cursor SET kafka_offset = 4")
    async with running(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=5))
    assert is_once_and_in_order(await notes(target.pool), streams=1, versions=5)


async def test_another_log_in_the_topic_stops_the_consumer_and_says_what_to_do(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=2)
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    known = source.log.log_epoch
    restored = UUID(int=77)
    await source.pool.execute("UPDATE log_identity SET log_epoch = $1", restored)
    await append_starts(source.log, streams=1, versions=1, after=2)
    found = await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    trouble = await trouble_of(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap))
    assert trouble == OtherLog(
        topic=topic, partition=found[0].partition, known=known, seen=restored
    )
    assert "./yk rebuild consumer" in str(trouble)
    assert await notes(target.pool) == [(UUID(int=1), 1), (UUID(int=1), 2)]


async def test_another_log_stops_the_consumer_in_a_partition_it_took_nothing_of(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    one, other = UUID(int=1), UUID(int=2)
    assert partition_of(one) != partition_of(other)
    await source.log.append(
        StreamAppend(stream_id=one, events=[a_start(1)], expected=0), cause=CASE
    )
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    async with running(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=1))
    known, restored = source.log.log_epoch, UUID(int=77)
    await source.pool.execute("UPDATE log_identity SET log_epoch = $1", restored)
    await source.log.append(
        StreamAppend(stream_id=other, events=[a_start(2)], expected=0), cause=CASE
    )
    await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    trouble = await trouble_of(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap))
    assert trouble == OtherLog(
        topic=topic, partition=partition_of(other), known=known, seen=restored
    )
    assert await notes(target.pool) == [(one, 1)]


async def test_a_record_that_is_no_event_stops_the_consumer(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=1)
    (found,) = await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    await write([found._replace(headers={})], topic=topic, bootstrap=kafka_bootstrap)
    trouble = await trouble_of(a_consumer(target, topic=topic, bootstrap=kafka_bootstrap))
    assert isinstance(trouble, Unreadable)
    assert await notes(target.pool) == [(UUID(int=1), 1)]


async def test_an_event_of_an_unknown_type_is_passed_over_and_counts(
    source: Place, target: Place, topic: str, kafka_bootstrap: str, topic_prefix: str
) -> None:
    await append_starts(source.log, streams=1, versions=3)
    first, second, third = await sent(source, topic=topic, bootstrap=kafka_bootstrap)
    headers = {**second.headers, "ce_type": "contracts.not-known-here.v1"}
    other = await a_topic(kafka_bootstrap, prefix=f"{topic_prefix}other-")
    await write(
        [first, second._replace(headers=headers), third], topic=other, bootstrap=kafka_bootstrap
    )
    async with running(a_consumer(target, topic=other, bootstrap=kafka_bootstrap).run):
        await until(lambda: has_notes(target, count=2))
    assert await notes(target.pool) == [(UUID(int=1), 1), (UUID(int=1), 3)]


async def test_a_consumer_goes_on_when_the_broker_is_back(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    async with (
        a_way(kafka_bootstrap) as way,
        running(a_consumer(target, topic=topic, bootstrap=way.address).run),
    ):
        await append_starts(source.log, streams=10, versions=2)
        await sent(source, topic=topic, bootstrap=kafka_bootstrap)
        await until(lambda: has_notes(target, count=20))
        await way.cut()
        await append_starts(source.log, streams=10, versions=2, after=2)
        await sent(source, topic=topic, bootstrap=kafka_bootstrap)
        assert len(await notes(target.pool)) == 20
        await way.open()
        await until(lambda: has_notes(target, count=40))
    assert is_once_and_in_order(await notes(target.pool), streams=10, versions=4)


async def test_effects_stand_once_though_the_database_cuts_its_connections(
    source: Place, target: Place, topic: str, kafka_bootstrap: str, postgres_dsn: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, topic=topic, bootstrap=kafka_bootstrap)
    admin = await asyncpg.connect(postgres_dsn)
    names = [await place.pool.fetchval("SELECT current_database()") for place in (source, target)]

    async def all_noted() -> bool:
        try:
            return await has_notes(target, count=240)
        except Exception as error:
            if is_weather(error):  # the pool still lends connections that were cut
                return False
            raise

    try:
        async with running(relay.run), running(consumer.run):
            for step in range(6):
                await append_starts(source.log, streams=20, versions=2, after=2 * step)
                # the relay's own connection, and all of the reader's
                await admin.execute(CUT, names[0], names[1])
            await until(all_noted)
    finally:
        await admin.close()
    assert is_once_and_in_order(await notes(target.pool), streams=20, versions=12)
    assert await parked_events(target.pool) == []
