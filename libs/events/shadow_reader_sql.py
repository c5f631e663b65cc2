"""What is asked of the database to have a reader of topics twice.

Asked on a connection that looks into the schema beside first: a table without a schema is the one
beside, and a live one is always named with its own.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from libs.events.database import Connection, Pool, Row
from libs.events.shadow_marks import Marks
from libs.events.shadow_tables import NothingBeside

LIVE_CURSORS = """
SELECT topic, partition, sequence, log_epoch FROM public.consumer_cursor WHERE consumer = $1
ORDER BY topic, partition
"""
HOLD_CURSORS = """
SELECT topic, partition, sequence, log_epoch FROM public.consumer_cursor WHERE consumer = $1
ORDER BY topic, partition FOR UPDATE
"""
# Who tries a parked stream again moves no cursor, and holds its events.
HOLD_PARKED = """
SELECT event_id FROM public.parked_event WHERE consumer = $1
ORDER BY topic, stream_id, sequence FOR UPDATE
"""


async def live_cursors(connection: Connection | Pool, reader: str) -> Sequence[Row]:
    """Where the live reader stands: topic, partition, sequence, log."""
    return await connection.fetch(LIVE_CURSORS, reader)


async def hold_reader(connection: Connection, reader: str) -> Sequence[Row]:
    """Where the live reader stands, taking and trying again nothing until the transaction ends."""
    cursors = await connection.fetch(HOLD_CURSORS, reader)
    await connection.fetch(HOLD_PARKED, reader)
    return cursors


SEE = "SELECT pg_current_snapshot()"


async def begin_to_see(connection: Connection) -> None:
    """What a repeatable-read transaction sees is from now on what stands now."""
    await connection.execute(SEE)


LIVE_POSITION = "SELECT position FROM public.view_cursor WHERE view = $1"


async def live_position(connection: Pool, view: str) -> int:
    """Where a live view stands."""
    return int(await connection.fetchval(LIVE_POSITION, view) or 0)


HEED_SKIPPED = """
INSERT INTO skipped_event (consumer, topic, partition, sequence, stream_id, event_id,
    parked_because, skipped_because, skipped_by, skipped_at)
SELECT consumer, topic, partition, sequence, stream_id, event_id,
    parked_because, skipped_because, skipped_by, skipped_at
FROM public.skipped_event WHERE consumer = $1
ON CONFLICT ON CONSTRAINT skipped_event_once DO NOTHING
RETURNING event_id
"""
# What is parked beside had no effect there.
HAD_EFFECT = """
SELECT event_id FROM skipped_event AS given_up JOIN consumer_cursor AS cursor
    USING (consumer, topic, partition)
WHERE consumer = $1 AND event_id = ANY($2::uuid[]) AND given_up.sequence <= cursor.sequence
    AND NOT EXISTS (
        SELECT FROM parked_event AS parked
        WHERE parked.consumer = given_up.consumer AND parked.topic = given_up.topic
            AND parked.event_id = given_up.event_id
    )
ORDER BY topic, partition, given_up.sequence
LIMIT 1
"""
FIND_SKIPPED = "SELECT event_id FROM skipped_event WHERE consumer = $1"


async def heed_skipped(connection: Connection, reader: str) -> frozenset[UUID]:
    """Note beside which events operators gave up for a reader, in a transaction; all of them.

    Raises `NothingBeside` when one was given up after it had its effect beside.
    """
    new = [row["event_id"] for row in await connection.fetch(HEED_SKIPPED, reader)]
    had_effect = await connection.fetchval(HAD_EFFECT, reader, new)
    if had_effect is not None:
        raise NothingBeside(
            f"{had_effect} was given up since it was taken beside: drop it and begin again"
        )
    return frozenset(row["event_id"] for row in await connection.fetch(FIND_SKIPPED, reader))


UNPARK_SKIPPED = "DELETE FROM parked_event WHERE consumer = $1 AND event_id = ANY($2::uuid[])"


async def unpark_skipped(connection: Pool, reader: str, *, given_up: Collection[UUID]) -> None:
    """Let go of what operators gave up since it was parked beside."""
    await connection.execute(UNPARK_SKIPPED, reader, list(given_up))


COUNT_PARKED = "SELECT count(*) FROM parked_event WHERE consumer = $1"


async def count_parked(connection: Pool, reader: str) -> int:
    """How many events are parked beside."""
    return int(await connection.fetchval(COUNT_PARKED, reader))


PARKED_UNLIKE = """
SELECT coalesce(live.topic, rebuilt.topic) AS topic,
    coalesce(live.event_id, rebuilt.event_id) AS event_id, live.event_id IS NULL AS is_rebuilt
