"""The statements of the log on PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeAlias, cast
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto

from libs.events.copy_rows import COLUMNS
from libs.events.envelope import Cause, Envelope
from libs.events.log import CursorMove, Reservation, Unpark
from libs.events.settle import (
    Answer,
    Cursor,
    CursorName,
    Identity,
    KeyName,
    ReservedName,
    Run,
    Standing,
)
from libs.events.wire import Stored

Executor: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

FIND_IDENTITY = "SELECT context, log_epoch, rehearsal, partitions FROM log_identity"


async def find_identity(connection: Executor) -> Identity | None:
    """What log the database holds; None where none was initialised."""
    row = await connection.fetchrow(FIND_IDENTITY)
    return None if row is None else Identity(**row)


# The appender's look-ups are always by index, also while the planner still thinks a table is empty.
PREPARE_APPENDER = """
SET lock_timeout = '15s';
SET enable_seqscan = off;
SET enable_bitmapscan = off
"""


async def prepare_appender(connection: Executor) -> None:
    """Make a connection fit for appending; the pool's reset undoes it."""
    await connection.execute(PREPARE_APPENDER)


# The append lock: whoever holds it is the only one to append to this database, or to change its log.
HOLD_LOG = "SELECT pg_advisory_xact_lock(133477034353006)"

# Under READ COMMITTED the next statement sees all that earlier holders of the lock committed.
# A process that is paused with the lock in hand loses it before others give up waiting for it; that
# limit counts from when the lock was had, for which the one of the session must first be taken off.
BEGIN_LOCKED = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL transaction_timeout = 0;
{HOLD_LOG};
SET LOCAL transaction_timeout = '10s'
"""


async def begin_locked(connection: Executor) -> None:
    """Begin a transaction that holds the append lock to its end."""
    await connection.execute(BEGIN_LOCKED)


COMMIT = "COMMIT"


async def commit(connection: Executor) -> None:
    """Commit; with it the append lock is free."""
    await connection.execute(COMMIT)


ROLLBACK = "ROLLBACK"


async def rollback(connection: Executor) -> None:
    """Undo the transaction; with it the append lock is free."""
    await connection.execute(ROLLBACK)


FIND_STANDING = """
SELECT h.position, h.recorded_at, p.sequences, s.stream_ids, s.versions, s.recorded
FROM log_head h
CROSS JOIN (SELECT array_agg(sequence ORDER BY partition) AS sequences FROM partition_head) p
CROSS JOIN (
    SELECT
        array_agg(asked.stream_id) AS stream_ids,
        array_agg(last.version) AS versions,
        array_agg(last.recorded_at) AS recorded
    FROM unnest($1::uuid[]) AS asked (stream_id)
    CROSS JOIN LATERAL (
        SELECT version, recorded_at
        FROM event
        WHERE stream_id = asked.stream_id
        ORDER BY version DESC
        LIMIT 1
    ) last
) s
"""


async def find_standing(connection: Executor, *, stream_ids: Iterable[UUID]) -> Standing:
    """The head of the log and of these streams."""
    row = await connection.fetchrow(FIND_STANDING, list(stream_ids))
    assert row is not None
    known = row["stream_ids"] or ()
    return Standing(
        position=row["position"],
        recorded_at=row["recorded_at"],
        sequences=list(row["sequences"]),
        versions=dict(zip(known, row["versions"] or (), strict=True)),
        stream_recorded_at=dict(zip(known, row["recorded"] or (), strict=True)),
    )


FIND_ANSWERS = """
SELECT k.scope, k.key, k.fingerprint, k.answer
FROM idempotency_key k
JOIN unnest($1::text[], $2::text[]) AS asked (scope, key)
    ON k.scope = asked.scope AND k.key = asked.key
"""


async def find_answers(connection: Executor, *, names: Sequence[KeyName]) -> dict[KeyName, Answer]:
    """The answers kept under these keys."""
    rows = await connection.fetch(FIND_ANSWERS, *_columns(names, width=2))
    return {(row["scope"], row["key"]): Answer(row["fingerprint"], row["answer"]) for row in rows}


FIND_RESERVATIONS = """
SELECT r.kind, r.value, r.owner, r.from_on, r.until_on
FROM reservation r
JOIN unnest($1::text[], $2::text[]) AS asked (kind, value)
    ON r.kind = asked.kind AND r.value = asked.value
ORDER BY r.from_on
"""


async def find_reservations(
    connection: Executor, *, names: Sequence[ReservedName]
) -> dict[ReservedName, tuple[Reservation, ...]]:
    """Who holds these values, and when."""
    found: dict[ReservedName, tuple[Reservation, ...]] = {}
    for row in await connection.fetch(FIND_RESERVATIONS, *_columns(names, width=2)):
        held = Reservation(**row)
        name = (held.kind, held.value)
        found[name] = (*found.get(name, ()), held)
    return found


# A cursor that does not exist could not be locked, and two readers would both begin at 0.
BEGIN_CURSORS = """
INSERT INTO consumer_cursor (consumer, topic, partition, sequence, log_epoch)
SELECT consumer, topic, partition, 0, log_epoch
FROM unnest($1::text[], $2::text[], $3::smallint[], $4::uuid[])
    AS wished (consumer, topic, partition, log_epoch)
