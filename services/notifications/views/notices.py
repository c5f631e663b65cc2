"""The notices, for lists and for the sender; follows this context's own log."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.notifications import (
    NoticeFailed,
    NoticeQueued,
    NoticeRequeued,
    NoticeSent,
)

NAME = "notices"


class NoticeRow(BaseModel):
    """A notice as a list shows it; its text and address stand in the log alone."""

    model_config = ConfigDict(frozen=True)

    notice_id: UUID
    position: int
    rule: str
    service: str | None
    channel: str
    customer_id: UUID
    contract_ids: list[UUID]
    because_of: UUID
    not_before_on: date
    subject_line: str
    state: str
    settled_at: datetime | None
    answer: str | None


async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
    """Keep the notices as their events tell."""
    for each in recorded:
        match each.event:
            case NoticeQueued() as queued:
                await _insert(connection, queued, position=each.envelope.position)
            case NoticeSent() as sent:
                await _settle(connection, sent.notice_id, "sent", sent.sent_at, sent.answer)
            case NoticeFailed() as failed:
                await _settle(
                    connection, failed.notice_id, "failed", failed.failed_at, failed.answer
                )
            case NoticeRequeued() as requeued:
                await _settle(connection, requeued.notice_id, "queued", None, None)
            case _:
                pass


INSERT = """
INSERT INTO notice (notice_id, position, rule, service, channel, customer_id, contract_ids,
                    because_of, not_before_on, subject_line, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued')
"""


async def _insert(connection: Connection, event: NoticeQueued, *, position: int) -> None:
    await connection.execute(
        INSERT,
        event.notice_id,
        position,
        event.rule,
        event.service,
        event.channel,
        event.customer_id,
        event.contract_ids,
        event.because_of,
        event.not_before_on,
        event.subject_line,
    )


SETTLE = "UPDATE notice SET state = $2, settled_at = $3, answer = $4 WHERE notice_id = $1"


async def _settle(connection: Connection, notice_id: UUID, *values: Any) -> None:
    await connection.execute(SETTLE, notice_id, *values)


LIST = """
SELECT notice_id, position, rule, service, channel, customer_id, contract_ids, because_of,
       not_before_on, subject_line, state, settled_at, answer
FROM notice
WHERE position > $1
  AND ($2::uuid IS NULL OR customer_id = $2)
  AND ($3::uuid IS NULL OR contract_ids @> ARRAY[$3])
ORDER BY position LIMIT $4
"""


async def list_notices(
    pool: Pool,
    *,
    after: int,
    customer_id: UUID | None,
    contract_id: UUID | None,
    limit: int,
) -> list[NoticeRow]:
    """Notices in the order in which they were queued, from the one after position `after`."""
    rows = await pool.fetch(LIST, after, customer_id, contract_id, limit)
    return [NoticeRow(**row) for row in rows]


UNSENT = """
SELECT notice_id FROM notice WHERE state = 'queued' AND ($1::date IS NULL OR not_before_on <= $1)
ORDER BY position LIMIT $2
"""


async def unsent(pool: Pool, *, on: date | None, limit: int) -> list[UUID]:
    """Notices to be sent on a day or before (None: whenever), first queued first."""
    return [row["notice_id"] for row in await pool.fetch(UNSENT, on, limit)]


COUNT_UNSENT = "SELECT count(*) FROM notice WHERE state = 'queued'"


async def count_unsent(pool: Pool) -> int:
    """How many notices wait to be sent."""
    count: int = await pool.fetchval(COUNT_UNSENT)
    return count