FROM (SELECT topic, event_id FROM public.parked_event WHERE consumer = $1) AS live
FULL JOIN (SELECT topic, event_id FROM parked_event WHERE consumer = $1) AS rebuilt
    ON live.topic = rebuilt.topic AND live.event_id = rebuilt.event_id
WHERE live.event_id IS NULL OR rebuilt.event_id IS NULL
ORDER BY 1, 2
"""


async def parked_unlike(connection: Connection, reader: str) -> Sequence[Row]:
    """The events that are parked in one of both only: topic, id, and whether in the rebuilt one."""
    return await connection.fetch(PARKED_UNLIKE, reader)


FORGET_CURSORS = """
DELETE FROM public.consumer_cursor WHERE consumer = $1
    AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
"""
TAKE_CURSORS = """
INSERT INTO public.consumer_cursor (consumer, topic, partition, sequence, log_epoch, kafka_offset)
SELECT consumer, topic, partition, sequence, log_epoch, kafka_offset
FROM consumer_cursor WHERE consumer = $1
"""
# What both have parked stays as it is told: since when, and how often it was tried.
FORGET_PARKED = """
DELETE FROM public.parked_event AS live WHERE consumer = $1
    AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[])) AND NOT EXISTS (
    SELECT FROM parked_event AS rebuilt
    WHERE rebuilt.consumer = $1 AND rebuilt.topic = live.topic
        AND rebuilt.event_id = live.event_id AND rebuilt.sequence = live.sequence
)
"""
TAKE_PARKED = """
INSERT INTO public.parked_event (consumer, topic, partition, sequence, stream_id, event_id, waiting,
    reason, attempts, parked_at, headers, data, clause, tried_at)
SELECT consumer, topic, partition, sequence, stream_id, event_id, waiting,
    reason, attempts, parked_at, headers, data, clause, tried_at
FROM parked_event WHERE consumer = $1
ON CONFLICT ON CONSTRAINT parked_event_once DO NOTHING
"""
# Whoever waits for all of a day waits again where another log is told of from now on.
FORGET_COMPLETE = """
DELETE FROM public.source_complete AS said
USING unnest($2::text[], $3::uuid[]) AS present (topic, log_epoch)
WHERE consumer = $1 AND said.topic = present.topic AND said.log_epoch <> present.log_epoch
"""


async def take_over(connection: Connection, reader: str, *, marks: Marks) -> None:
    """Have the live reader stand where the one beside does, in the partitions that have marks.

    Of others it may take events that write no row even while nobody can write: it keeps where it
    stands there, and what it parked.
    """
    at = [(topic, number) for topic, each in marks.sequences.items() for number in each]
    topics, partitions = [topic for topic, _ in at], [number for _, number in at]
    await connection.execute(FORGET_CURSORS, reader, topics, partitions)
    await connection.execute(TAKE_CURSORS, reader)
    await connection.execute(FORGET_PARKED, reader, topics, partitions)
    await connection.execute(TAKE_PARKED, reader)
    await connection.execute(FORGET_COMPLETE, reader, list(marks.logs), list(marks.logs.values()))
