"""Streams that failed: their events stand here, in order, until taken again or given up.

A stream is parked for one reader, from the failing event on; later events of it queue behind. The
first parked event of a stream says why. `waiting` there means that the reader should try again by
itself: something the event refers to had not arrived, or an operator asked for it. So it does with
a first event that was never tried, because what stood before it is gone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
import structlog
from pydantic import BaseModel, ConfigDict

from libs.events import kafka
from libs.events.database import Connection, Pool, Row
from libs.events.kafka import Message
from libs.events.reaction import NotYetSeen
from libs.events.reading import Read, clause_of, reason_of
from libs.refusal.refusal import NotFound, Refusal

_HELD_EVENTS = 200
_HELD_BYTES = 4 * 1024 * 1024


class NotFirst(Refusal):
    """Another event stands first in the parked stream than the one that was to be given up."""

    code = "not-first-parked"
    title = "Another event of the stream stands first by now; look again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedStream:
    """A stream of a topic that is parked for a reader; ids repeat over topics."""

    consumer: str
    topic: str
    stream_id: UUID


class Parked(BaseModel):
    """One parked event, for whoever looks after it; `clause` where a rule of the terms said no."""

    model_config = ConfigDict(frozen=True)

    consumer: str
    topic: str
    partition: int
    sequence: int
    stream_id: UUID
    event_id: UUID
    waiting: bool
    reason: str
    attempts: int
    parked_at: datetime
    clause: str | None = None
    tried_at: datetime | None = None

    @property
    def stream(self) -> ParkedStream:
        """The parked stream that it stands in."""
        return ParkedStream(consumer=self.consumer, topic=self.topic, stream_id=self.stream_id)


class StreamParked(BaseModel):
    """A parked stream: its first event, which says why, and how many stand behind it."""

    model_config = ConfigDict(frozen=True)

    first: Parked
    behind: int


PARK = """
INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id, waiting,
                          reason, attempts, parked_at, headers, data, clause, tried_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), $10, $11, $12,
        CASE WHEN $9 > 0 THEN now() END)
"""


async def park(connection: Connection, consumer: str, *, read: Read, error: Exception) -> None:
    """Park a stream from its failing event on, in the transaction that moves the cursor."""
    waiting = isinstance(error, NotYetSeen)
    reason = reason_of(error)
    await _insert(connection, consumer, read, waiting=waiting, failure=error)
    structlog.get_logger().warning(
        "stream parked",
        consumer=consumer,
        topic=read.message.topic,
        partition=read.message.partition,
        sequence=read.sequence,
        stream_id=str(read.stream_id),
        event_id=str(read.message.envelope.event_id),
        waiting=waiting,
        reason=reason,
    )


async def park_behind(connection: Connection, consumer: str, reads: Iterable[Read]) -> None:
    """Let events of parked streams queue behind what is parked."""
    for read in reads:
        await _insert(connection, consumer, read, waiting=False, failure=None)


async def _insert(
    connection: Connection, consumer: str, read: Read, *, waiting: bool, failure: Exception | None
) -> None:
    message = read.message
    await connection.execute(
        PARK,
        consumer,
        message.topic,
        message.partition,
        read.sequence,
        read.stream_id,
        message.envelope.event_id,
        waiting,
        "behind" if failure is None else reason_of(failure),
        0 if failure is None else 1,
        orjson.dumps(dict(message.headers)).decode(),
        message.data,
        None if failure is None else clause_of(failure),
    )


PARKED_STREAMS = """
SELECT DISTINCT stream_id FROM parked_event
WHERE consumer = $1 AND topic = $2 AND stream_id = ANY($3)
"""


async def parked_streams(
    connection: Connection, consumer: str, *, topic: str, among: Collection[UUID]
) -> set[UUID]:
    """Which of these streams of a topic are parked for a reader."""
    rows = await connection.fetch(PARKED_STREAMS, consumer, topic, list(among))
    return {row["stream_id"] for row in rows}


WAITING = """
SELECT topic, stream_id FROM (
    SELECT DISTINCT ON (topic, stream_id) topic, partition, stream_id, waiting, attempts
    FROM parked_event WHERE consumer = $1
    ORDER BY topic, stream_id, sequence
) AS first
WHERE (waiting OR attempts = 0) AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
ORDER BY attempts, topic, stream_id
LIMIT 200
"""


async def waiting_streams(
    connection: Connection, consumer: str, *, at: Collection[tuple[str, int]]
) -> list[ParkedStream]:
    """The streams of these partitions that should be tried again; least tried first, 200 at most."""
    topics = [topic for topic, _ in at]
    partitions = [partition for _, partition in at]
    return [
        ParkedStream(consumer=consumer, topic=row["topic"], stream_id=row["stream_id"])
        for row in await connection.fetch(WAITING, consumer, topics, partitions)
    ]


HOLD = """
SELECT topic, partition, sequence, headers, data FROM (
    SELECT *, row_number() OVER up AS number, sum(octet_length(data)) OVER up AS bytes FROM (
        SELECT topic, partition, sequence, headers, data FROM parked_event
        WHERE consumer = $1 AND topic = $2 AND stream_id = $3
        ORDER BY sequence LIMIT $4 FOR UPDATE
    ) AS held
    WINDOW up AS (ORDER BY sequence)
) AS measured
WHERE number = 1 OR bytes <= $5
ORDER BY sequence
"""


async def hold(connection: Connection, stream: ParkedStream) -> list[Message]:
    """The first parked events of a stream in order, held against others until the transaction ends.

    At most 200 of them and 4 MiB, or one that is larger; none when the stream is parked no more.
    """
    rows = await connection.fetch(
        HOLD, stream.consumer, stream.topic, stream.stream_id, _HELD_EVENTS, _HELD_BYTES
    )
    return [_message(row) for row in rows]


def _message(row: Row) -> Message:
    return kafka.message(
        orjson.loads(row["headers"]),
        topic=row["topic"],
        partition=row["partition"],
        offset=0,
        data=row["data"],
    )


UNPARK = """
DELETE FROM parked_event WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = $4
"""


async def unpark(connection: Connection, consumer: str, *, read: Read) -> None:
    """Take an event out of the parked ones, in the transaction of its effects."""
    message = read.message
    await connection.execute(UNPARK, consumer, message.topic, message.partition, read.sequence)


FAILED_AGAIN = """
UPDATE parked_event
SET waiting = $5, reason = $6, clause = $7, attempts = attempts + 1, tried_at = now()
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = $4
"""


async def failed_again(
    connection: Connection, consumer: str, *, read: Read, error: Exception
) -> None:
    """Say why a parked event failed this time."""
    await connection.execute(
        FAILED_AGAIN,
        consumer,
        read.message.topic,
        read.message.partition,
        read.sequence,
        isinstance(error, NotYetSeen),
        reason_of(error),
        clause_of(error),
    )


LIST_STREAMS = """
SELECT first.*, (
    SELECT count(*) - 1 FROM parked_event AS each
    WHERE each.consumer = first.consumer AND each.topic = first.topic
        AND each.stream_id = first.stream_id
) AS behind
FROM (
    SELECT DISTINCT ON (consumer, topic, stream_id)
        consumer, topic, partition, sequence, stream_id, event_id, waiting, reason, attempts,
        parked_at, clause, tried_at
    FROM parked_event
    WHERE ($1::text IS NULL OR (consumer, topic, stream_id) > ($1, $2::text, $3::uuid))
        AND ($5::text IS NULL OR consumer = $5)
        AND ($6::uuid IS NULL OR stream_id = $6)
    ORDER BY consumer, topic, stream_id, sequence
    LIMIT $4
) AS first
ORDER BY consumer, topic, stream_id
"""


async def list_streams(
    pool: Pool,
    *,
    after: ParkedStream | None = None,
    limit: int,
    consumer: str | None = None,
    stream_id: UUID | None = None,
) -> list[StreamParked]:
    """Parked streams by reader, topic and stream, from the one after `after`."""
    place = (None, None, None) if after is None else (after.consumer, after.topic, after.stream_id)
    rows = await pool.fetch(LIST_STREAMS, *place, limit, consumer, stream_id)
    return [
        StreamParked(first=Parked.model_validate(dict(row)), behind=row["behind"]) for row in rows
    ]


ASK = """
UPDATE parked_event SET waiting = true
WHERE consumer = $1 AND topic = $2 AND stream_id = $3 AND sequence = (
    SELECT min(sequence) FROM parked_event WHERE consumer = $1 AND topic = $2 AND stream_id = $3
)
RETURNING sequence
"""


async def ask_retry(connection: Connection | Pool, stream: ParkedStream) -> None:
    """Have the reader's worker try a parked stream again soon; raises `NotFound`."""
    asked = await connection.fetchval(ASK, stream.consumer, stream.topic, stream.stream_id)
    if asked is None:
        raise NotFound(f"stream {stream.stream_id} of {stream.topic} is not parked")


