"""What billing itself records about a contract: revisions billed, and facts that cost or free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, assert_never
from uuid import UUID

from libs.events.corrections import with_values
from libs.events.envelope import Recorded
from libs.events.vocabulary.billing import (
    ActualCostRecorded,
    BillingFactCorrected,
    CertificateIssued,
    ChargesAssessed,
    ContractBillingEvent,
    EvasionFound,
    InvoiceReissued,
    QualifiedInvoiceIssued,
    ReliefGranted,
    UnderbillingFound,
)
from libs.refusal.refusal import NotFound, Refusal
from services.billing.domain.account import Account
from services.billing.domain.payments import unpaid_on
from services.billing.domain.rules.demanded import Evasion
from services.billing.domain.rules.papers import Paper, Refused
from services.billing.domain.rules.relief import DisasterRelief
from services.billing.domain.terms import BillingTerms

CostKind = Literal[
    "repair",
    "damages",
    "disclosure",
    "attendance",
    "work",
    "delivery",
    "move_repair",
    "defect_repair",
]

_PERCENT = 100
_IDENTITY = frozenset({"type", "contract_id"})


class OneRelief(Refusal):
    """Relief is the whole fee, a share, a sum, or days: one of them.

    Clauses: WUTM-33.1, WSRV-33a (percentage, fixed amount or waiver, or given days).
    """

    code = "one-form-of-relief"
    title = "Relief is exactly one of: full, a percentage, an amount, or days"


class NotAnAmount(Refusal):
    """An amount owed is more than nothing."""

    code = "not-an-amount"
    title = "The amount must be more than 0 yen"


class ClaimAssigned(Refusal):
    """The billing agent, to whom the claim was assigned, may certify it; we may not."""

    code = "claim-assigned"
    title = "No certificate for a claim assigned to the billing agent"


class NotFullyPaid(Refusal):
    """Only what is fully paid can be certified."""

    code = "not-fully-paid"
    title = "The month to be certified is not fully paid"


class FactUnknown(NotFound):
    """The contract has no such fact in billing; what was issued is none, and never changes."""

    code = "fact-unknown"
    title = "There is no such fact to correct"


class WrongCorrection(Refusal):
    """The new values do not fit the fact."""

    code = "wrong-correction"
    title = "The new values do not fit the fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """The last revision billed of each month, and the facts recorded here by event id."""

    revisions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[UUID, ContractBillingEvent] = field(default_factory=lambda: MappingProxyType({}))


def fold_record(events: Sequence[Recorded[ContractBillingEvent]]) -> ContractRecord:
    """What billing has on record about a contract, from its own stream."""
    revisions: dict[str, int] = {}
    facts: dict[UUID, ContractBillingEvent] = {}
    for recorded in events:
        event = recorded.event
        match event:
            case ChargesAssessed():
                revisions[event.month] = event.revision
            case (
                ReliefGranted()
                | EvasionFound()
                | UnderbillingFound()
                | CertificateIssued()
                | QualifiedInvoiceIssued()
                | InvoiceReissued()
                | ActualCostRecorded()
                | BillingFactCorrected()
            ):
                facts[recorded.envelope.event_id] = event
            case _:
                assert_never(event)
    return ContractRecord(revisions=MappingProxyType(revisions), facts=MappingProxyType(facts))


def grant_relief(wished: ReliefGranted, *, terms: BillingTerms) -> tuple[ContractBillingEvent, ...]:
    """Grant disaster relief in one of its forms.

    Clauses: WUTM-33.1, WSRV-33a (an operator creates it; before tax, never below zero).
    """
    policy = terms.policy(DisasterRelief, on=max(wished.granted_on, terms.first_on))
    clause = policy.clause[0] if policy else None
    days = wished.from_on is not None or wished.to_on is not None
    forms = [wished.full, wished.percent is not None, wished.amount is not None, days]
    if sum(forms) != 1:
        raise OneRelief(clause=clause)
    if wished.percent is not None and not 0 < wished.percent <= _PERCENT:
        raise OneRelief("a percentage is 1 to 100", clause=clause, field="/percent")
    if wished.amount is not None and wished.amount <= 0:
        raise OneRelief("an amount is more than 0 yen", clause=clause, field="/amount")
    if days and (wished.from_on is None or wished.to_on is None or wished.to_on < wished.from_on):
        raise OneRelief("days run from a first to a last day", clause=clause, field="/to_on")
    return (wished,)


def find_evasion(wished: EvasionFound, *, terms: BillingTerms) -> tuple[ContractBillingEvent, ...]:
    """Record that a charge was unlawfully evaded: it and its surcharge will be demanded.

    Clauses: WUTM-26.1, WUTM-26.2, WSRV-26a.
    """
    if wished.evaded <= 0:
        policy = terms.policy(Evasion, on=max(wished.found_on, terms.first_on))
        raise NotAnAmount(clause=policy.evaded[0] if policy else None, field="/evaded")
    return (wished,)


def find_underbilling(wished: UnderbillingFound) -> tuple[ContractBillingEvent, ...]:
    """Record that a month was billed too low; a bill that was right, or too high, changes nothing.

    Clauses: WUTM-25.3.1, WSRV-25.2a (the difference is owed), WUTM-25.3.2 (or waived, on record).
    """
    return (wished,) if wished.correct > wished.billed else ()


def record_cost(wished: ActualCostRecorded) -> tuple[ContractBillingEvent, ...]:
    """Record an actual cost as spent, in yen.

    Clauses: NSEC-21.2, NSEC-26.3, WUTM-38.3, WSRV-37.3 (passed on as spent).
    """
    if wished.amount <= 0:
        raise NotAnAmount(field="/amount")
    return (wished,)


def issue_certificate(
    account: Account,
    *,
    wished: CertificateIssued,
    assigned: bool | None,
    terms: BillingTerms,
) -> tuple[ContractBillingEvent, ...]:
    """Certify that a month (None: anything) was paid.

    `assigned` overrides what the account says of the claim. Where the terms know no certificate
    nothing is refused, and it costs nothing.

    Clauses: WUTM-A4.4.1.1, WSRV-A4.5.1 (only what is fully paid), WUTM-A4.4.1.2 (no assigned claim).
    """
    rules = _refusing(terms, on=wished.requested_on)
    if rules is None:
        return (wished,)
    if assigned if assigned is not None else _is_assigned(account, month=wished.month):
        raise ClaimAssigned(clause=rules.assigned, field="/month")
    if wished.month is not None:
        unpaid = unpaid_on(account, month=wished.month, on=wished.requested_on)
        if unpaid is None:
            raise NotFullyPaid(
                f"{wished.month} has no invoice with a due date",
                clause=rules.unpaid,
                field="/month",
            )
        if unpaid > 0:
            raise NotFullyPaid(
                f"{unpaid:,} yen of {wished.month} were unpaid on {wished.requested_on}",
                clause=rules.unpaid,
                field="/month",
            )
    return (wished,)


def _refusing(terms: BillingTerms, *, on: date) -> Refused | None:
    papers = [p for p in terms.at(max(on, terms.first_on)).charging if isinstance(p, Paper)]
    return next((paper.refused for paper in papers if paper.item == "certificate"), None)


def _is_assigned(account: Account, *, month: str | None) -> bool:
    """Whether a claim is assigned: all are, or the month's is among those named.

    Clauses: WUTM-34.1, WSRV-34.N (a flag per claim).
    """
    if account.arrangement is None:
        return False
    claims = account.arrangement.claims_assigned
    return claims if isinstance(claims, bool) else month in claims


def correct_fact(
    record: ContractRecord,
    *,
    contract_id: UUID,
    corrects: UUID,
    values: dict[str, Any] | None,
    reason: str,
) -> tuple[ContractBillingEvent, ...]:
    """Put a recorded fact right: new values for named fields, or None to withdraw it."""
    fact = record.facts.get(corrects)
    if fact is None:
        raise FactUnknown(field="/corrects")
    if values is not None:
        _fits(fact, values=values)
    return (
        BillingFactCorrected(
            contract_id=contract_id, corrects=corrects, values=values, reason=reason
        ),
    )


def _fits(fact: ContractBillingEvent, *, values: dict[str, Any]) -> None:
    for name in values.keys() & _IDENTITY:
        raise WrongCorrection(f"{name} is nothing to correct here", field=f"/values/{name}")
    try:
        with_values(fact, values)
    except ValueError as error:
        raise WrongCorrection(str(error), field="/values") from error
