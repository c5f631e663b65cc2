"""The commands of billing over its ports: what the HTTP edge and offline play both call.

A command takes plain values and the cause; it decides on the account's stream or the contract's
and gives what was appended. With `expected` the caller's version must be the present one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import NO_RIDERS, Appended, Decision, Riders
from libs.events.vocabulary.billing import (
    AccountArranged,
    AccountEvent,
    ActualCostRecorded,
    CertificateIssued,
    ContractBillingEvent,
    EvasionFound,
    InvoiceReissued,
    QualifiedInvoiceIssued,
    ReliefGranted,
    UnderbillingFound,
)
from libs.events.vocabulary.contracts import PaymentMethod
from libs.refusal.refusal import NotFound
from services.billing.domain import arrangement, contract_facts, payments
from services.billing.domain.account import (
    Account,
    AccountState,
    Unopened,
    fold_account,
    opened,
)
from services.billing.domain.contract_facts import CostKind, fold_record
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline
from services.billing.ports import Billing


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What comes with a command beside its values."""

    cause: Cause
    expected: int | None = None
    riders: Riders = NO_RIDERS


class UnknownContract(NotFound):
    """Billing has seen nothing of this contract."""

    code = "contract-unknown"
    title = "There is no such contract"


def account_events(events: Sequence[Recorded[Event]]) -> list[AccountEvent]:
    """The events of an account's stream, as its union."""
    return [cast("AccountEvent", recorded.event) for recorded in events]


async def account_state(billing: Billing, account_id: UUID) -> tuple[Account, int]:
    """The account and the version of its stream; raises NotFound."""
    events = await billing.log.load(account_id)
    return opened(fold_account(account_events(events))), len(events)


async def account_for(billing: Billing, contract_id: UUID) -> UUID:
    """The account that pays for a contract; raises UnknownContract."""
    account_id = await billing.timelines.account_of(contract_id)
    if account_id is None:
        await billing.timelines.level(await billing.log.position())
        account_id = await billing.timelines.account_of(contract_id)
    if account_id is None:
        raise UnknownContract
    return account_id


async def timeline_of(
    billing: Billing, contract_id: UUID, *, known_until: datetime | None = None
) -> Timeline:
    """All that is known of a contract now, own facts included; raises UnknownContract.

    With `known_until` only what was recorded before it.
    """
    await billing.timelines.level(await billing.log.position())
    return await _known(billing, contract_id, known_until=known_until)


async def _known(
    billing: Billing, contract_id: UUID, *, known_until: datetime | None = None
) -> Timeline:
    """The contract's timeline, which may lack own facts of this moment."""
    known = await billing.timelines.of([contract_id], known_until=known_until)
    found = known.get(contract_id)
    if found is None or not found.service:
        raise UnknownContract
    return found


async def terms_of_account(billing: Billing, account: Account) -> BillingTerms:
    """The terms of the account's contracts; raises UnknownContract while none is known."""
    return await _terms(billing, account.contract_ids[0])


async def _terms(billing: Billing, contract_id: UUID) -> BillingTerms:
    return billing.terms.of((await _known(billing, contract_id)).service)


async def arrange(
    billing: Billing,
    account_id: UUID,
    *,
    payment_method: PaymentMethod,
    arranged_on: date,
    write: Write,
    consolidated_claim: bool = False,
    issue_fee_exempt: bool = False,
    claims_assigned: bool | tuple[str, ...] = False,
    wants_qualified_invoice: bool = False,
    qualified_invoice_postage: int = 0,
) -> Appended:
    """Put the whole arrangement of an account from `arranged_on` on."""
    wished = AccountArranged(
        account_id=account_id,
        arranged_on=arranged_on,
        payment_method=payment_method,
        consolidated_claim=consolidated_claim,
        issue_fee_exempt=issue_fee_exempt,
        claims_assigned=claims_assigned,
        wants_qualified_invoice=wants_qualified_invoice,
        qualified_invoice_postage=qualified_invoice_postage,
    )
    return await _on_account(
        billing, account_id, lambda state: arrangement.arrange(state, wished=wished), write=write
    )


async def agree_due_date(
    billing: Billing,
    account_id: UUID,
    *,
    contract_id: UUID,
    month: str,
    due_on: date,
    write: Write,
) -> Appended:
    """Agree the due date of a billing month's invoice that is still to come."""
    return await _on_account(
        billing,
        account_id,
        lambda state: arrangement.agree_due_date(
            state, contract_id=contract_id, month=month, due_on=due_on
        ),
        write=write,
    )


