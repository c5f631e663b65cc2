"""Logs with many events in them, written by the server itself from numbers."""

from libs.events.database import Pool

# Partitions take turns, stream by stream, whatever the stream's key: readers of the topic go by the
# record's partition, and so does everything measured here.
_FILL = """
INSERT INTO event (
    position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, actor, data
)
SELECT
    n,
    stream_id,
    (n - 1) % 5 + 1,
    stream % 12,
    stream / 12 * 5 + (n - 1) % 5 + 1,
    lpad(to_hex(n), 32, '0')::uuid,
    'contracts.contract-approved.v1',
    timestamptz '2026-04-01 00:00:00+09' + n * interval '1 millisecond',
    stream_id,
    'bench',
    convert_to(
        format(
            '{"contract_id":"%1$s","customer_id":"%1$s","service":"MYSEC",'
            '"approved_on":"2026-04-01","document_number":"2026-%2$s"}',
            stream_id,
            n
        ),
        'UTF8'
    )
FROM (
    SELECT n, (n - 1) / 5 AS stream, lpad(to_hex((n - 1) / 5 + 1), 32, '0')::uuid AS stream_id
    FROM generate_series($1::bigint + 1, $2::bigint) AS n
) AS numbered
"""
_MOVE_HEAD = """
UPDATE log_head SET (position, recorded_at) = (
    SELECT position, recorded_at FROM event ORDER BY position DESC LIMIT 1
)
"""
_MOVE_PARTITIONS = """
UPDATE partition_head p SET sequence = coalesce((
    SELECT max(e.sequence) FROM event e WHERE e.partition = p.partition
), 0)
"""
_DONE = "VACUUM ANALYZE event"


async def fill(pool: Pool, *, after: int, until: int) -> None:
    """Bring a log from so many events to so many, five a stream; both are multiples of sixty."""
    await pool.execute(_FILL, after, until, timeout=600)
    await pool.execute(_MOVE_HEAD)
    await pool.execute(_MOVE_PARTITIONS)
    await pool.execute(_DONE, timeout=600)
