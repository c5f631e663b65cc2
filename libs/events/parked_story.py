"""A parked stream, told: what stands first, why, whose case it is, what stands behind it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from libs.events import kafka
from libs.events.database import Connection, Pool
from libs.events.kafka import Message
from libs.events.parking import Parked, ParkedStream
from libs.refusal.refusal import NotFound

_BEHIND_SHOWN = 20


class Standing(BaseModel):
    """An event that queues behind the first."""

    model_config = ConfigDict(frozen=True)

    event_id: UUID
    type: str
    sequence: int
    recorded_at: datetime


class Story(BaseModel):
    """All that is known of a parked stream.

    `data` is the event as stored: personal fields stay sealed. `queue` shows the first of those
    that stand behind, `behind` counts all. `advice` says what may be done.
    """

    model_config = ConfigDict(frozen=True)

    first: Parked
    type: str
    version: int
    position: int
    recorded_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    actor: str
    trace_id: str | None
    data: dict[str, Any]
    behind: int
    queue: tuple[Standing, ...]
    advice: str


class Skipped(BaseModel):
    """An event that was given up for a reader, by whom and why."""

    model_config = ConfigDict(frozen=True)

    consumer: str
    topic: str
    partition: int
    sequence: int
    stream_id: UUID
    event_id: UUID
    parked_because: str
    skipped_because: str
    skipped_by: str
    skipped_at: datetime


TELL = """
SELECT consumer, topic, partition, sequence, stream_id, event_id, waiting, reason, attempts,
       parked_at, clause, tried_at, headers, data
FROM parked_event WHERE consumer = $1 AND topic = $2 AND stream_id = $3
ORDER BY sequence LIMIT 1
"""
COUNT_BEHIND = """
SELECT count(*) - 1 FROM parked_event WHERE consumer = $1 AND topic = $2 AND stream_id = $3
"""
BEHIND = """
SELECT event_id, sequence, headers->>'ce_type' AS type, headers->>'ce_time' AS recorded_at
FROM parked_event WHERE consumer = $1 AND topic = $2 AND stream_id = $3
ORDER BY sequence OFFSET 1 LIMIT $4
"""


async def tell(connection: Connection | Pool, stream: ParkedStream) -> Story:
    """The story of a parked stream; raises `NotFound` when it is parked no more."""
    name = (stream.consumer, stream.topic, stream.stream_id)
    row = await connection.fetchrow(TELL, *name)
    if row is None:
        raise NotFound(f"stream {stream.stream_id} of {stream.topic} is not parked")
    first = Parked.model_validate(dict(row))
    message = kafka.message(
        orjson.loads(row["headers"]),
        topic=first.topic,
        partition=first.partition,
        offset=0,
        data=row["data"],
    )
    at = message.envelope
    return Story(
        first=first,
        type=message.type,
        version=at.version,
        position=at.position,
        recorded_at=at.recorded_at,
        correlation_id=at.correlation_id,
        causation_id=at.causation_id,
        actor=at.actor,
        trace_id=_trace_of(at.traceparent),
        data=_data(message),
        behind=await connection.fetchval(COUNT_BEHIND, *name),
        queue=tuple(
            Standing.model_validate(dict(each))
            for each in await connection.fetch(BEHIND, *name, _BEHIND_SHOWN)
        ),
        advice=advice(first),
    )


def advice(first: Parked) -> str:
    """What may be done about a parked stream, in a sentence."""
    if first.attempts == 0:
        return "It is tried next: what stood before it was taken or given up."
    if first.waiting:
        return (
            "It waits for something not yet seen and is tried again by itself."
            " If it waits for long, look for what it names: is the other context's stream parked?"
        )
    if first.clause is not None:
        return (
            f"A rule said no (clause {first.clause}). Put the facts right, then retry;"
            " skip only what must never have its effect here."
        )
    return (
        "The code failed on it; the reason names the place. Mend that, then retry;"
        " skip only what must never have its effect here."
    )


def _data(message: Message) -> dict[str, Any]:
    try:
        found = orjson.loads(message.data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _trace_of(traceparent: str | None) -> str | None:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 else None  # noqa: PLR2004 - version, trace, span, flags


LIST_SKIPPED = """
SELECT consumer, topic, partition, sequence, stream_id, event_id, parked_because, skipped_because,
       skipped_by, skipped_at
FROM skipped_event
WHERE $1::text IS NULL OR (consumer, topic, partition, sequence) > ($1, $2::text, $3, $4::bigint)
ORDER BY consumer, topic, partition, sequence LIMIT $5
"""


async def list_skipped(
    pool: Pool, *, after: tuple[str, str, int, int] | None, limit: int
) -> list[Skipped]:
    """What was given up, by reader, topic, partition and sequence, from the one after `after`."""
    place = after or (None, None, 0, 0)
    rows = await pool.fetch(LIST_SKIPPED, *place, limit)
    return [Skipped.model_validate(dict(row)) for row in rows]
