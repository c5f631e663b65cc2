"""The mails of a rehearsal."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.events.database import Pool


class CapturedMail(BaseModel):
    """A mail that would have been sent; address and body are None once forgotten."""

    model_config = ConfigDict(frozen=True)

    notice_id: UUID
    captured_at: datetime
    customer_id: UUID
    contract_ids: list[UUID]
    address: str | None
    subject_line: str
    body: str | None


LIST = """
SELECT notice_id, captured_at, customer_id, contract_ids, address, subject_line, body
FROM captured_mail
WHERE ($1::uuid IS NULL OR contract_ids @> ARRAY[$1])
  AND ($2::timestamptz IS NULL OR (captured_at, notice_id) > ($2, $3))
ORDER BY captured_at, notice_id LIMIT $4
"""


async def list_captured(
    pool: Pool,
    *,
    contract_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[CapturedMail]:
    """Captured mails by time, of one contract or of all."""
    at, notice_id = after or (None, None)
    rows = await pool.fetch(LIST, contract_id, at, notice_id, limit)
    return [CapturedMail(**row) for row in rows]
