"""A topic from its first record to its end as it is now, as a reader takes it: each event once."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from libs.events.kafka import KafkaRecord, Message, NotAnEvent, from_record
from libs.events.partition import PARTITIONS
from libs.events.trouble import Gap, OtherLog, Stopped, Unreadable

_RECORDS = 2_000
_POLL_MS = 500
_FETCH_BYTES = 4 * 1024 * 1024


class Found(NamedTuple):
    """A record, and the event in it."""

    record: KafkaRecord
    message: Message


async def has_topic(topic: str, *, bootstrap: str) -> bool:
    """Whether there is such a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        return topic in await admin.list_topics()
    finally:
        await admin.close()


async def events_of(
    topic: str, *, bootstrap: str, log_epoch: UUID
) -> AsyncIterator[Sequence[Found]]:
    """Some events of one partition after the other, each once and in order, repeats left out.

    Raises `Stopped` where a reader would stop: at a gap, at another log's event, at what is no
    event. The topic must exist.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        last = dict.fromkeys(parts, 0)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS)
            for part, records in found.items():
                events = _new_ones(part, records, last=last[part], log_epoch=log_epoch)
                if events:
                    last[part] = events[-1].message.envelope.sequence
                    yield events
    finally:
        await consumer.stop()


def _new_ones(
    part: TopicPartition, records: Sequence[KafkaRecord], *, last: int, log_epoch: UUID
) -> list[Found]:
    at = {"topic": part.topic, "partition": part.partition}
    found: list[Found] = []
    for record in records:
        try:
            message = from_record(record)
        except NotAnEvent as error:
            raise Stopped(Unreadable(**at, detail=str(error))) from error
        envelope = message.envelope
        if envelope.log_epoch != log_epoch:
            raise Stopped(OtherLog(**at, known=log_epoch, seen=envelope.log_epoch))
        if envelope.sequence > last + 1:
            raise Stopped(Gap(**at, expected=last + 1, seen=envelope.sequence))
        if envelope.sequence == last + 1:
            found.append(Found(record, message))
            last += 1
    return found