FIRST = """
SELECT event_id FROM parked_event WHERE consumer = $1 AND topic = $2 AND stream_id = $3
ORDER BY sequence LIMIT 1 FOR UPDATE
"""

SKIP = """
WITH first AS (
    DELETE FROM parked_event
    WHERE consumer = $1 AND topic = $2 AND stream_id = $3 AND sequence = (
        SELECT min(sequence) FROM parked_event
        WHERE consumer = $1 AND topic = $2 AND stream_id = $3
    ) AND event_id = $6
    RETURNING *
)
INSERT INTO skipped_event (consumer, topic, partition, sequence, stream_id, event_id,
                           parked_because, skipped_because, skipped_by)
SELECT consumer, topic, partition, sequence, stream_id, event_id, reason, $4, $5 FROM first
RETURNING event_id
"""


async def skip(
    connection: Connection,
    stream: ParkedStream,
    *,
    because: str,
    by: str,
    event_id: UUID | None = None,
) -> UUID:
    """Give up the first parked event of a stream, for ever, in a transaction; the event's id.

    The reason and who gave it up are kept. The rest of the stream is tried next. Raises
    `NotFound` when nothing of the stream is parked, and `NotFirst` when `event_id` is given and
    another event stands first: what nobody looked at is not given up.
    """
    name = (stream.consumer, stream.topic, stream.stream_id)
    first: UUID | None = await connection.fetchval(FIRST, *name)
    if first is None:
        raise NotFound(f"stream {stream.stream_id} of {stream.topic} is not parked")
    if event_id not in {None, first}:
        raise NotFirst(f"event {first} stands first")
    await connection.execute(SKIP, *name, because, by, first)
    await connection.execute(ASK, *name)
    return first


COUNTS = """
SELECT consumer, count(*) FILTER (WHERE waiting OR attempts = 0) AS waiting,
       count(*) FILTER (WHERE NOT waiting AND attempts > 0) AS parked
FROM (
    SELECT DISTINCT ON (consumer, topic, stream_id) consumer, waiting, attempts FROM parked_event
    ORDER BY consumer, topic, stream_id, sequence
) AS first
GROUP BY consumer
"""


async def counts(connection: Connection | Pool) -> Mapping[str, tuple[int, int]]:
    """Per reader how many of its streams wait, and how many are parked for another reason."""
    rows = await connection.fetch(COUNTS)
    return {row["consumer"]: (row["waiting"], row["parked"]) for row in rows}