ON CONFLICT ON CONSTRAINT consumer_cursor_once DO NOTHING
"""


async def begin_cursors(connection: Executor, *, moves: Sequence[CursorMove]) -> None:
    """Have a cursor at 0 for every move whose cursor does not exist."""
    rows = [(move.consumer, move.topic, move.partition, move.log_epoch) for move in moves]
    await connection.execute(BEGIN_CURSORS, *_columns(rows, width=4))


FIND_CURSORS = """
SELECT c.consumer, c.topic, c.partition, c.sequence, c.log_epoch
FROM consumer_cursor c
JOIN unnest($1::text[], $2::text[], $3::smallint[]) AS asked (consumer, topic, partition)
    ON c.consumer = asked.consumer AND c.topic = asked.topic AND c.partition = asked.partition
FOR UPDATE OF c
"""


async def find_cursors(
    connection: Executor, *, names: Sequence[CursorName]
) -> dict[CursorName, Cursor]:
    """Where these cursors stand; locked, as what leads to no event moves them outside of here."""
    rows = await connection.fetch(FIND_CURSORS, *_columns(names, width=3))
    return {
        (row["consumer"], row["topic"], row["partition"]): Cursor(row["sequence"], row["log_epoch"])
        for row in rows
    }


FIND_PARKED = """
SELECT p.consumer, p.event_id
FROM parked_event p
JOIN unnest($1::text[], $2::uuid[]) AS asked (consumer, event_id)
    ON p.consumer = asked.consumer AND p.event_id = asked.event_id
FOR UPDATE OF p
"""


async def find_parked(connection: Executor, *, names: Sequence[Unpark]) -> set[Unpark]:
    """Which of these events are parked; locked."""
    rows = await connection.fetch(FIND_PARKED, *_columns(names, width=2))
    return {Unpark(row["consumer"], row["event_id"]) for row in rows}


async def copy_events(connection: Executor, *, rows: bytes) -> None:
    """Write events, as `copy_bytes` gives them, by COPY."""
    # The driver sends a buffer at once, takes bare bytes for a file's name, and declares neither.
    source = cast("BinaryIO", memoryview(rows))
    await connection.copy_to_table("event", source=source, columns=COLUMNS, format="binary")


INSERT_EVENTS = """
WITH head AS (
    UPDATE log_head SET position = $14, recorded_at = $15
), partitions AS (
    UPDATE partition_head p
    SET sequence = moved.sequence
    FROM unnest($16::smallint[], $17::bigint[]) AS moved (partition, sequence)
    WHERE p.partition = moved.partition AND p.sequence <> moved.sequence
)
INSERT INTO event (
    position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
)
SELECT *
FROM unnest(
    $1::bigint[], $2::uuid[], $3::integer[], $4::smallint[], $5::bigint[], $6::uuid[], $7::text[],
    $8::timestamptz[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::bytea[]
)
"""


async def insert_events(
    connection: Executor, *, rows: Sequence[tuple[Any, ...]], standing: Standing
) -> None:
    """Write a few events and the heads in one round trip, where COPY with the heads takes three."""
    columns = _columns(rows, width=len(COLUMNS))
    await connection.execute(INSERT_EVENTS, *columns, *_heads(standing))


def event_rows(runs: Sequence[Run]) -> list[tuple[Any, ...]]:
    """The rows of the events of one append."""
    return [
        (
            position + number,
            stream_id,
            version + number,
            partition,
            sequence + number,
            event_id,
            event.type,
            recorded_at,
            *of_cause,
            data,
        )
        for stream_id, version, position, partition, sequence, recorded_at, entries, cause in runs
        for of_cause in (_cause_columns(cause),)
        for number, (event_id, event, data) in enumerate(entries, start=1)
    ]


def _cause_columns(cause: Cause) -> tuple[UUID, UUID | None, str, str | None]:
    causation_id = None if cause.causation_id is None else driver_id(cause.causation_id)
    return driver_id(cause.correlation_id), causation_id, cause.actor, cause.traceparent


def driver_id(given: UUID) -> UUID:
    """An id in asyncpg's own class: equal to any other, but hashed and written much quicker."""
    return given if type(given) is pgproto.UUID else pgproto.UUID(given.bytes)


MOVE_HEADS = """
WITH head AS (
    UPDATE log_head SET position = $1, recorded_at = $2
)
UPDATE partition_head p
SET sequence = moved.sequence
FROM unnest($3::smallint[], $4::bigint[]) AS moved (partition, sequence)
WHERE p.partition = moved.partition AND p.sequence <> moved.sequence
"""


async def move_heads(connection: Executor, *, standing: Standing) -> None:
    """Store the head of the log and of its partitions."""
    await connection.execute(MOVE_HEADS, *_heads(standing))


def _heads(standing: Standing) -> tuple[Any, ...]:
    partitions = list(range(len(standing.sequences)))
    return standing.position, standing.recorded_at, partitions, standing.sequences


INSERT_ANSWERS = """
INSERT INTO idempotency_key (scope, key, fingerprint, answer)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""


async def insert_answers(connection: Executor, *, answers: dict[KeyName, Answer]) -> None:
    """Keep answers under their keys."""
    rows = [(*name, *answer) for name, answer in answers.items()]
    await connection.execute(INSERT_ANSWERS, *_columns(rows, width=4))


DELETE_RESERVATIONS = """
DELETE FROM reservation r
USING unnest($1::text[], $2::text[]) AS changed (kind, value)
WHERE r.kind = changed.kind AND r.value = changed.value
"""


async def delete_reservations(connection: Executor, *, names: Sequence[ReservedName]) -> None:
    """Forget who holds these values."""
    await connection.execute(DELETE_RESERVATIONS, *_columns(names, width=2))


INSERT_RESERVATIONS = """
INSERT INTO reservation (kind, value, owner, from_on, until_on)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::date[], $5::date[])
"""


async def insert_reservations(connection: Executor, *, reservations: Sequence[Reservation]) -> None:
    """Store who holds a value, and when."""
    rows = [(r.kind, r.value, r.owner, r.from_on, r.until_on) for r in reservations]
    await connection.execute(INSERT_RESERVATIONS, *_columns(rows, width=5))


STORE_CURSORS = """
UPDATE consumer_cursor c
SET sequence = moved.sequence
FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[])
    AS moved (consumer, topic, partition, sequence)
