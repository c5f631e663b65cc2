"""Documents and revisions as a run drafts them: complete but for number and hashes."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid5

from libs.events.vocabulary.billing import (
    ChargeLine,
    ChargesAssessed,
    CreditNoteIssued,
    InterestEntry,
    InvoiceIssued,
)
from services.billing.domain.account import Account, Issued
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.document import Document, taxes
from services.billing.domain.due_policy import due_by
from services.billing.domain.months import Change, Months


def invoice(
    account: Account,
    *,
    contract: ContractBooks,
    order: Order,
    document: Document,
    months: Months,
    interest: tuple[InterestEntry, ...],
) -> InvoiceIssued:
    month_of = {
        (line.key, line.from_on): assessment.month.name
        for assessment in months.fresh
        for line in assessment.lines
    }
    lines = tuple(
        line.charge_line(
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
        agreed_due_on={
            line.key: line.agreed_due_on for line in document.lines if line.agreed_due_on
        },
    )


def interest_invoice(
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


def corrections_of(
    account: Account,
    *,
    contract: ContractBooks,
    order: Order,
    changed: Iterable[Change],
) -> tuple[InvoiceIssued | CreditNoteIssued, ...]:
    """For every changed month a document that refers to its invoice: nothing else will bear it."""
    found: list[InvoiceIssued | CreditNoteIssued] = []
    bills = account.bills_of(contract.contract_id)
    for assessment, lines in changed:
        bill = bills.get(assessment.month.name)
        if bill is None:
            continue
        tax = taxes(lines)
        subtotal = sum(line.amount for line in lines)
        total = subtotal + sum(t.tax for t in tax)
        shared = _Correction(
            bill=bill,
            lines=tuple(
                line.charge_line(contract_id=contract.contract_id, month=None) for line in lines
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


def assessed_anew(
    contract: ContractBooks, *, months: Months, names: set[str], order: Order
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
                line.charge_line(contract_id=contract.contract_id, month=a.month.name)
                for line in a.lines
            ),
            positions=order.positions,
        )
        for a in assessments
        if a.month.name in names
    )
