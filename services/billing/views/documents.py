"""Which documents were issued: by id, account, contract, customer and month."""

from collections.abc import Sequence
from uuid import UUID

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from libs.events.wire import as_told

Document = InvoiceIssued | CreditNoteIssued

INSERT_DOCUMENT = """
INSERT INTO document (document_id, number, credit_note, account_id, customer_id, contract_id,
    month, issued_on, document)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def follow_documents(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    """Add the documents among these events."""
    rows = [
        _row(recorded.event)
        for recorded in events
        if isinstance(recorded.event, InvoiceIssued | CreditNoteIssued)
    ]
    await connection.executemany(INSERT_DOCUMENT, rows)


def _row(event: Document) -> tuple[object, ...]:
    credit_note = isinstance(event, CreditNoteIssued)
    return (
        event.credit_note_id if isinstance(event, CreditNoteIssued) else event.invoice_id,
        event.number,
        credit_note,
        event.account_id,
        event.customer_id,
        event.contract_ids[0],
        event.month,
        event.issued_on,
        as_told(event),
    )


def _read(credit_note: object, document: bytes) -> Document:
    declared = CreditNoteIssued if credit_note else InvoiceIssued
    return declared.model_validate_json(document)


FIND_DOCUMENT = "SELECT credit_note, document FROM document WHERE document_id = $1"


async def find_document(pool: Pool, document_id: UUID) -> Document | None:
    """A document as issued; None for an unknown one."""
    row = await pool.fetchrow(FIND_DOCUMENT, document_id)
    return None if row is None else _read(row["credit_note"], row["document"])


LIST_DOCUMENTS = """
SELECT credit_note, document FROM document
WHERE number > $1
    AND ($2::uuid IS NULL OR account_id = $2)
    AND ($3::uuid IS NULL OR contract_id = $3)
    AND ($4::text IS NULL OR month = $4)
    AND ($5::uuid IS NULL OR customer_id = $5)
ORDER BY number LIMIT $6
"""


async def list_documents(
    pool: Pool,
    *,
    after: int,
    limit: int,
    account_id: UUID | None = None,
    contract_id: UUID | None = None,
    month: str | None = None,
    customer_id: UUID | None = None,
) -> list[Document]:
    """Documents by number, from the one after `after`."""
    rows = await pool.fetch(
        LIST_DOCUMENTS, after, account_id, contract_id, month, customer_id, limit
    )
    return [_read(row["credit_note"], row["document"]) for row in rows]
