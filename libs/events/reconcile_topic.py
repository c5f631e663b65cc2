"""Topics: what a log has sent stands in its topic as it was stored, and what a reader took is here.

Both read a topic beside all groups, from the place where the look before ended, and compare up to
where the other side had come before the topic was asked for its end. A topic that was made anew
meanwhile, which shows in the record before that place, is looked at from its first record.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.events import kafka
from libs.events.cursors import Cursor, load_cursors
from libs.events.database import Connection, Pool, Row
from libs.events.envelope import Event, Recorded
from libs.events.kafka import KafkaRecord, Message, NotAnEvent, from_record, to_record
from libs.events.keys import Keys
from libs.events.partition import PARTITIONS
from libs.events.reconcile import Drift, Looked, Place
from libs.events.reconcile_log import sent_sequences
from libs.events.settle import Identity
from libs.events.snapshot import identity_of, snapshot
from libs.events.wire import Wire

_FETCH_BYTES = 1024 * 1024
_POLL_MS = 200
_SILENT_POLLS = 50
_HOP = "traceparent"


class _Record(KafkaRecord, Protocol):
    """A record, with when it was sent."""

    @property
    def timestamp(self) -> int: ...


class Piece(NamedTuple):
    """Records of one partition, and the sequence before the first."""

    partition: int
    after: int
    records: Sequence[KafkaRecord]


class At(NamedTuple):
    """Where to go on in a partition: Kafka's offset, the last sequence seen, the record before."""

    offset: int = 0
    sequence: int = 0
    mark: str = ""


class Read(NamedTuple):
    """Some records, where each partition goes on, and which partitions are at their ends."""

    pieces: Sequence[Piece]
    places: Mapping[int, At]
    ended: frozenset[int]

    @property
    def place(self) -> Place | None:
        """Where the next look goes on; None when every partition is at its end."""
        if len(self.ended) == PARTITIONS:
            return None
        return {str(partition): list(at) for partition, at in self.places.items()}


