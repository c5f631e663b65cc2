"""The occasions of which nothing is queued yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.events.database import Pool
from libs.events.envelope import Event
from libs.events.registry import EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOccasion:
    """An event that a customer is to be told of, with all that is known about it."""

    event_id: UUID
    event: Event
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    service: str
    invoice_number: int | None
    recorded_at: datetime
    correlation_id: UUID
    traceparent: str | None


OPEN = """
SELECT event_id, type, data, customer_id, contract_ids, service, invoice_number, recorded_at,
       correlation_id, traceparent
FROM occasion WHERE NOT queued AND trouble IS NULL ORDER BY recorded_at, event_id LIMIT $1
"""


async def open_occasions(pool: Pool, *, limit: int) -> list[OpenOccasion]:
    """The occasions of which nothing is queued, earliest first."""
    return [
        OpenOccasion(
            event_id=row["event_id"],
            event=EVENTS[row["type"]].model_validate_json(row["data"]),
            customer_id=row["customer_id"],
            contract_ids=tuple(row["contract_ids"]),
            service=row["service"],
            invoice_number=row["invoice_number"],
            recorded_at=row["recorded_at"],
            correlation_id=row["correlation_id"],
            traceparent=row["traceparent"],
        )
        for row in await pool.fetch(OPEN, limit)
    ]


COUNT = """
SELECT count(*) FILTER (WHERE trouble IS NULL) AS open,
       count(*) FILTER (WHERE trouble IS NOT NULL) AS aside
FROM occasion WHERE NOT queued
"""


async def count_open(pool: Pool) -> tuple[int, int]:
    """Of how many occasions nothing is queued yet, and how many are set aside."""
    row = await pool.fetchrow(COUNT)
    assert row is not None
    return row["open"], row["aside"]


SET_ASIDE = "UPDATE occasion SET trouble = $2 WHERE event_id = $1"


async def set_aside(pool: Pool, event_id: UUID, *, trouble: str) -> None:
    """Leave an occasion whose notice cannot be made, until somebody mended why."""
    await pool.execute(SET_ASIDE, event_id, trouble)


TAKE_UP = "UPDATE occasion SET trouble = NULL WHERE trouble IS NOT NULL"


async def take_up(pool: Pool) -> None:
    """Try what was set aside once more."""
    await pool.execute(TAKE_UP)


QUEUED = "UPDATE occasion SET queued = true WHERE event_id = $1"


async def mark_queued(pool: Pool, event_id: UUID) -> None:
    """Everything that this occasion leads to is in the log."""
    await pool.execute(QUEUED, event_id)
