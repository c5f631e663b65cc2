"""Money in: which claims it settles, what being late costs, what happens when it did not hold."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from uuid import UUID, uuid5

from libs.events.vocabulary.billing import (
    AccountEvent,
    AppliedPart,
    ArrearsSettled,
    DemandMet,
    InterestEntry,
    LateInterestCharged,
    PaymentLate,
    PaymentReceived,
    PaymentReversed,
    SurplusApplied,
)
from libs.refusal.refusal import NotFound, Refusal
from services.billing.domain.account import (
    Account,
    AccountState,
    Unopened,
    debt_of,
    evolve,
    open_debts,
    opened,
)
from services.billing.domain.claims import Claim
from services.billing.domain.debts import Part, Payment, allocate, late_interest, late_on
from services.billing.domain.terms import BillingTerms


class NothingOpen(Refusal):
    """A payment without an amount is all that is open of what it names, and that is nothing."""

    code = "nothing-open"
    title = "Nothing is open of what the payment names"


class PaymentUnknown(NotFound):
    """The account received no such payment."""

    code = "payment-unknown"
    title = "There is no such payment"


def receive_payment(
    state: AccountState,
    *,
    payment_id: UUID,
    amount: int | None,
    received_on: date,
    settled_on: date,
    names: str | None,
    terms: BillingTerms,
) -> tuple[AccountEvent, ...]:
    """Take money in, settle claims with it, and note the interest that late parts bear.

    Without `amount` it is all that is open of what it `names` (a billing month, `penalty`, None:
    everything). What is over settles late interest that invoices show, then waits for new claims.
    The same payment again changes nothing.

    Clauses: WUTM-30.2, WSRV-30.2, NSEC-14-2.1a, RRNS-36.S2 (which debt; interest last).
    """
    account = opened(state)
    if payment_id in account.payments:
        return ()
    allocation = allocate(
        Payment(
            payment_id=payment_id,
            received_on=received_on,
            settled_on=settled_on,
            amount=amount,
            names=_meant(account, names=names),
        ),
        open_debts=open_debts(account),
        terms=terms,
    )
    if amount is None and allocation.amount == 0:
        raise NothingOpen(field="/amount")
    applied = [AppliedPart(debt_id=p.debt.debt_id, amount=p.amount) for p in allocation.parts]
    for_interest, unapplied = _settle_interest(account, allocation.unapplied)
    parts = (*applied, *for_interest)
    received = PaymentReceived(
        payment_id=payment_id,
        account_id=account.account_id,
        amount=allocation.amount,
        received_on=received_on,
        settled_on=settled_on,
        names=names,
        applied=parts,
        unapplied=unapplied,
        demands_met=_demands_met(account, parts=parts),
    )
    entries = tuple(
        entry
        for part in allocation.parts
        if (entry := late_interest(part, terms=terms)) is not None
    )
    charged: tuple[AccountEvent, ...] = ()
    if entries:
        charged = (
            LateInterestCharged(
                account_id=account.account_id,
                payment_id=payment_id,
                charged_on=received_on,
                entries=entries,
            ),
        )
    return (
        received,
        *charged,
        *_settled(account, opened(evolve(account, received)), on=settled_on),
    )


def _demands_met(account: Account, *, parts: tuple[AppliedPart, ...]) -> tuple[DemandMet, ...]:
    """The demands that these parts pay in full."""
    paid = {part.debt_id: part.amount for part in parts}
    whole = {
        claim.document_id
        for claim in account.claims
        if claim.claim_id in paid and account.open_of(claim) <= paid[claim.claim_id]
    }
    return tuple(
        DemandMet(contract_id=demand.contract_id, events=demand.events)
        for demand in account.demands
        if demand.penalty_id in whole
    )


def _meant(account: Account, *, names: str | None) -> str | None:
    """The month whose invoice bears the month named: another one where months were put together."""
    claims = account.claims_of(names) if names is not None else ()
    return claims[0].month if claims else names


def _settle_interest(account: Account, money: int) -> tuple[tuple[AppliedPart, ...], int]:
    """Settle what interest sections show with what is over, the oldest first."""
    parts: list[AppliedPart] = []
    for claim in account.claims:
        share = min(money, account.open_of(claim)) if claim.interest else 0
        if share > 0:
            parts.append(AppliedPart(debt_id=claim.claim_id, amount=share))
            money -= share
    return tuple(parts), money


def _settled(before: Account, after: Account, *, on: date) -> tuple[AccountEvent, ...]:
    return tuple(
        ArrearsSettled(
            account_id=after.account_id,
            customer_id=after.customer_id,
            contract_ids=claim.contract_ids,
            invoice_id=claim.claim_id,
            settled_on=on,
        )
        for claim in before.claims
        if claim.claim_id in before.noticed and after.open_of(claim) <= 0
    )


def reverse_payment(
    state: AccountState, *, payment_id: UUID, reversed_on: date, reason: str
) -> tuple[AccountEvent, ...]:
    """Take a payment back that did not hold; what it settled is open again. Twice changes nothing."""
    account = opened(state)
    if payment_id not in account.payments:
        raise PaymentUnknown
    if payment_id in account.reversed:
        return ()
    return (
        PaymentReversed(
            payment_id=payment_id,
            account_id=account.account_id,
            reversed_on=reversed_on,
            reason=reason,
        ),
    )


def interest_anew(
    account: Account, *, contract_id: UUID, terms: BillingTerms
) -> tuple[LateInterestCharged, ...]:
    """The interest of what was paid while another due date was known, as if it had been known.

    Entries that no document shows yet give way to those of the due dates that stand. Of one that a
    document shows only what is missing is charged; what it shows too much is for an operator, as
    with a payment that did not hold. Nothing for an account whose due dates never moved.

    Clauses: RRNS-11.3, RRNS-36.S1.
    """
    if not account.due_dates_moved:
        return ()
    return tuple(
        charge
        for payment in account.payments.values()
        if payment.payment_id not in account.reversed
        and (charge := _anew(account, payment, contract_id=contract_id, terms=terms)) is not None
    )


def _anew(
    account: Account, payment: PaymentReceived, *, contract_id: UUID, terms: BillingTerms
) -> LateInterestCharged | None:
    right = _interest_of(account, payment, contract_id=contract_id, terms=terms)
    months = {claim.month for claim in account.claims if contract_id in claim.contract_ids}
    known = [
        entry
        for payment_id, entry in account.interest
        if payment_id == payment.payment_id and entry.month in months
    ]
    stale = tuple(e for e in known if e in account.pending and e not in right)
    shown = [e for e in known if e not in account.pending and e not in right]
    missing = _less([e for e in right if e not in known], shown=shown)
    if not stale and not missing:
        return None
    return LateInterestCharged(
        account_id=account.account_id,
        payment_id=payment.payment_id,
        charged_on=payment.received_on,
        entries=missing,
        instead_of=stale,
    )


def _interest_of(
    account: Account, payment: PaymentReceived, *, contract_id: UUID, terms: BillingTerms
) -> list[InterestEntry]:
    """The interest that a payment bears by the due dates as they stand."""
    claims = {
        claim.claim_id: claim
        for claim in account.claims
        if contract_id in claim.contract_ids and claim.due_on is not None
    }
    parts = (
        Part(
            payment_id=payment.payment_id,
            debt=debt_of(claims[part.claim_id], open_amount=part.amount),
            paid_on=part.paid_on,
            amount=part.amount,
        )
        for part in account.parts
        if part.payment_id == payment.payment_id and part.claim_id in claims
    )
    return [entry for part in parts if (entry := late_interest(part, terms=terms)) is not None]


def _less(
    entries: Iterable[InterestEntry], *, shown: Iterable[InterestEntry]
) -> tuple[InterestEntry, ...]:
    """The entries without what documents show of them already, by month and day of payment."""
    left = Counter[tuple[str, date]]()
    for entry in shown:
        left[entry.month, entry.paid_on] += entry.interest
    found: list[InterestEntry] = []
    for entry in entries:
        less = min(entry.interest, left[entry.month, entry.paid_on])
        left[entry.month, entry.paid_on] -= less
        if entry.interest > less:
            found.append(entry.model_copy(update={"interest": entry.interest - less}))
    return tuple(found)


def apply_surplus(
    account: Account, *, run_id: UUID, on: date, terms: BillingTerms
) -> tuple[AccountEvent, ...]:
    """Settle newly arisen claims with money left over from earlier payments; no claim, nothing."""
    if account.unapplied <= 0:
        return ()
    allocation = allocate(
        Payment(
            payment_id=uuid5(run_id, f"surplus {account.account_id}"),
            received_on=on,
            settled_on=on,
            amount=account.unapplied,
            names=None,
        ),
        open_debts=open_debts(account),
        terms=terms,
    )
    if not allocation.parts:
        return ()
    return (
        SurplusApplied(
            account_id=account.account_id,
            applied_on=on,
            applied=tuple(
                AppliedPart(debt_id=p.debt.debt_id, amount=p.amount) for p in allocation.parts
            ),
            unapplied=allocation.unapplied,
        ),
    )


def next_late_on(state: AccountState, *, terms: BillingTerms) -> date | None:
    """The earliest day on which a claim not yet noticed becomes late; None when there is none."""
    if isinstance(state, Unopened):
        return None
    return min((day for _, day in _unnoticed(state, terms=terms)), default=None)


def notice_late(
    state: AccountState, *, until: date, terms: BillingTerms
) -> tuple[AccountEvent, ...]:
    """Say of every claim that became late on or before `until` that it is; once a claim.

    It takes effect on the first day of delay, not on the day it is looked for.

    Clauses: NSEC-14-2.1a, WUTM-27.1.1, WSRV-27.1a (delay begins the day after the due date).
    """
    if isinstance(state, Unopened):
        return ()
    return tuple(
        PaymentLate(
            account_id=state.account_id,
            customer_id=state.customer_id,
            contract_ids=claim.contract_ids,
            invoice_id=claim.claim_id,
            open_amount=state.open_of(claim),
            due_on=claim.due_on or day,
            noticed_on=day,
            days_late=(day - (claim.due_on or day)).days,
        )
        for claim, day in _unnoticed(state, terms=terms)
        if day <= until
    )


def _unnoticed(account: Account, *, terms: BillingTerms) -> list[tuple[Claim, date]]:
    claims = {claim.claim_id: claim for claim in account.claims}
    return [
        (claims[debt.debt_id], max(late_on(debt, terms=terms), debt.arises_on))
        for debt in open_debts(account)
        if debt.debt_id not in account.noticed
    ]


def unpaid_on(account: Account, *, month: str, on: date) -> int | None:
    """What of a month's invoice was unpaid at the end of a day; None without one that is due.

    Clauses: WUTM-A4.4.1.1 (only what is fully paid can be certified).
    """
    claims = account.claims_of(month)
    if not claims or any(claim.due_on is None for claim in claims):
        return None
    ids = {claim.claim_id for claim in claims}
    paid = sum(p.amount for p in account.parts if p.claim_id in ids and p.paid_on <= on)
    return sum(claim.total for claim in claims) - paid