async def lump_months(
    billing: Billing,
    account_id: UUID,
    *,
    contract_id: UUID,
    months: Sequence[str],
    due_on: date,
    decided_on: date,
    write: Write,
) -> Appended:
    """Put two or more billing months on one bill with one due date."""
    account, _ = await account_state(billing, account_id)
    terms = await terms_of_account(billing, account)
    return await _on_account(
        billing,
        account_id,
        lambda state: arrangement.lump_months(
            state,
            contract_id=contract_id,
            months=months,
            due_on=due_on,
            decided_on=decided_on,
            terms=terms,
        ),
        write=write,
    )


async def receive_payment(
    billing: Billing,
    account_id: UUID,
    *,
    payment_id: UUID,
    received_on: date,
    write: Write,
    amount: int | None = None,
    settled_on: date | None = None,
    names: str | None = None,
) -> Appended:
    """Take money in; without `amount` it is all that is open of what it `names`."""
    account, _ = await account_state(billing, account_id)
    terms = await terms_of_account(billing, account)
    return await _on_account(
        billing,
        account_id,
        lambda state: payments.receive_payment(
            state,
            payment_id=payment_id,
            amount=amount,
            received_on=received_on,
            settled_on=settled_on or received_on,
            names=names,
            terms=terms,
        ),
        write=write,
    )


async def reverse_payment(
    billing: Billing,
    account_id: UUID,
    *,
    payment_id: UUID,
    reversed_on: date,
    reason: str,
    write: Write,
) -> Appended:
    """Take back a payment that did not hold."""
    return await _on_account(
        billing,
        account_id,
        lambda state: payments.reverse_payment(
            state, payment_id=payment_id, reversed_on=reversed_on, reason=reason
        ),
        write=write,
    )


async def grant_relief(
    billing: Billing,
    contract_id: UUID,
    *,
    granted_on: date,
    write: Write,
    full: bool = False,
    percent: int | None = None,
    amount: int | None = None,
    from_on: date | None = None,
    to_on: date | None = None,
    reason: str = "",
) -> Appended:
    """Grant disaster relief: the whole fee, a percentage, an amount before tax, or days."""
    wished = ReliefGranted(
        contract_id=contract_id,
        granted_on=granted_on,
        full=full,
        percent=percent,
        amount=amount,
        from_on=from_on,
        to_on=to_on,
        reason=reason,
    )
    terms = await _terms(billing, contract_id)
    return await _record(
        billing,
        contract_id,
        lambda: contract_facts.grant_relief(wished, terms=terms),
        write=write,
    )


async def find_evasion(
    billing: Billing,
    contract_id: UUID,
    *,
    found_on: date,
    evaded: int,
    write: Write,
    original_on: date | None = None,
    due_on: date | None = None,
) -> Appended:
    """Record a charge that was unlawfully evaded, in yen before tax."""
    wished = EvasionFound(
        contract_id=contract_id,
        found_on=found_on,
        evaded=evaded,
        original_on=original_on or found_on,
        due_on=due_on,
    )
    terms = await _terms(billing, contract_id)
    return await _record(
        billing,
        contract_id,
        lambda: contract_facts.find_evasion(wished, terms=terms),
        write=write,
    )


async def find_underbilling(
    billing: Billing,
    contract_id: UUID,
    *,
    found_on: date,
    original_on: date,
    billed: int,
    correct: int,
    write: Write,
    due_on: date | None = None,
    waived: bool = False,
) -> Appended:
    """Record that the bill of the month of `original_on` was too low, both before tax."""
    wished = UnderbillingFound(
        contract_id=contract_id,
        found_on=found_on,
        original_on=original_on,
        billed=billed,
        correct=correct,
        due_on=due_on,
        waived=waived,
    )
    return await _record(
        billing, contract_id, lambda: contract_facts.find_underbilling(wished), write=write
    )


async def issue_certificate(
    billing: Billing,
    contract_id: UUID,
    *,
    requested_on: date,
    issued_on: date,
    write: Write,
    month: str | None = None,
    assigned: bool | None = None,
    copies: int = 1,
    postage: int = 0,
    other_costs: int = 0,
) -> Appended:
    """Issue a payment certificate; refused for an assigned claim and for what is not paid."""
    terms = await _terms(billing, contract_id)
    account, _ = await account_state(billing, await account_for(billing, contract_id))
    wished = CertificateIssued(
        contract_id=contract_id,
        requested_on=requested_on,
        issued_on=issued_on,
        month=month,
        copies=copies,
        postage=postage,
        other_costs=other_costs,
    )
    return await _record(
        billing,
        contract_id,
        lambda: contract_facts.issue_certificate(
            account, wished=wished, assigned=assigned, terms=terms
        ),
        write=write,
    )


