"""A billing account: how a customer pays, what was billed, what is open, and what was paid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import assert_never
from uuid import UUID, uuid5

from libs.events.folding import Fold
from libs.events.vocabulary.billing import (
    AccelerationWithdrawn,
    AccountArranged,
    AccountEvent,
    AccountOpened,
    AppliedPart,
    ArrearsSettled,
    ChargeLine,
    CreditNoteIssued,
    DebtsAccelerated,
    DueDateAgreed,
    InterestEntry,
    InvoiceIssued,
    LateInterestCharged,
    LateInterestWaived,
    MonthsLumped,
    PaymentLate,
    PaymentReceived,
    PaymentReversed,
    PenaltyCharged,
    SurplusApplied,
    TaxSum,
)
from libs.refusal.refusal import NotFound, Refusal
from services.billing.domain.claims import (
    Claim,
    PaidPart,
    accelerated,
    claim_of_demand,
    claims_of_invoice,
    restored,
)
from services.billing.domain.debts import Debt

_ACCOUNTS = UUID("5b8f3f0e-6f0f-4c0e-8a55-0e6b7f1a9d21")


class AlreadyOpen(Refusal):
    """The account is there for another customer or other contracts."""

    code = "account-already-open"
    title = "The account is open already, for others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An invoice or credit note as issued, as much of it as later decisions rest on."""

    document_id: UUID
    number: int
    run_id: UUID
    contract_ids: tuple[UUID, ...]
    month: str
    from_on: date
    to_on: date
    total: int
    issued_on: date
    due_on: date | None
    refers_to: UUID | None
    credit_note: bool
    lines: tuple[ChargeLine, ...]
    tax: tuple[TaxSum, ...] = ()
    agreed_due_on: Mapping[str, date] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopened:
    """Nothing has happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An open account.

    `pending` is interest owed that no document shows yet; `noticed` the claims said to be late;
    `unapplied` money that no claim took; `accelerations` what fell due by grounds that stand, in the
    order of their recording; `no_grounds` those that were withdrawn.
    """

    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    opened_on: date
    arrangement: AccountArranged | None = None
    due_dates: Mapping[tuple[UUID, str], date] = field(default_factory=lambda: MappingProxyType({}))
    lumps: tuple[MonthsLumped, ...] = ()
    issued: tuple[Issued, ...] = ()
    claims: tuple[Claim, ...] = ()
    demands: tuple[PenaltyCharged, ...] = ()
    payments: Mapping[UUID, PaymentReceived] = field(default_factory=lambda: MappingProxyType({}))
    reversed: frozenset[UUID] = frozenset()
    parts: tuple[PaidPart, ...] = ()
    interest: tuple[tuple[UUID, InterestEntry], ...] = ()
    pending: tuple[InterestEntry, ...] = ()
    waived: tuple[InterestEntry, ...] = ()
    noticed: frozenset[UUID] = frozenset()
    unapplied: int = 0
    accelerations: tuple[DebtsAccelerated, ...] = ()
    no_grounds: frozenset[UUID] = frozenset()
    due_dates_moved: bool = False

    def open_of(self, claim: Claim) -> int:
        """What is still open of a claim, in yen."""
        return claim.total - sum(p.amount for p in self.parts if p.claim_id == claim.claim_id)

    def billed_lines(self, contract_id: UUID, month: str) -> tuple[ChargeLine, ...]:
        """All lines ever billed for a billing month of a contract, adjustments included."""
        return tuple(
            line
            for document in self.issued
            for line in document.lines
            if line.contract_id == contract_id and (line.adjusts or line.month) == month
        )

    def bills_of(self, contract_id: UUID) -> dict[str, Issued]:
        """The invoice that first billed each billing month of a contract, by month."""
        bills: dict[str, Issued] = {}
        for document in self.issued:
            if document.credit_note:
                continue
            for line in document.lines:
                if line.contract_id == contract_id and line.month and not line.adjusts:
                    bills.setdefault(line.month, document)
        return bills

    def claims_of(self, month: str) -> tuple[Claim, ...]:
        """The claims that a payment or certificate naming this month means."""
        return tuple(c for c in self.claims if not c.interest and month in (c.month, *c.months))


AccountState = Unopened | Account


@lru_cache(maxsize=4096)
def account_of(contract_id: UUID) -> UUID:
    """The account of a contract that no other arrangement was made for."""
    return uuid5(_ACCOUNTS, str(contract_id))


def fold_account(events: Iterable[AccountEvent]) -> AccountState:
    """The account after these events, oldest first."""
    return _FOLD.state(events)


def fold_account_from(account: Account, events: Iterable[AccountEvent]) -> Account:
    """An open account after more events; an account once open stays so."""
    for event in events:
        account = opened(evolve(account, event))
    return account


