"""Readers that decide, going on from where a restored log parted from the one before.

A reader that decides keeps its own log: up to the fork both logs are the same and have been decided
on, so it goes on from there. What it decided on events that came after the fork stands in its log
and can't be unmade; `resting_on_nothing` finds it. What a reader keeps as rows is built anew beside
them: `shadow_reader`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.events.database import Pool, Row, transaction

# Whoever would begin a cursor meanwhile waits, and then finds none to move.
HOLD_CURSORS = "LOCK TABLE consumer_cursor IN SHARE ROW EXCLUSIVE MODE"
# Whoever waits for all of a day must wait again for what is taken again.
FORGET_COMPLETE = """
DELETE FROM source_complete WHERE consumer = $1 AND topic = $2
"""


FIND_CURSORS = """
SELECT topic, partition, sequence, log_epoch FROM consumer_cursor WHERE consumer = $1
ORDER BY topic, partition
"""


async def cursors_of(pool: Pool, reader: str) -> Sequence[Row]:
    """Topic, partition, sequence and log of each of a reader's cursors."""
    return await pool.fetch(FIND_CURSORS, reader)


GO_BACK = """
UPDATE consumer_cursor
SET log_epoch = $4, sequence = least(consumer_cursor.sequence, common.sequence), kafka_offset = NULL
FROM unnest($5::bigint[]) WITH ORDINALITY AS common (sequence, number)
WHERE consumer = $1 AND topic = $2 AND log_epoch = $3 AND partition = common.number - 1
"""
FORGET_PARKED_BEYOND = """
DELETE FROM parked_event
USING unnest($3::bigint[]) WITH ORDINALITY AS common (sequence, number)
WHERE consumer = $1 AND topic = $2 AND partition = common.number - 1
    AND parked_event.sequence > common.sequence
"""


async def go_back(
    pool: Pool, reader: str, *, topic: str, known: UUID, present: UUID, common: Sequence[int]
) -> None:
    """Have a reader go on with the log `present` where it parted from `known`.

    `common` are the last sequences, by partition, that both have. Events of `known` beyond are
    parked no more.
    """
    async with transaction(pool) as connection:
        await connection.execute(HOLD_CURSORS)
        await connection.execute(GO_BACK, reader, topic, known, present, common)
        await connection.execute(FORGET_PARKED_BEYOND, reader, topic, common)
        await connection.execute(FORGET_COMPLETE, reader, topic)


RESTING_ON = """
SELECT position, stream_id, event_id, type, causation_id FROM event
WHERE causation_id IS NOT NULL AND recorded_at >= $1
    AND NOT EXISTS (SELECT FROM event AS own WHERE own.event_id = event.causation_id)
ORDER BY position
"""
KNOWN = "SELECT event_id FROM event WHERE event_id = ANY($1)"


async def resting_on_nothing(pool: Pool, *, sources: Sequence[Pool], since: datetime) -> list[Row]:
    """Own events recorded since then because of an event that no log of `sources` holds."""
    rows = await pool.fetch(RESTING_ON, since)
    causes = list({row["causation_id"] for row in rows})
    known: set[UUID] = set()
    for source in sources:
        known.update(row["event_id"] for row in await source.fetch(KNOWN, causes))
    return [row for row in rows if row["causation_id"] not in known]
