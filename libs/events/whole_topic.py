"""A topic as a reader takes it, without being one of a group: each event once, in order."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from libs.events.cursors import Cursor
from libs.events.kafka import KafkaRecord, Message, NotAnEvent, from_record
from libs.events.partition import PARTITIONS
from libs.events.trouble import Gap, OtherLog, Short, Stopped, Unreadable

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
    topic: str,
    *,
    bootstrap: str,
    log_epoch: UUID,
    after: Mapping[int, Cursor] | None = None,
    until: Mapping[int, int] | None = None,
) -> AsyncIterator[Sequence[Found]]:
    """Some events of one partition after the other, each once and in order, repeats left out.

    From `after`, by partition, or the beginning; to the sequences `until`, inclusive, or the topic's
    end as it is now. Raises `Stopped` where a reader would stop: at a gap, at another log's event,
    at what is no event, and where the topic ends before `until`. The topic must exist.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    await consumer.start()
    try:
        begin = [(after or {}).get(number, Cursor()) for number in range(PARTITIONS)]
        parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(parts)
        for part, cursor in zip(parts, begin, strict=True):
            consumer.seek(part, cursor.kafka_offset or 0)
        ends = await consumer.end_offsets(parts)
        last = {part: cursor.sequence for part, cursor in zip(parts, begin, strict=True)}

        async def is_open(part: TopicPartition) -> bool:
            if until is not None and last[part] >= until.get(part.partition, 0):
                return False
            return bool(await consumer.position(part) < ends[part])

        while not_read := [part for part in parts if await is_open(part)]:
            consumer.pause(*(part for part in parts if part not in not_read))
            found = await consumer.getmany(*not_read, timeout_ms=_POLL_MS, max_records=_RECORDS)
            for part, records in found.items():
                events = _new_ones(part, records, last=last[part], log_epoch=log_epoch)
                if until is not None:
                    events = events[: max(0, until.get(part.partition, 0) - last[part])]
                if events:
                    last[part] = events[-1].message.envelope.sequence
                    yield events
        _whole(topic, last={part.partition: last[part] for part in parts}, until=until or {})
    finally:
        await consumer.stop()


def _whole(topic: str, *, last: Mapping[int, int], until: Mapping[int, int]) -> None:
    for number, wanted in until.items():
        if last[number] < wanted:
            raise Stopped(Short(topic=topic, partition=number, ends=last[number], taken=wanted))


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