def evolve(state: AccountState, event: AccountEvent) -> AccountState:  # noqa: C901, PLR0911, PLR0912 - one case an event type
    """The account after one more event."""
    if isinstance(event, AccountOpened):
        return Account(
            account_id=event.account_id,
            customer_id=event.customer_id,
            contract_ids=event.contract_ids,
            opened_on=event.opened_on,
        )
    if isinstance(state, Unopened):
        return state
    match event:
        case AccountArranged():
            return replace(state, arrangement=event)
        case DueDateAgreed():
            agreed = {**state.due_dates, (event.contract_id, event.month): event.due_on}
            return replace(state, due_dates=MappingProxyType(agreed))
        case MonthsLumped():
            return replace(state, lumps=(*state.lumps, event))
        case InvoiceIssued():
            return _invoiced(state, event)
        case CreditNoteIssued():
            return _credited(state, event)
        case PenaltyCharged():
            return _demanded(state, event)
        case PaymentReceived():
            return _paid(state, event)
        case PaymentReversed():
            return _unpaid(state, event)
        case LateInterestCharged():
            return _interest_charged(state, event)
        case LateInterestWaived():
            return replace(
                state,
                pending=tuple(e for e in state.pending if e not in event.entries),
                waived=(*state.waived, *event.entries),
            )
        case SurplusApplied():
            parts = _parts(event.applied, payment_id=None, paid_on=event.applied_on)
            return replace(state, parts=(*state.parts, *parts), unapplied=event.unapplied)
        case PaymentLate():
            return replace(state, noticed=state.noticed | {event.invoice_id})
        case ArrearsSettled():
            return replace(state, noticed=state.noticed - {event.invoice_id})
        case DebtsAccelerated():
            claims, parts = accelerated(state.claims, state.parts, event=event)
            return replace(
                state,
                claims=claims,
                parts=parts,
                accelerations=(*state.accelerations, event),
                no_grounds=state.no_grounds - {event.because_of},
                due_dates_moved=True,
            )
        case AccelerationWithdrawn():
            claims, parts = restored(state.claims, state.parts, event=event)
            left = tuple(e for e in state.accelerations if e.because_of != event.because_of)
            return replace(
                state,
                claims=claims,
                parts=parts,
                accelerations=left,
                no_grounds=state.no_grounds | {event.because_of},
            )
        case _:
            assert_never(event)


def _interest_charged(state: Account, event: LateInterestCharged) -> Account:
    replaced = [(event.payment_id, entry) for entry in event.instead_of]
    kept = tuple(pair for pair in state.interest if pair not in replaced)
    return replace(
        state,
        interest=(*kept, *((event.payment_id, entry) for entry in event.entries)),
        pending=(*(e for e in state.pending if e not in event.instead_of), *event.entries),
    )


def _invoiced(state: Account, event: InvoiceIssued) -> Account:
    document = Issued(
        document_id=event.invoice_id,
        number=event.number,
        run_id=event.run_id,
        contract_ids=event.contract_ids,
        month=event.month,
        from_on=event.from_on,
        to_on=event.to_on,
        total=event.total,
        issued_on=event.issued_on,
        due_on=event.due_on,
        refers_to=event.refers_to,
        credit_note=False,
        lines=event.lines,
        tax=event.tax,
        agreed_due_on=event.agreed_due_on,
    )
    shown = tuple(e.model_copy(update={"charged": True}) for e in event.interest)
    return replace(
        state,
        issued=(*state.issued, document),
        claims=(*state.claims, *claims_of_invoice(event)),
        pending=tuple(
            e for e in state.pending if e.model_copy(update={"charged": True}) not in shown
        ),
    )


def _credited(state: Account, event: CreditNoteIssued) -> Account:
    document = Issued(
        document_id=event.credit_note_id,
        number=event.number,
        run_id=event.run_id,
        contract_ids=event.contract_ids,
        month=event.month,
        from_on=event.from_on,
        to_on=event.to_on,
        total=event.total,
        issued_on=event.issued_on,
        due_on=None,
        refers_to=event.refers_to,
        credit_note=True,
        lines=event.lines,
    )
    documents = frozenset({event.refers_to})
    return _lowered(
        replace(state, issued=(*state.issued, document)), documents=documents, by=-event.total
    )


def _demanded(state: Account, event: PenaltyCharged) -> Account:
    """Add a demand; a negative one lowers those made before under its key."""
    after = replace(state, demands=(*state.demands, event))
    if event.total >= 0:
        return replace(after, claims=(*state.claims, claim_of_demand(event)))
    same = frozenset(
        d.penalty_id
        for d in state.demands
        if (d.contract_id, d.key) == (event.contract_id, event.key)
    )
    return _lowered(after, documents=same, by=-event.total)


