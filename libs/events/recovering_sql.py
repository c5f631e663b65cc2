"""What recovering a restored log asks of its database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from libs.events.database import Connection
from libs.events.log_sql import HOLD_LOG
from libs.events.resending_sql import send_from_zero

_EVENT_COLUMNS = (
    "position",
    "stream_id",
    "version",
    "partition",
    "sequence",
    "event_id",
    "type",
    "recorded_at",
    "correlation_id",
    "causation_id",
    "actor",
    "traceparent",
    "data",
)


async def hold_log(connection: Connection) -> None:
    """Let nothing be appended until the transaction ends."""
    await connection.execute(HOLD_LOG)


HEAD = "SELECT position FROM log_head"


async def head(connection: Connection) -> int:
    """The position of the last event."""
    return int(await connection.fetchval(HEAD))


PARTITIONS = "SELECT partition, sequence FROM partition_head ORDER BY partition"


async def partition_heads(connection: Connection) -> dict[int, int]:
    """The last sequence of each partition."""
    return {row["partition"]: row["sequence"] for row in await connection.fetch(PARTITIONS)}


async def copy_events(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write events by COPY; columns in the order of the event table."""
    await connection.copy_records_to_table("event", records=rows, columns=_EVENT_COLUMNS)


MOVE_HEAD = """
UPDATE log_head SET position = last.position, recorded_at = greatest(log_head.recorded_at, last.at)
FROM (SELECT max(position) AS position, max(recorded_at) AS at FROM event WHERE position > $1)
    AS last
WHERE last.position IS NOT NULL
"""
MOVE_PARTITIONS = """
UPDATE partition_head SET sequence = ends.sequence
FROM unnest($1::smallint[], $2::bigint[]) AS ends (partition, sequence)
WHERE partition_head.partition = ends.partition AND partition_head.sequence < ends.sequence
"""


async def move_heads(connection: Connection, *, after: int, ends: Mapping[int, int]) -> None:
    """Set the heads to the events that were written after a position."""
    await connection.execute(MOVE_HEAD, after)
    await connection.execute(MOVE_PARTITIONS, list(ends), list(ends.values()))


NOTE_HOLES = """
INSERT INTO known_hole (first, last)
SELECT before + 1, position - 1
FROM (
    SELECT position, lag(position, 1, $1::bigint) OVER (ORDER BY position) AS before
    FROM event WHERE position > $1
) AS steps
WHERE position > before + 1
RETURNING first, last
"""


async def note_holes(connection: Connection, *, after: int) -> list[tuple[int, int]]:
    """Keep which positions after `after` no event has: first and last of each run, in order."""
    noted = await connection.fetch(NOTE_HOLES, after)
    return sorted((row["first"], row["last"]) for row in noted)


EVENT_AT = "SELECT event_id FROM event WHERE partition = $1 AND sequence = $2"


async def event_at(connection: Connection, partition: int, *, sequence: int) -> UUID | None:
    """The id of an event by its place; None where there is none."""
    found: UUID | None = await connection.fetchval(EVENT_AT, partition, sequence)
    return found


NOTE_FORK = """
INSERT INTO log_fork (log_epoch, previous_epoch, position, sequences)
SELECT $1, log_identity.log_epoch, log_head.position,
    (SELECT array_agg(sequence ORDER BY partition) FROM partition_head)
FROM log_identity, log_head
"""
NEW_IDENTITY = "UPDATE log_identity SET log_epoch = $1"


async def begin_epoch(connection: Connection, log_epoch: UUID) -> None:
    """Give the log another identity, remember where it parted, and have all of it be sent."""
    await connection.execute(NOTE_FORK, log_epoch)
    await connection.execute(NEW_IDENTITY, log_epoch)
    await send_from_zero(connection)


FORKS = "SELECT log_epoch, previous_epoch, sequences FROM log_fork"
EPOCH = "SELECT log_epoch FROM log_identity"


async def find_forks(connection: Connection) -> tuple[UUID, dict[UUID, tuple[UUID, list[int]]]]:
    """The log's identity, and for each it ever got: the one before, and the common sequences."""
    rows = await connection.fetch(FORKS)
    forks = {row["log_epoch"]: (row["previous_epoch"], row["sequences"]) for row in rows}
    return await connection.fetchval(EPOCH), forks
