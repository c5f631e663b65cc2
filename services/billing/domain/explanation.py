"""Why an amount is what it is: for each line its clauses, its arithmetic, and the events behind it."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.events.vocabulary.billing import (
    ChargeLine,
    CreditNoteIssued,
    InterestEntry,
    InvoiceIssued,
    TaxSum,
)


class Shown(BaseModel):
    """A part of an explanation."""

    model_config = ConfigDict(frozen=True)


class ClauseText(Shown):
    """A clause of the catalogue: where it stands, and what it means."""

    id: str
    where: str
    title: str
    rule: str


class Evidence(Shown):
    """An event that something rests on; `trace_id` of its origin, `trace_url` where to see it."""

    event_id: UUID
    context: str
    type: str
    effective_on: date
    recorded_at: datetime
    trace_id: str | None
    trace_url: str | None = None


class LineExplained(Shown):
    """A line with what it rests on; `adjusts` names the month whose earlier bill it puts right."""

    code: str
    month: str | None
    adjusts: str | None
    from_on: date
    to_on: date
    quantity: int
    days: int | None
    amount: int
    tax_rate: int
    arithmetic: str
    clauses: tuple[ClauseText, ...]
    events: tuple[Evidence, ...]


class TaxExplained(Shown):
    """The tax of one rate, computed once for the document."""

    rate: int
    base: int
    tax: int
    arithmetic: str


class InterestExplained(Shown):
    """Late interest on one paid part of a debt."""

    month: str
    due_on: date
    paid_on: date
    amount: int
    days: int
    rate_permille: int
    interest: int
    arithmetic: str
    clauses: tuple[ClauseText, ...]


class Explanation(Shown):
    """A whole document, explained."""

    document_id: UUID
    number: int
    month: str
    lines: tuple[LineExplained, ...]
    subtotal: int
    tax: tuple[TaxExplained, ...]
    total: int
    interest: tuple[InterestExplained, ...]
    payable: int
    due_on: date | None


Clauses = Mapping[str, ClauseText]


def explain(
    document: InvoiceIssued | CreditNoteIssued,
    *,
    clauses: Clauses,
    evidence: Mapping[UUID, Evidence],
    trace_ui: str | None = None,
) -> Explanation:
    """Explain every line, the tax, and the interest of a document.

    An event that is not among the evidence is left out; a clause that is not in the catalogue is
    shown by its id alone. `trace_ui` is the address under which a trace id shows its trace.
    """
    invoice = document if isinstance(document, InvoiceIssued) else None
    interest = invoice.interest if invoice else ()
    return Explanation(
        document_id=(
            document.credit_note_id
            if isinstance(document, CreditNoteIssued)
            else document.invoice_id
        ),
        number=document.number,
        month=document.month,
        lines=tuple(
            _line(line, clauses=clauses, evidence=evidence, trace_ui=trace_ui)
            for line in document.lines
        ),
        subtotal=document.subtotal,
        tax=tuple(_tax(tax) for tax in document.tax),
        total=document.total,
        interest=tuple(explain_interest(entry, clauses=clauses) for entry in interest),
        payable=invoice.payable if invoice else document.total,
        due_on=invoice.due_on if invoice else None,
    )


def _line(
    line: ChargeLine,
    *,
    clauses: Clauses,
    evidence: Mapping[UUID, Evidence],
    trace_ui: str | None,
) -> LineExplained:
    return LineExplained(
        code=line.code,
        month=line.month,
        adjusts=line.adjusts,
        from_on=line.from_on,
        to_on=line.to_on,
        quantity=line.quantity,
        days=line.days,
        amount=line.amount,
        tax_rate=line.tax_rate,
        arithmetic=line.arithmetic,
        clauses=_texts(line.clauses, clauses=clauses),
        events=tuple(
            _linked(evidence[event_id], trace_ui=trace_ui)
            for event_id in line.events
            if event_id in evidence
        ),
    )


def _texts(ids: tuple[str, ...], *, clauses: Clauses) -> tuple[ClauseText, ...]:
    return tuple(clauses.get(i) or ClauseText(id=i, where="", title="", rule="") for i in ids)


def _linked(evidence: Evidence, *, trace_ui: str | None) -> Evidence:
    if trace_ui is None or evidence.trace_id is None:
        return evidence
    url = f"{trace_ui.rstrip('/')}/{evidence.trace_id}"
    return evidence.model_copy(update={"trace_url": url})


def _tax(tax: TaxSum) -> TaxExplained:
    return TaxExplained(
        rate=tax.rate,
        base=tax.base,
        tax=tax.tax,
        arithmetic=f"{tax.base:,} x {tax.rate}% = {tax.tax:,}, cut to whole yen once a document",
    )


def explain_interest(entry: InterestEntry, *, clauses: Clauses) -> InterestExplained:
    """Explain late interest: amount, days and rate, over 365 days, cut to whole yen."""
    return InterestExplained(
        month=entry.month,
        due_on=entry.due_on,
        paid_on=entry.paid_on,
        amount=entry.amount,
        days=entry.days,
        rate_permille=entry.rate_permille,
        interest=entry.interest,
        arithmetic=(
            f"{entry.amount:,} x {entry.rate_permille}/1000 x {entry.days}/365 = "
            f"{entry.interest:,}, cut to whole yen"
        ),
        clauses=_texts(entry.clauses, clauses=clauses),
    )
