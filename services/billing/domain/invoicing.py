"""From what contracts owe and what was billed to the documents still to issue.

Every billing month that ended and was never billed becomes an invoice; what changed about a month
already billed becomes adjustment lines on the next invoice, or a document of its own when no next
invoice will come. Nothing here numbers documents: the issuer does that when they are issued.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from uuid import UUID, uuid5

from libs.events.vocabulary.billing import (
    AccountEvent,
    ChargeLine,
    ChargesAssessed,
    CreditNoteIssued,
    ForeignPosition,
    InterestEntry,
    InvoiceIssued,
    LateInterestWaived,
    PenaltyCharged,
)
from libs.refusal.refusal import Refusal
from services.billing.domain.account import Account, Issued, fold_account_from
from services.billing.domain.assessment import (
    Assessment,
    BillingMonth,
    Line,
    assess,
    billing_months,
)
from services.billing.domain.debts import charged
from services.billing.domain.demands import Demand, demands
from services.billing.domain.document import Document, adjust, documents, taxes
from services.billing.domain.due_policy import due_by
from services.billing.domain.payments import apply_surplus
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import End, Moment, Timeline

_TWO_MONTHS = timedelta(days=62)


class NoRules(Refusal):
    """A contract's service has no billing terms here."""

    code = "unknown-service"
    title = "There are no billing terms for this service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to bill: every billing month that ended on or before `closing_on`, issued `issued_on`.

    `due_policy` gives the due date of an invoice that no agreement names one for.
    """

    run_id: UUID
    closing_on: date
    issued_on: date
    due_policy: str = "agreed"
    positions: tuple[ForeignPosition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractBooks:
    """A contract as invoicing sees it: its timeline, its terms, the last revision of each month."""

    contract_id: UUID
    timeline: Timeline
    terms: BillingTerms
    revisions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDraft:
    """What is to be issued for one contract, numbers left at 0; `outcome` says it in words."""

    contract_id: UUID
    assessed: tuple[ChargesAssessed, ...] = ()
    account_events: tuple[AccountEvent, ...] = ()
    outcome: str = "nothing to bill"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Months:
    """The ended months: never billed with something to charge, and billed but changed since."""

    fresh: tuple[Assessment, ...]
    changed: tuple[tuple[Assessment, tuple[Line, ...]], ...]


def draft_account(
    account: Account, *, contracts: Iterable[ContractBooks], order: Order
) -> tuple[ContractDraft, ...]:
    """Draft everything to issue on an account, contract by contract; changes nothing."""
    return tuple(draft_contract(account, contract=c, order=order) for c in contracts)


def surplus_events(
    account: Account, *, drafted: Iterable[AccountEvent], order: Order, terms: BillingTerms
) -> tuple[AccountEvent, ...]:
    """What money left over settles of the claims that a draft adds to the account."""
    after = fold_account_from(account, drafted)
    return apply_surplus(after, run_id=order.run_id, on=order.issued_on, terms=terms)


def draft_contract(account: Account, *, contract: ContractBooks, order: Order) -> ContractDraft:
    """Draft invoices, adjustments, credit notes, demands and interest of one contract.

    A month already billed is never billed again: only its differences are. A month with nothing to
    charge has no invoice.

    Clauses: WUTM-31, WSRV-31 (months put together wait for the last of them), WUTM-27.3,
    WSRV-27.3 (interest alone may be left out), NSEC-14.9a, WUTM-32.1, WSRV-29 (tax once a document
    and rate).
    """
    months = _months(account, contract=contract, order=order)
    fresh = _with_adjustments(
        documents(months.fresh, timeline=contract.timeline), changed=months.changed
    )
    last = not fresh.documents and not _more_will_come(contract, order=order)
    over = last and _end_of(contract.timeline) is not None
    interest = _interest(account, contract=contract, documents=fresh.documents, over=over)
    invoices = [
        _invoice(
            account,
            contract=contract,
            order=order,
            document=document,
            months=months,
            interest=interest.shown[index],
        )
        for index, document in enumerate(fresh.documents)
    ]
    if interest.lone:
        invoices.append(
            _interest_invoice(account, contract=contract, order=order, entries=interest.lone)
        )
    corrections = (
        _corrections(account, contract=contract, order=order, changed=fresh.left)
        if last or fresh.negative
        else ()
    )
    billed = {name for document in fresh.documents for name in document.months}
    settled = {a.month.name for a, _ in months.changed} if last or fresh.documents else set()
    assessed = _assessed(contract, months=months, names=billed | settled, order=order)
    waived: tuple[AccountEvent, ...] = ()
    if interest.waived:
        waived = (
            LateInterestWaived(
                account_id=account.account_id,
                waived_on=order.issued_on,
                entries=interest.waived,
            ),
        )
    penalties = _demands(account, contract=contract, order=order)
    events = (*invoices, *corrections, *penalties, *waived)
    return ContractDraft(
        contract_id=contract.contract_id,
        assessed=assessed,
        account_events=events,
        outcome=_outcome(events),
    )


def _months(account: Account, *, contract: ContractBooks, order: Order) -> _Months:
    ended = [
        m
        for m in billing_months(contract.timeline, until=order.closing_on, terms=contract.terms)
        if m.to_on <= order.closing_on
    ]
    waiting = _waiting_for_a_lump(contract.timeline, ended={m.name for m in ended})
    fresh: list[Assessment] = []
    changed: list[tuple[Assessment, tuple[Line, ...]]] = []
    for month in ended:
        bill = account.bill_of(contract.contract_id, month.name)
        now = assess(
            contract.timeline,
            month=month,
            terms=contract.terms,
            issued_on=order.issued_on if bill is None else bill.issued_on,
        )
        if bill is not None:
            _note_change(changed, account=account, contract=contract, now=now)
        elif now.lines and month.name not in waiting:
            fresh.append(now)
    for gone in _gone(account, contract=contract, order=order):
        _note_change(changed, account=account, contract=contract, now=gone)
    return _Months(fresh=tuple(fresh), changed=tuple(changed))


def _note_change(
    changed: list[tuple[Assessment, tuple[Line, ...]]],
    *,
    account: Account,
    contract: ContractBooks,
    now: Assessment,
) -> None:
    billed = account.billed_lines(contract.contract_id, now.month.name)
    if lines := adjust([line_of(line) for line in billed], now=now):
        changed.append((now, tuple(replace(line, adjusts=now.month.name) for line in lines)))


def _waiting_for_a_lump(timeline: Timeline, *, ended: set[str]) -> frozenset[str]:
    return frozenset(
        name for lump in timeline.lumps if not set(lump.months) <= ended for name in lump.months
    )


def _gone(account: Account, *, contract: ContractBooks, order: Order) -> tuple[Assessment, ...]:
    """Months that were billed and, by what is known now, are no billing months at all."""
    known = {
        m.name
        for m in billing_months(
            contract.timeline, until=order.closing_on + _TWO_MONTHS, terms=contract.terms
        )
    }
    billed = {
        line.month: line
        for document in account.issued
        for line in document.lines
        if line.contract_id == contract.contract_id and line.month and not line.adjusts
    }
    return tuple(
        Assessment(
            contract_id=contract.contract_id,
            service=contract.timeline.service,
            month=BillingMonth(
                name=name,
                from_on=line.from_on,
                to_on=line.to_on,
                whole_days=(line.to_on - line.from_on).days + 1,
            ),
            lines=(),
            terms_versions=(),
        )
        for name, line in sorted(billed.items())
        if name not in known
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """New documents with the adjustments they carry; `left` are those no document could take."""

    documents: tuple[Document, ...]
    left: tuple[tuple[Assessment, tuple[Line, ...]], ...]
    negative: bool = False


def _with_adjustments(
    fresh: Sequence[Document], *, changed: tuple[tuple[Assessment, tuple[Line, ...]], ...]
) -> _Placed:
    """Put adjustments on the first new document, unless it would then owe the customer money."""
    if not fresh or not changed:
        return _Placed(documents=tuple(fresh), left=changed)
    lines = (*fresh[0].lines, *(line for _, adjusted in changed for line in adjusted))
    tax = taxes(lines)
    subtotal = sum(line.amount for line in lines)
    total = subtotal + sum(t.tax for t in tax)
    if total < 0:
        return _Placed(documents=tuple(fresh), left=changed, negative=True)
    first = replace(fresh[0], lines=lines, subtotal=subtotal, tax=tax, total=total)
    return _Placed(documents=(first, *fresh[1:]), left=())


def _more_will_come(contract: ContractBooks, *, order: Order) -> bool:
    """Whether one of the next two billing months, or those up to the end, has something to charge.

    A contract may go on without charges (a licensed device): what is to be put right of it does
    not wait for an invoice that never comes.
    """
    timeline = contract.timeline
    end = _end_of(timeline)
    until = order.closing_on if end is None else max(end.on, order.closing_on)
    later = billing_months(timeline, until=until + _TWO_MONTHS, terms=contract.terms)
    return any(
        assess(timeline, month=month, terms=contract.terms, issued_on=order.issued_on).lines
        for month in later
        if month.to_on > order.closing_on
    )


def _end_of(timeline: Timeline) -> End | Moment | None:
    return timeline.ended or timeline.revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interest:
    """Which document shows which interest, what is billed by itself, and what is left out."""

    shown: tuple[tuple[InterestEntry, ...], ...]
    lone: tuple[InterestEntry, ...] = ()
    waived: tuple[InterestEntry, ...] = ()


def _interest(
    account: Account, *, contract: ContractBooks, documents: Sequence[Document], over: bool
) -> _Interest:
    """Show pending interest on the first document that may bear it; `over` when none will come.

    Clauses: WUTM-27.3, WSRV-27.3 (with nothing else to bill it is held, and left out in the end).
    """
    shown: list[list[InterestEntry]] = [[] for _ in documents]
    lone: list[InterestEntry] = []
    waived: list[InterestEntry] = []
    for entry in account.pending:
        if not _concerns(account, entry=entry, contract_id=contract.contract_id):
            continue
        bearer = next(
            (
                index
                for index, document in enumerate(documents)
                if charged(
                    entry,
                    invoice_months=[(document.from_on, document.to_on)],
                    terms=contract.terms,
                )
            ),
            None,
        )
        if bearer is not None:
            shown[bearer].append(entry)
        elif over:
            alone = charged(entry, invoice_months=[], terms=contract.terms)
            (lone if alone else waived).append(entry)
    return _Interest(shown=tuple(map(tuple, shown)), lone=tuple(lone), waived=tuple(waived))


def _concerns(account: Account, *, entry: InterestEntry, contract_id: UUID) -> bool:
    return any(
        claim.claim_id == entry.debt_id and contract_id in claim.contract_ids
        for claim in account.claims
    )


def interest_outcomes(account: Account, *, contract: ContractBooks) -> tuple[InterestEntry, ...]:
    """Every interest entry of a contract, with `charged` as it stands.

    What is pending counts as charged while the contract goes on: a later invoice will show it.
    """
    goes_on = contract.timeline.ended is None and contract.timeline.revoked is None
    spans = [
        (document.from_on, document.to_on)
        for document in account.issued
        if contract.contract_id in document.contract_ids and not document.credit_note
    ]
    found: list[InterestEntry] = []
    for _, entry in account.interest:
        if not _concerns(account, entry=entry, contract_id=contract.contract_id):
            continue
        held = entry in account.waived or (
            not goes_on and not charged(entry, invoice_months=spans, terms=contract.terms)
        )
        found.append(entry.model_copy(update={"charged": not held}))
    return tuple(found)


def _invoice(
    account: Account,
    *,
    contract: ContractBooks,
    order: Order,
    document: Document,
    months: _Months,
    interest: tuple[InterestEntry, ...],
) -> InvoiceIssued:
    month_of = {
        (line.key, line.from_on): assessment.month.name
        for assessment in months.fresh
        for line in assessment.lines
    }
    lines = tuple(
        charge_line(
            line,
            contract_id=contract.contract_id,
            month=None if line.adjusts else month_of[(line.key, line.from_on)],
        )
        for line in document.lines
    )
    return InvoiceIssued(
        invoice_id=uuid5(order.run_id, f"invoice {contract.contract_id} {document.month}"),
        number=0,
        run_id=order.run_id,
        account_id=account.account_id,
        customer_id=contract.timeline.customer_id or account.customer_id,
        contract_ids=(contract.contract_id,),
        service=contract.timeline.service,
        month=document.month,
        from_on=document.from_on,
        to_on=document.to_on,
        lines=lines,
        subtotal=document.subtotal,
        tax=document.tax,
        total=document.total,
        interest=tuple(e.model_copy(update={"charged": True}) for e in interest),
        payable=document.total + sum(e.interest for e in interest),
        issued_on=order.issued_on,
        due_on=document.due_on or due_by(order.due_policy, issued_on=order.issued_on),
        previous_hash="",
        hash="",
    )


def _interest_invoice(
    account: Account, *, contract: ContractBooks, order: Order, entries: tuple[InterestEntry, ...]
) -> InvoiceIssued:
    """A document that shows nothing but late interest: the terms bill it even so."""
    owed = sum(entry.interest for entry in entries)
    return InvoiceIssued(
        invoice_id=uuid5(order.run_id, f"interest {contract.contract_id}"),
        number=0,
        run_id=order.run_id,
        account_id=account.account_id,
        customer_id=contract.timeline.customer_id or account.customer_id,
        contract_ids=(contract.contract_id,),
        service=contract.timeline.service,
        month=f"{order.closing_on:%Y-%m}",
        from_on=min(entry.paid_on for entry in entries),
        to_on=order.closing_on,
        lines=(),
        subtotal=0,
        tax=(),
        total=0,
        interest=tuple(e.model_copy(update={"charged": True}) for e in entries),
        payable=owed,
        issued_on=order.issued_on,
        due_on=due_by(order.due_policy, issued_on=order.issued_on),
        previous_hash="",
        hash="",
    )


def _corrections(
    account: Account,
    *,
    contract: ContractBooks,
    order: Order,
    changed: Iterable[tuple[Assessment, tuple[Line, ...]]],
) -> tuple[InvoiceIssued | CreditNoteIssued, ...]:
    """For every changed month a document that refers to its invoice: nothing else will bear it."""
    found: list[InvoiceIssued | CreditNoteIssued] = []
    for assessment, lines in changed:
        bill = account.bill_of(contract.contract_id, assessment.month.name)
        if bill is None:
            continue
        tax = taxes(lines)
        subtotal = sum(line.amount for line in lines)
        total = subtotal + sum(t.tax for t in tax)
        shared = _Correction(
            bill=bill,
            lines=tuple(
                charge_line(line, contract_id=contract.contract_id, month=None) for line in lines
            ),
            document=Document(
                month=assessment.month.name,
                months=(assessment.month.name,),
                from_on=assessment.month.from_on,
                to_on=assessment.month.to_on,
                lines=lines,
                subtotal=subtotal,
                tax=tax,
                total=total,
                due_on=None,
            ),
        )
        make = _credit_note if total < 0 else _corrected_invoice
        found.append(make(account, contract=contract, order=order, correction=shared))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Correction:
    bill: Issued
    lines: tuple[ChargeLine, ...]
    document: Document


def _credit_note(
    account: Account, *, contract: ContractBooks, order: Order, correction: _Correction
) -> CreditNoteIssued:
    document = correction.document
    return CreditNoteIssued(
        credit_note_id=uuid5(order.run_id, f"credit {contract.contract_id} {document.month}"),
        number=0,
        run_id=order.run_id,
        account_id=account.account_id,
        customer_id=contract.timeline.customer_id or account.customer_id,
        contract_ids=(contract.contract_id,),
        service=contract.timeline.service,
        month=document.month,
        from_on=document.from_on,
        to_on=document.to_on,
        lines=correction.lines,
        subtotal=document.subtotal,
        tax=document.tax,
        total=document.total,
        issued_on=order.issued_on,
        refers_to=correction.bill.document_id,
        previous_hash="",
        hash="",
    )


def _corrected_invoice(
    account: Account, *, contract: ContractBooks, order: Order, correction: _Correction
) -> InvoiceIssued:
    document = correction.document
    return InvoiceIssued(
        invoice_id=uuid5(order.run_id, f"corrected {contract.contract_id} {document.month}"),
        number=0,
        run_id=order.run_id,
        account_id=account.account_id,
        customer_id=contract.timeline.customer_id or account.customer_id,
        contract_ids=(contract.contract_id,),
        service=contract.timeline.service,
        month=document.month,
        from_on=document.from_on,
        to_on=document.to_on,
        lines=correction.lines,
        subtotal=document.subtotal,
        tax=document.tax,
        total=document.total,
        payable=document.total,
        issued_on=order.issued_on,
        due_on=due_by(order.due_policy, issued_on=order.issued_on),
        refers_to=correction.bill.document_id,
        previous_hash="",
        hash="",
    )


def _assessed(
    contract: ContractBooks, *, months: _Months, names: set[str], order: Order
) -> tuple[ChargesAssessed, ...]:
    """The new revision of every month that this draft bills or puts right."""
    assessments = (*months.fresh, *(assessment for assessment, _ in months.changed))
    return tuple(
        ChargesAssessed(
            contract_id=contract.contract_id,
            month=a.month.name,
            from_on=a.month.from_on,
            to_on=a.month.to_on,
            revision=contract.revisions.get(a.month.name, 0) + 1,
            terms_versions=a.terms_versions,
            lines=tuple(
                charge_line(line, contract_id=contract.contract_id, month=a.month.name)
                for line in a.lines
            ),
            positions=order.positions,
        )
        for a in assessments
        if a.month.name in names
    )


def _demands(
    account: Account, *, contract: ContractBooks, order: Order
) -> tuple[PenaltyCharged, ...]:
    """Demand what arose by the day of issue and was not demanded, and put right what was.

    Clauses: WUTM-25.3.1, WUTM-26.1, WUTM-26.2, WSRV-25.2a, WSRV-26a (demanded beside invoices).
    """
    owed = {
        demand.key: demand
        for demand in demands(contract.timeline, terms=contract.terms)
        if demand.charged_on <= order.issued_on
    }
    made = {d.key: d for d in account.demands if d.contract_id == contract.contract_id}
    found: list[PenaltyCharged] = []
    for key in [*owed, *(key for key in made if key not in owed)]:
        before = [
            d for d in account.demands if d.contract_id == contract.contract_id and d.key == key
        ]
        demand = owed.get(key) or _nothing_of(made[key])
        amount = demand.amount - sum(d.amount for d in before)
        tax = demand.tax - sum(d.tax for d in before)
        if amount or tax or (not before and demand.total):
            found.append(
                PenaltyCharged(
                    penalty_id=uuid5(order.run_id, f"demand {contract.contract_id} {key}"),
                    account_id=account.account_id,
                    contract_id=contract.contract_id,
                    key=key,
                    code=demand.code,
                    clauses=demand.clauses,
                    quantity=demand.quantity,
                    amount=amount,
                    tax_rate=demand.tax_rate,
                    tax=tax,
                    total=demand.total - sum(d.total for d in before),
                    arithmetic=demand.arithmetic,
                    events=demand.events,
                    charged_on=demand.charged_on,
                    due_on=demand.due_on,
                )
            )
    return tuple(found)


def _nothing_of(made: PenaltyCharged) -> Demand:
    """The demand that is owed no longer: all of it is taken back."""
    return Demand(
        key=made.key,
        code=made.code,
        clauses=made.clauses,
        quantity=made.quantity,
        amount=0,
        tax_rate=made.tax_rate,
        tax=0,
        total=0,
        arithmetic="withdrawn",
        events=made.events,
        charged_on=made.charged_on,
        due_on=None,
    )


def line_of(line: ChargeLine) -> Line:
    """A billed line in the shape that assessments have."""
    return Line(
        key=line.key,
        code=line.code,
        clauses=line.clauses,
        quantity=line.quantity,
        days=line.days,
        amount=line.amount,
        tax_rate=line.tax_rate,
        from_on=line.from_on,
        to_on=line.to_on,
        arithmetic=line.arithmetic,
        events=line.events,
        adjusts=line.adjusts,
        due_on=line.due_on,
    )


def charge_line(line: Line, *, contract_id: UUID, month: str | None) -> ChargeLine:
    """A line as documents carry it, with whose charge it is and for which billing month."""
    return line.charge_line().model_copy(update={"contract_id": contract_id, "month": month})


def _outcome(events: Iterable[AccountEvent]) -> str:
    """What a draft holds, in words for whoever watches the run."""
    invoices = [e for e in events if isinstance(e, InvoiceIssued)]
    notes = [e for e in events if isinstance(e, CreditNoteIssued)]
    penalties = [e for e in events if isinstance(e, PenaltyCharged)]
    said = [
        f"{len(found)} {one if len(found) == 1 else many}, {sum(e.total for e in found):,} yen"
        for found, one, many in (
            (invoices, "invoice", "invoices"),
            (notes, "credit note", "credit notes"),
            (penalties, "demand", "demands"),
        )
        if found
    ]
    if any(isinstance(e, LateInterestWaived) for e in events):
        said.append("late interest left out")
    return "; ".join(said) or "nothing to bill"