@asynccontextmanager
async def _reading(topic: str, *, bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        await consumer.start()
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        yield consumer
    finally:
        await consumer.stop()


async def read_some(topic: str, place: Place, *, bootstrap: str, limit: int) -> Read:
    """About `limit` records from `place` on; of a topic that is another since, from its start."""
    asked = {number: At(*place.get(str(number), ())) for number in range(PARTITIONS)}
    pieces: list[Piece] = []
    async with _reading(topic, bootstrap=bootstrap) as consumer:
        parts = {number: TopicPartition(topic, number) for number in range(PARTITIONS)}
        ends = await consumer.end_offsets(list(parts.values()))
        marks = await _marks_before(
            consumer,
            {parts[n]: at.offset for n, at in asked.items() if 0 < at.offset <= ends[parts[n]]},
        )
        places = {n: at if marks.get(parts[n]) == at.mark else At() for n, at in asked.items()}
        for number, at in places.items():
            consumer.seek(parts[number], at.offset)
        while limit > 0 and (rest := [p for n, p in parts.items() if places[n].offset < ends[p]]):
            for part, records in (await _some(consumer, rest, limit=limit)).items():
                number, before = part.partition, places[part.partition].sequence
                pieces.append(Piece(number, before, records))
                last = _last(records, before)
                places[number] = At(records[-1].offset + 1, last, _mark(records[-1]))
                limit -= len(records)
    ended = frozenset(n for n, part in parts.items() if places[n].offset >= ends[part])
    return Read(pieces, places, ended)


async def _marks_before(
    consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> Mapping[TopicPartition, str]:
    """The mark of the record before each of these offsets."""
    for part, offset in offsets.items():
        consumer.seek(part, offset - 1)
    marks: dict[TopicPartition, str] = {}
    while rest := [part for part in offsets if part not in marks]:
        found = await _some(consumer, rest, limit=len(rest))
        marks |= {part: _mark(records[0]) for part, records in found.items()}
    return marks


async def _some(
    consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition], *, limit: int
) -> Mapping[TopicPartition, Sequence[_Record]]:
    """The next records of these partitions, one at least; raises TimeoutError where none come."""
    for _ in range(_SILENT_POLLS):
        found: Mapping[TopicPartition, Sequence[_Record]] = await consumer.getmany(
            *parts, timeout_ms=_POLL_MS, max_records=limit
        )
        if found:
            return found
    raise TimeoutError(f"{parts[0].topic} gives no more records and is not at its end")


def _mark(record: _Record) -> str:
    """What tells a record from one at the same offset of a topic that was made anew."""
    headers = dict(record.headers)
    log_epoch, event_id = (headers.get(name, b"").hex() for name in ("ce_logepoch", "ce_id"))
    return f"{log_epoch} {event_id} {record.timestamp}"


def _last(records: Sequence[KafkaRecord], before: int) -> int:
    seen = (dict(record.headers).get("ce_sequence", b"0") for record in records)
    return max([before, *(int(one) for one in seen if one.isdigit())])


class Sent:
    """The topic of a log carries each event that was sent, in order, as it is stored."""

    def __init__(self, *, pool: Pool, topic: str, bootstrap: str) -> None:
        self.name = f"topic {topic}"
        self._pool = pool
        self._topic = topic
        self._bootstrap = bootstrap

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next records of each partition."""
        async with snapshot(self._pool) as connection:
            sent = await sent_sequences(connection)
        read = await read_some(self._topic, place, bootstrap=self._bootstrap, limit=limit)
        found: list[Drift] = []
        looked = 0
        async with snapshot(self._pool) as connection:
            identity = await identity_of(connection)
            for piece in read.pieces:
                looked += len(piece.records)
                found += await self._compared(connection, piece, identity=identity)
        for partition in sorted(read.ended):
            last = read.places[partition].sequence
            if last < sent.get(partition, 0):
                what = f"ends with sequence {last}, and events up to {sent[partition]} were sent"
                found.append(self._drift(partition, what))
        return Looked(found, looked, read.place)

    async def _compared(
        self, connection: Connection, piece: Piece, *, identity: Identity
    ) -> list[Drift]:
        found: list[Drift] = []
        messages: list[tuple[KafkaRecord, Message]] = []
        expected = piece.after + 1
        for record in piece.records:
            try:
                message = from_record(record)
            except NotAnEvent:
                found.append(
                    self._drift(piece.partition, f"the record at {record.offset} is no event")
                )
                continue
            messages.append((record, message))
            sequence = message.envelope.sequence
            if sequence > expected:
                what = f"goes on with sequence {sequence} where {expected} should be"
                found.append(self._drift(piece.partition, what, since=message))
            expected = max(expected, sequence + 1)
        rows = await _rows(connection, piece.partition, messages)
        for record, message in messages:
            row = rows.get(message.envelope.sequence)
            unlike = _unlike(record, message, row, identity=identity)
            if unlike is not None:
                found.append(self._drift(piece.partition, unlike, since=message))
        return found

    def _drift(self, partition: int, what: str, *, since: Message | None = None) -> Drift:
        return Drift(
            check=self.name,
            place=f"{self._topic}/{partition}",
            what=what,
            since=None if since is None else since.envelope.recorded_at.isoformat(),
            advice="The log is right unless it was restored: send the topic anew from it",
        )


FIND_SEQUENCES = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event WHERE partition = $1 AND sequence = ANY($2::bigint[])
"""


async def _rows(
    connection: Connection, partition: int, messages: Sequence[tuple[KafkaRecord, Message]]
) -> dict[int, Row]:
    sequences = [message.envelope.sequence for _, message in messages]
    rows = await connection.fetch(FIND_SEQUENCES, partition, sequences)
    return {row["sequence"]: row for row in rows}


def _unlike(
    record: KafkaRecord, message: Message, row: Row | None, *, identity: Identity
) -> str | None:
    """In what a record is not as its event is stored; the trace of its sending may be any."""
    sequence = message.envelope.sequence
    if message.envelope.log_epoch != identity.log_epoch:
        return f"sequence {sequence} is of another log, {message.envelope.log_epoch}"
    if row is None:
        return f"sequence {sequence} is in the topic, and the log has no such event"
    own = kafka.Identity(context=identity.context, log_epoch=identity.log_epoch)
    key, value, headers = to_record(row, identity=own, hop=None)
    if record.key != key:
        return f"sequence {sequence} has another key than its stream"
    if record.value != value:
        return f"sequence {sequence} has other data than the log"
    carried = [header for header in record.headers if header[0] != _HOP]
    if sorted(carried) != sorted(headers):
        return f"sequence {sequence} has other headers than the log says"
    return None


Kept = Callable[[Connection, Sequence[Recorded[Event]]], Awaitable[Mapping[str, str]]]
"""By event id what is wrong with what is kept of it here; nothing for what is as it should be."""

SET_ASIDE = """
SELECT sequence FROM parked_event
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = ANY($4::bigint[])
UNION
SELECT sequence FROM skipped_event
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = ANY($4::bigint[])
"""


class Taken:
    """What a reader took from a topic has its effect here; what is parked or skipped has none."""

    def __init__(
        self,
        *,
        consumer: str,
        topic: str,
        pool: Pool,
        bootstrap: str,
        keys: Keys,
        kept: Kept,
        advice: str | None = None,
    ) -> None:
        self.name = f"{consumer} of {topic}"
        self._consumer = consumer
        self._topic = topic
        self._pool = pool
        self._bootstrap = bootstrap
        self._keys = keys
        self._kept = kept
        self._advice = advice or f"The topic is right: rebuild what {consumer} keeps of it"
        self._wire = Wire()

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the effects of the next records of each partition."""
        read = await read_some(self._topic, place, bootstrap=self._bootstrap, limit=limit)
        found: list[Drift] = []
        looked = 0
        async with snapshot(self._pool) as connection:
            cursors = {
                at.partition: cursor
                for at, cursor in (await load_cursors(connection, self._consumer)).items()
                if at.topic == self._topic
            }
            for piece in read.pieces:
                looked += len(piece.records)
                until = cursors.get(piece.partition, Cursor())
                found += await self._compared(connection, piece, until=until)
        return Looked(found, looked, read.place)

    async def _compared(
        self, connection: Connection, piece: Piece, *, until: Cursor
    ) -> list[Drift]:
        messages = {
            message.envelope.sequence: message
            for record in piece.records
            if (message := _message(record)) is not None
            and message.envelope.sequence <= until.sequence
            # At another log a reader stops, and says so itself.
            and message.envelope.log_epoch == until.log_epoch
        }
        aside = await connection.fetch(
            SET_ASIDE, self._consumer, self._topic, piece.partition, list(messages)
        )
        for row in aside:
            del messages[row["sequence"]]
        events = await self._wire.decode(
            [message.stored for message in messages.values()], keys=self._keys
        )
        recorded = [
            Recorded(message.envelope, event)
            for message, event in zip(messages.values(), events, strict=True)
            if event is not None
        ]
        wrong = await self._kept(connection, recorded)
        return [
            Drift(
                check=self.name,
                place=f"{self._topic}/{piece.partition}, sequence {each.envelope.sequence}",
                what=f"{each.event.type} {each.envelope.event_id}: {what}",
                since=each.envelope.recorded_at.isoformat(),
                advice=self._advice,
            )
            for each in recorded
            if (what := wrong.get(str(each.envelope.event_id))) is not None
        ]


def _message(record: KafkaRecord) -> Message | None:
    try:
        return from_record(record)
    except NotAnEvent:
        return None
