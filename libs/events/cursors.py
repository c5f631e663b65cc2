"""How far each reader of a topic has come; moved only in the transaction of its effects."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from libs.events.database import Connection
from libs.events.log import CursorTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Everything up to `sequence` of the log `log_epoch` has been taken.

    `kafka_offset` is where reading may go on, at or before the next event; None where not known.
    """

    sequence: int = 0
    log_epoch: UUID | None = None
    kafka_offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One reader's partition of a topic."""

    consumer: str
    topic: str
    partition: int


LOAD = """
SELECT topic, partition, sequence, log_epoch, kafka_offset
FROM consumer_cursor WHERE consumer = $1
"""


async def load_cursors(connection: Connection, consumer: str) -> Mapping[Place, Cursor]:
    """All cursors of a reader; a partition from which it took nothing yet has none."""
    return {
        Place(consumer=consumer, topic=row["topic"], partition=row["partition"]): Cursor(
            sequence=row["sequence"],
            log_epoch=row["log_epoch"],
            kafka_offset=row["kafka_offset"],
        )
        for row in await connection.fetch(LOAD, consumer)
    }


BEGIN = """
INSERT INTO consumer_cursor (consumer, topic, partition, sequence, log_epoch, kafka_offset)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT consumer_cursor_once DO NOTHING
RETURNING sequence
"""

MOVE = """
UPDATE consumer_cursor SET sequence = $4, kafka_offset = $6
WHERE consumer = $1 AND topic = $2 AND partition = $3
  AND sequence = $7 AND log_epoch = $5 AND sequence < $4
RETURNING sequence
"""


async def move_cursor(
    connection: Connection, place: Place, *, after: int, sequence: int, log_epoch: UUID, offset: int
) -> None:
    """Move from where the cursor was found (0: there was none) to `sequence`.

    Holds the cursor's row until the transaction ends, so that of two that take the same events
    only one can commit. Raises `CursorTaken` when the cursor stands elsewhere.
    """
    arguments = (place.consumer, place.topic, place.partition, sequence, log_epoch, offset)
    moved = None
    if after == 0:
        moved = await connection.fetchval(BEGIN, *arguments)
    if moved is None:
        moved = await connection.fetchval(MOVE, *arguments, after)
    if moved is None:
        raise CursorTaken(f"{place} does not stand at {after}")


NOTE_OFFSET = """
UPDATE consumer_cursor SET kafka_offset = $5
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = $4
"""


async def note_offset(connection: Connection, place: Place, *, sequence: int, offset: int) -> None:
    """Say where in Kafka to go on after `sequence`; changes nothing if the cursor has moved."""
    await connection.execute(
        NOTE_OFFSET, place.consumer, place.topic, place.partition, sequence, offset
    )