async def issue_qualified_invoice(
    billing: Billing,
    contract_id: UUID,
    *,
    requested_on: date,
    issued_on: date,
    write: Write,
    copies: int = 1,
    postage: int = 0,
    other_costs: int = 0,
) -> Appended:
    """Issue a qualified invoice on request; its fee stands on the invoice of that month."""
    wished = QualifiedInvoiceIssued(
        contract_id=contract_id,
        requested_on=requested_on,
        issued_on=issued_on,
        copies=copies,
        postage=postage,
        other_costs=other_costs,
    )
    return await _record(billing, contract_id, lambda: (wished,), write=write)


async def reissue_invoice(
    billing: Billing,
    contract_id: UUID,
    *,
    reissued_on: date,
    reason: Literal["customer", "company"],
    write: Write,
) -> Appended:
    """Issue an invoice again, at the customer's wish or for the company's mistake."""
    wished = InvoiceReissued(contract_id=contract_id, reissued_on=reissued_on, reason=reason)
    return await _record(billing, contract_id, lambda: (wished,), write=write)


async def record_actual_cost(
    billing: Billing,
    contract_id: UUID,
    *,
    recorded_on: date,
    kind: CostKind,
    amount: int,
    write: Write,
    due_on: date | None = None,
) -> Appended:
    """Record a cost the customer owes that the terms do not name an amount for, in yen."""
    wished = ActualCostRecorded(
        contract_id=contract_id,
        recorded_on=recorded_on,
        kind=kind,
        amount=amount,
        due_on=due_on,
    )
    return await _record(
        billing, contract_id, lambda: contract_facts.record_cost(wished), write=write
    )


async def correct_fact(
    billing: Billing,
    contract_id: UUID,
    *,
    corrects: UUID,
    values: dict[str, Any] | None,
    reason: str,
    write: Write,
) -> Appended:
    """Put right a fact that billing recorded about a contract, or withdraw it (`values` None)."""
    await _known(billing, contract_id)

    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        record = fold_record(cast("Sequence[Recorded[ContractBillingEvent]]", events))
        return contract_facts.correct_fact(
            record, contract_id=contract_id, corrects=corrects, values=values, reason=reason
        )

    return await _decide(billing, contract_id, decision, write=write)


async def notice_late(
    billing: Billing, account_id: UUID, *, until: date, write: Write
) -> Appended | None:
    """Say which claims of an account became late on or before `until`; None without any."""
    account, _ = await account_state(billing, account_id)
    terms = await terms_of_account(billing, account)
    if (day := payments.next_late_on(account, terms=terms)) is None or day > until:
        return None
    return await _on_account(
        billing,
        account_id,
        lambda state: payments.notice_late(state, until=until, terms=terms),
        write=write,
    )


async def next_late_on(billing: Billing, account_id: UUID) -> date | None:
    """The earliest day on which a claim of the account becomes late and it was not said yet."""
    state = fold_account(account_events(await billing.log.load(account_id)))
    if isinstance(state, Unopened) or not state.claims:
        return None
    return payments.next_late_on(state, terms=await terms_of_account(billing, state))


def revisions_of(events: Sequence[Recorded[Event]]) -> dict[str, int]:
    """The last revision billed of each month, from the contract's stream."""
    record = fold_record(cast("Sequence[Recorded[ContractBillingEvent]]", events))
    return dict(record.revisions)


async def _on_account(
    billing: Billing,
    account_id: UUID,
    decide: Callable[[AccountState], Sequence[Event]],
    *,
    write: Write,
) -> Appended:
    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return decide(fold_account(account_events(events)))

    return await _decide(billing, account_id, decision, write=write)


async def _record(
    billing: Billing,
    contract_id: UUID,
    decide: Callable[[], Sequence[Event]],
    *,
    write: Write,
) -> Appended:
    """Record a fact about a contract that is known and has an account."""
    await account_for(billing, contract_id)
    return await _decide(billing, contract_id, lambda _: decide(), write=write)


async def _decide(
    billing: Billing, stream_id: UUID, decision: Decision, *, write: Write
) -> Appended:
    return await billing.log.decide(
        stream_id, decision, cause=write.cause, expected=write.expected, riders=write.riders
    )