WHERE c.consumer = moved.consumer AND c.topic = moved.topic AND c.partition = moved.partition
"""


async def store_cursors(connection: Executor, *, cursors: dict[CursorName, Cursor]) -> None:
    """Store where cursors stand."""
    rows = [(*name, cursor.sequence) for name, cursor in cursors.items()]
    await connection.execute(STORE_CURSORS, *_columns(rows, width=4))


DELETE_PARKED = """
DELETE FROM parked_event p
USING unnest($1::text[], $2::uuid[]) AS taken (consumer, event_id)
WHERE p.consumer = taken.consumer AND p.event_id = taken.event_id
"""


async def delete_parked(connection: Executor, *, names: Sequence[Unpark]) -> None:
    """Unpark events."""
    await connection.execute(DELETE_PARKED, *_columns(names, width=2))


NOTIFY = "NOTIFY yakkan_relay"


async def notify(connection: Executor) -> None:
    """Say to whoever follows the log that there is something new."""
    await connection.execute(NOTIFY)


FIND_POSITION = "SELECT position FROM log_head"


async def find_position(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """The position of the last event; 0 for an empty log."""
    return int(await pool.fetchval(FIND_POSITION))


FIND_STREAM = """
SELECT
    position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event
WHERE stream_id = $1
ORDER BY version
"""


async def find_stream(connection: Executor, *, stream_id: UUID) -> list[asyncpg.Record]:
    """The rows of a stream, in order."""
    return await connection.fetch(FIND_STREAM, stream_id)


FIND_AFTER = """
SELECT
    position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event
WHERE position > $1
ORDER BY position
LIMIT $2
"""


async def find_after(connection: Executor, *, after: int, limit: int) -> list[asyncpg.Record]:
    """The rows after a position, in order."""
    return await connection.fetch(FIND_AFTER, after, limit)


FIND_AFTER_REHEARSED = """
SELECT
    position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event
WHERE position > $1 AND recorded_at < $3
ORDER BY position
LIMIT $2
"""


async def find_after_rehearsed(
    connection: Executor, *, after: int, limit: int, until: datetime
) -> list[asyncpg.Record]:
    """The rows after a position recorded before `until`, wherever in the log they stand."""
    return await connection.fetch(FIND_AFTER_REHEARSED, after, limit, until)


def stored_of(row: asyncpg.Record) -> Stored:
    """An event's row as it is decoded."""
    return Stored(row["type"], row["event_id"], row["data"])


def envelope_of(row: asyncpg.Record, *, identity: Identity) -> Envelope:
    """The envelope of an event's row."""
    return Envelope(
        event_id=row["event_id"],
        context=identity.context,
        log_epoch=identity.log_epoch,
        stream_id=row["stream_id"],
        version=row["version"],
        position=row["position"],
        partition=row["partition"],
        sequence=row["sequence"],
        recorded_at=row["recorded_at"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        actor=row["actor"],
        traceparent=row["traceparent"],
    )


def _columns(rows: Sequence[tuple[Any, ...]], *, width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width
