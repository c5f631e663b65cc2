"""Rows made by hand for COPY are the rows that the driver writes."""

from datetime import date
from uuid import UUID

from libs.events.envelope import Cause
from libs.events.log import StreamAppend
from libs.events.vocabulary.contracts import ServiceStarted
from tests.support.way import Place

BARE = Cause(correlation_id=UUID(int=100), actor="operator-1")
FULL = Cause(
    correlation_id=UUID(int=101),
    causation_id=UUID(int=7),
    actor="担当者-2",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
ROWS = """
SELECT position, stream_id, version, partition, sequence, type, correlation_id, causation_id, actor, traceparent, data
FROM event ORDER BY position
"""
EMPTY = """
WITH log AS (UPDATE log_head SET position = 0),
    partitions AS (UPDATE partition_head SET sequence = 0)
DELETE FROM event
"""
MANY, FEW = 70, 7


def starts(number: int, *, versions: int, after: int) -> StreamAppend:
    stream_id = UUID(int=number)
    return StreamAppend(
        stream_id=stream_id,
        events=[
            ServiceStarted(contract_id=stream_id, started_on=date(2026, 4, 1 + (after + n) % 28))
            for n in range(versions)
        ],
        expected=after,
        cause=FULL if number == 2 else None,
    )


async def test_many_events_are_stored_as_few_are(source: Place) -> None:
    """Two streams of 70 events by COPY, and again by seven at a time without: the same rows."""
    appended = await source.log.append(
        *(starts(number, versions=MANY, after=0) for number in (1, 2)), cause=BARE
    )
    copied = await source.pool.fetch(ROWS)
    places = await source.pool.fetch("SELECT position, recorded_at FROM event ORDER BY position")
    assert [(row["position"], row["recorded_at"]) for row in places] == [
        (one.envelope.position, one.envelope.recorded_at) for one in appended.events
    ]
    assert appended.events == await source.log.read(0, limit=2 * MANY)
    await source.pool.execute(EMPTY)
    for number in (1, 2):
        for after in range(0, MANY, FEW):
            await source.log.append(starts(number, versions=FEW, after=after), cause=BARE)
    inserted = await source.pool.fetch(ROWS)
    assert [tuple(row) for row in copied] == [tuple(row) for row in inserted]