def _lowered(state: Account, *, documents: frozenset[UUID], by: int) -> Account:
    """Lower the claims of documents, the last due first; what was paid already is left over."""
    left = by
    lowered: dict[UUID, int] = {}
    for claim in reversed(state.claims):
        if claim.document_id in documents and not claim.interest and left > 0:
            lowered[claim.claim_id] = min(left, claim.total)
            left -= lowered[claim.claim_id]
    claims = tuple(
        replace(claim, total=claim.total - lowered.get(claim.claim_id, 0)) for claim in state.claims
    )
    after = replace(state, claims=claims)
    over, parts = _cut_parts(after)
    return replace(after, parts=parts, unapplied=state.unapplied + over + left)


def _cut_parts(state: Account) -> tuple[int, tuple[PaidPart, ...]]:
    """What was paid over the claims' totals, and the parts without it, the latest cut first."""
    over_by_claim = {c.claim_id: max(0, -state.open_of(c)) for c in state.claims}
    total_over = sum(over_by_claim.values())
    kept: list[PaidPart] = []
    for part in reversed(state.parts):
        cut = min(part.amount, over_by_claim.get(part.claim_id, 0))
        over_by_claim[part.claim_id] = over_by_claim.get(part.claim_id, 0) - cut
        if part.amount > cut:
            kept.append(replace(part, amount=part.amount - cut))
    return total_over, tuple(reversed(kept))


def _parts(
    applied: Iterable[AppliedPart], *, payment_id: UUID | None, paid_on: date
) -> tuple[PaidPart, ...]:
    return tuple(
        PaidPart(claim_id=a.debt_id, payment_id=payment_id, paid_on=paid_on, amount=a.amount)
        for a in applied
    )


def _paid(state: Account, event: PaymentReceived) -> Account:
    parts = _parts(event.applied, payment_id=event.payment_id, paid_on=event.settled_on)
    return replace(
        state,
        payments=MappingProxyType({**state.payments, event.payment_id: event}),
        parts=(*state.parts, *parts),
        unapplied=state.unapplied + event.unapplied,
    )


def _unpaid(state: Account, event: PaymentReversed) -> Account:
    """Take a payment's parts back, and as much of what was left over as it had brought.

    Interest that its parts bore and no document shows yet is no longer owed.
    """
    gone = tuple(e for payment_id, e in state.interest if payment_id == event.payment_id)
    missing = max(0, state.payments[event.payment_id].unapplied - state.unapplied)
    kept: list[PaidPart] = []
    for part in reversed(state.parts):
        if part.payment_id == event.payment_id:
            continue
        cut = min(part.amount, missing) if part.payment_id is None else 0
        missing -= cut
        if part.amount > cut:
            kept.append(replace(part, amount=part.amount - cut))
    brought = state.payments[event.payment_id].unapplied
    return replace(
        state,
        reversed=state.reversed | {event.payment_id},
        parts=tuple(reversed(kept)),
        interest=tuple(pair for pair in state.interest if pair[0] != event.payment_id),
        pending=tuple(e for e in state.pending if e not in gone),
        unapplied=max(0, state.unapplied - brought),
    )


def _name(first: AccountEvent) -> UUID | None:
    return first.account_id if isinstance(first, AccountOpened) else None


_UNOPENED: AccountState = Unopened()
_FOLD = Fold(begin=_UNOPENED, evolve=evolve, of=_name)


def open_account(
    state: AccountState,
    *,
    account_id: UUID,
    customer_id: UUID,
    contract_ids: tuple[UUID, ...],
    opened_on: date,
) -> tuple[AccountEvent, ...]:
    """Open the account; opening it for the same again changes nothing."""
    if isinstance(state, Account):
        if (state.customer_id, state.contract_ids) != (customer_id, contract_ids):
            raise AlreadyOpen
        return ()
    return (
        AccountOpened(
            account_id=account_id,
            customer_id=customer_id,
            contract_ids=contract_ids,
            opened_on=opened_on,
        ),
    )


def opened(state: AccountState) -> Account:
    """The account, which must be open; raises NotFound."""
    if isinstance(state, Unopened):
        raise NotFound("there is no such account")
    return state


def open_debts(account: Account) -> tuple[Debt, ...]:
    """The claims with a due date that money can settle, with what is open of each."""
    return tuple(
        debt_of(claim, open_amount=amount)
        for claim in account.claims
        if claim.due_on is not None and (amount := account.open_of(claim)) > 0
    )


def debt_of(claim: Claim, *, open_amount: int) -> Debt:
    """A claim that has a due date, as a debt with so much of it open."""
    assert claim.due_on is not None  # another is settled only by what is over
    return Debt(
        debt_id=claim.claim_id,
        month=claim.month,
        due_on=claim.due_on,
        total=open_amount,
        arises_on=claim.arises_on,
        bears_interest=claim.bears_interest,
    )
