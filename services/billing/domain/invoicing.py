"""From what contracts owe and what was billed to the documents still to issue.

Every billing month that ended and was never billed becomes an invoice; what changed about a month
already billed becomes adjustment lines on the next invoice, or a document of its own when no next
invoice will come. Nothing here numbers documents: the issuer does that when they are issued.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from libs.events.vocabulary.billing import (
    AccountEvent,
    ChargesAssessed,
    CreditNoteIssued,
    InvoiceIssued,
    LateInterestWaived,
    PenaltyCharged,
)
from services.billing.domain.accelerating import with_grounds_of
from services.billing.domain.account import Account, fold_account_from
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.demanding import demands_to_make
from services.billing.domain.document import Document, documents, taxes
from services.billing.domain.drafted import (
    assessed_anew,
    corrections_of,
    interest_invoice,
    invoice,
)
from services.billing.domain.interest_shown import interest_to_show
from services.billing.domain.months import Change, end_of_contract, months_to_bill, more_will_come
from services.billing.domain.payments import apply_surplus, interest_anew
from services.billing.domain.terms import BillingTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDraft:
    """What is to be issued for one contract, numbers left at 0; `outcome` says it in words."""

    contract_id: UUID
    assessed: tuple[ChargesAssessed, ...] = ()
    account_events: tuple[AccountEvent, ...] = ()
    outcome: str = "nothing to bill"


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
    and rate), RRNS-11.3 (what is billed after a ground arose falls due as the account knows it).
    """
    reckoned = interest_anew(account, contract_id=contract.contract_id, terms=contract.terms)
    account = fold_account_from(account, reckoned)
    contract = replace(
        contract,
        timeline=with_grounds_of(
            account, contract_id=contract.contract_id, timeline=contract.timeline
        ),
    )
    months = months_to_bill(account, contract=contract, order=order)
    fresh = _with_adjustments(
        documents(months.fresh, timeline=contract.timeline), changed=months.changed
    )
    last = not fresh.documents and not more_will_come(contract, order=order)
    over = last and end_of_contract(contract.timeline) is not None
    interest = interest_to_show(account, contract=contract, documents=fresh.documents, over=over)
    invoices = [
        invoice(
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
            interest_invoice(account, contract=contract, order=order, entries=interest.lone)
        )
    corrections = (
        corrections_of(account, contract=contract, order=order, changed=fresh.left)
        if last or fresh.negative
        else ()
    )
    billed = {name for document in fresh.documents for name in document.months}
    settled = {a.month.name for a, _ in months.changed} if last or fresh.documents else set()
    assessed = assessed_anew(contract, months=months, names=billed | settled, order=order)
    waived: tuple[AccountEvent, ...] = ()
    if interest.waived:
        waived = (
            LateInterestWaived(
                account_id=account.account_id,
                waived_on=order.issued_on,
                entries=interest.waived,
            ),
        )
    penalties = demands_to_make(account, contract=contract, order=order)
    events = (*reckoned, *invoices, *corrections, *penalties, *waived)
    return ContractDraft(
        contract_id=contract.contract_id,
        assessed=assessed,
        account_events=events,
        outcome=_outcome(events),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """New documents with the adjustments they carry; `left` are those no document could take."""

    documents: tuple[Document, ...]
    left: tuple[Change, ...]
    negative: bool = False


def _with_adjustments(fresh: Sequence[Document], *, changed: tuple[Change, ...]) -> _Placed:
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
