"""Invoices and credit notes over HTTP, and why their amounts are what they are."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from libs.events.refusals import NotComplete
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from libs.refusal.refusal import NotFound
from libs.web.auth import Principal
from libs.web.known import KnownOn
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from services.billing.api.parts import MONTH, Asker, Parts, Seen, Working
from services.billing.domain.explanation import Explanation, explain
from services.billing.drafting import end_of
from services.billing.runs import whole
from services.billing.views.documents import find_document, list_documents

router = APIRouter(prefix="/invoices", tags=["invoices"])

Document = Annotated[InvoiceIssued | CreditNoteIssued, Field(discriminator="type")]


class DocumentUnknown(NotFound):
    """No such document was issued."""

    code = "document-unknown"
    title = "There is no such invoice or credit note"


@router.get("")
async def documents(
    *,
    working: Working,
    asker: Asker,
    _seen: Seen,
    page: Annotated[Paging, Depends(paging)],
    request: Request,
    response: Response,
    account_id: Annotated[UUID | None, Query()] = None,
    contract_id: Annotated[UUID | None, Query()] = None,
    month: Annotated[str | None, Query(pattern=MONTH)] = None,
) -> Page[Document]:
    """Documents by number; a customer sees their own."""
    found = await list_documents(
        working.pool,
        after=_place(page.after),
        limit=page.limit + 1,
        account_id=account_id,
        contract_id=contract_id,
        month=month,
        customer_id=asker.customer_id,
    )
    return page_of(found, page, key=lambda one: [one.number], request=request, response=response)


def _place(after: list[object] | None) -> int:
    if after is None:
        return 0
    if len(after) != 1 or not isinstance(after[0], int):
        raise BadCursor
    return after[0]


@router.get("/{document_id}", responses=refusals(DocumentUnknown))
async def show_document(document_id: UUID, working: Working, asker: Asker, _seen: Seen) -> Document:
    """A document as issued."""
    return await _document(working, document_id, asker=asker)


@router.get("/{document_id}/explanation", responses=refusals(DocumentUnknown, NotComplete))
async def show_explanation(
    *,
    document_id: UUID,
    working: Working,
    asker: Asker,
    _seen: Seen,
    known_on: KnownOn = None,
) -> Explanation:
    """Every line with its clauses, its arithmetic, and the events and traces behind it.

    With `known_on` it rests on what was recorded by that day; a document issued later is unknown.
    """
    await whole(working.billing, known_on=known_on)
    document = await _document(working, document_id, asker=asker)
    evidence = await working.billing.timelines.evidence(
        event_id for line in document.lines for event_id in line.events
    )
    until = end_of(known_on)
    if until is not None:
        if await _recorded_at(working, document) >= until:
            raise DocumentUnknown
        evidence = {key: found for key, found in evidence.items() if found.recorded_at < until}
    return explain(
        document, clauses=working.clauses(), evidence=evidence, trace_ui=working.trace_ui
    )


async def _recorded_at(working: Parts, document: InvoiceIssued | CreditNoteIssued) -> datetime:
    """When a document was recorded as issued, in the stream of its account."""
    stream = await working.billing.log.load(document.account_id)
    return next(
        each.envelope.recorded_at
        for each in stream
        if isinstance(each.event, InvoiceIssued | CreditNoteIssued)
        and each.event.number == document.number
    )


async def _document(
    working: Parts, document_id: UUID, *, asker: Principal
) -> InvoiceIssued | CreditNoteIssued:
    found = await find_document(working.pool, document_id)
    if found is None:
        raise DocumentUnknown
    asker.only_own(found.customer_id)
    return found
