"""From the application to the day before the first day of provision."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    Content,
    ContractApplied,
    ContractApproved,
    ContractDeclined,
    ContractEvent,
    ContractFormed,
    InitialWorkScheduled,
    ServiceStarted,
    TicketOrdered,
    WorkAccepted,
)
from services.contracts.domain.contract import (
    Declined,
    Ended,
    Formed,
    InForce,
    Living,
    Revoked,
    UnderReview,
    Unknown,
)
from services.contracts.domain.facts import Life
from services.contracts.domain.refusals import (
    AlreadyAccepted,
    AlreadyEnded,
    AlreadyExists,
    AlreadyStarted,
    IncompleteApplication,
    NotAGround,
    NotFormed,
    NotInForce,
    NotOfThisService,
    NotUnderReview,
    WorkOnHold,
)
from services.contracts.domain.terms import Application, ContractTerms, Rule, TicketKind

Events = tuple[ContractEvent, ...]
R = TypeVar("R")


def known(rule: R | None, *, what: str) -> R:
    """What the terms say of something. Raises `NotOfThisService` where they say nothing."""
    if rule is None:
        raise NotOfThisService(f"the service knows no {what}")
    return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody applies for."""

    contract_id: UUID
    customer_id: UUID
    service: str
    content: Content
    consents: tuple[str, ...]


def apply(
    life: Life, *, wish: Wish, applied_on: date, terms: ContractTerms, terms_version: date
) -> Events:
    """Take in an application under the terms in force on its day; the same one again is nothing.

    Refused when a consent is missing, or the content is not what the service is sold in. Where the
    terms say so, a complete application forms the contract on the day of its receipt.

    Clauses: NSEC-6.1, NSEC-2.1b, NSEC-24.1, NSEC-A2.1, NSEC-A3.1, NSEC-A3.2, WSRV-7.1, WSRV-7.1.2,
    WSRV-7.2, WSRV-7.3, WSRV-23.1.1, WSRV-23.1.2, WSRV-23.1.3, WSRV-23.1.4, WSRV-23.1.5,
    WSRV-36.1, NQMS-6.1.c8.v1, NQMS-6.1.c9.v1, RRNS-5.1, RRNS-5.2, RRNS-43.1, WUTM-7.1.1, WUTM-7.1.2, WUTM-7.2, WUTM-14.4,
    WUTM-23.1.1, WUTM-23.1.2, WUTM-23.1.3, WUTM-23.1.4, WUTM-23.1.5, WUTM-37.1.
    """
    _complete(wish, terms=terms.application)
    applied = ContractApplied(
        contract_id=wish.contract_id,
        service=wish.service,
        customer_id=wish.customer_id,
        terms_version=terms_version,
        applied_on=applied_on,
        content=wish.content,
        consents=wish.consents,
    )
    if isinstance(life.now, Unknown):
        return (applied, *_formed(wish, on=applied_on, terms=terms))
    if life.now.application == applied:
        return ()
    raise AlreadyExists(f"contract {wish.contract_id} is another one", field="/contract_id")


def _formed(wish: Wish, *, on: date, terms: ContractTerms) -> Events:
    if terms.formation is None:
        return ()
    formed = ContractFormed(
        contract_id=wish.contract_id,
        formed_on=on,
        effective_on=on,
        customer_id=wish.customer_id,
        service=wish.service,
    )
    return (formed,)


def approve(life: Life, *, approved_on: date, document_number: str) -> Events:
    """Accept the application under review, which forms the contract; again changes nothing.

    Clauses: NSEC-6.2b, WUTM-9.1.1, WUTM-9.1.2, WSRV-9.1a, WSRV-9.1b, NQMS-5.2a.v1, NQMS-5.3a.v2.
    """
    match life.now:
        case UnderReview(application):
            return (
                ContractApproved(
                    contract_id=application.contract_id,
                    customer_id=application.customer_id,
                    service=application.service,
                    approved_on=approved_on,
                    document_number=document_number,
                ),
            )
        case Formed() | InForce():
            return ()
        case Unknown() | Declined() | Ended() | Revoked():
            raise NotUnderReview


def decline(life: Life, *, declined_on: date, ground: str, terms: ContractTerms) -> Events:
    """Refuse the application on one of the grounds of the terms; again changes nothing.

    Every ground is a power, not a duty: an operator judges.

    Clauses: NSEC-6.3.1, NSEC-6.3.2, NSEC-6.3.3, NSEC-6.3.4, NSEC-6.3.5, NSEC-6.3.7,
    WUTM-9.3.1, WUTM-9.3.2, WUTM-9.3.3, WUTM-9.3.4, WUTM-9.3.5, WUTM-9.3.6, NSEC-6.3.6,
    WSRV-9.3.0, WSRV-9.3.1, WSRV-9.3.2, WSRV-9.3.3, WSRV-9.3.4, WSRV-9.3.5, WSRV-9.3.6.
    """
    rule = ground_among(terms.declining, ground)
    match life.now:
        case UnderReview(application):
            return (
                ContractDeclined(
                    contract_id=application.contract_id,
                    declined_on=declined_on,
                    ground=ground,
                    clause=rule.clause,
                ),
            )
        case Declined():
            return ()
        case Unknown() | Formed() | InForce() | Ended() | Revoked():
            raise NotUnderReview


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What the operator spent until a revocation, in yen, and when it is due."""

    amount: int = 0
    due_on: date | None = None


def revoke_approval(
    life: Life, *, revoked_on: date, ground: str, costs: Costs, terms: ContractTerms
) -> Events:
    """Take the acceptance back because a ground of declining has come to light; again: nothing.

    Clauses: NSEC-6.4a, WUTM-9.4, WSRV-9.4.
    """
    rule = known(terms.revocation, what="revocation")
    ground_among(terms.declining, ground)
    if isinstance(life.now, Revoked) and life.now.revoked_on == revoked_on:
        return ()
    living = living_on(life, revoked_on, clause=rule.clause)
    return (
        ApprovalRevoked(
            contract_id=application_id(living),
            revoked_on=revoked_on,
            ground=ground,
            costs=costs.amount,
            costs_due_on=costs.due_on,
        ),
    )


def schedule_initial_work(life: Life, *, scheduled_on: date, terms: ContractTerms) -> Events:
    """Set, or move, the day of the initial work of a formed contract.

    Clauses: WUTM-9.2.1, WSRV-9.2a.
    """
    rule = known(terms.initial_work, what="initial work")
    match living_on(life, scheduled_on, clause=rule.clause):
        case Formed(application=application, work_on=work_on):
            if work_on == scheduled_on:
                return ()
            return (
                InitialWorkScheduled(
                    contract_id=application.contract_id, scheduled_on=scheduled_on
                ),
            )
        case InForce():
            raise AlreadyStarted(clause=rule.clause)


def start(life: Life, *, started_on: date, terms: ContractTerms) -> Events:
    """Provision begins; `started_on` is its first day. The same day again changes nothing.

    Clauses: WUTM-9.1.3, WUTM-9.2.2 (the day the initial work is completed; not before the
    contract exists), WSRV-9.2b, NQMS-20.1.v1, NQMS-20.1.v2.
    """
    rule = known(terms.start, what="start")
    match living_on(life, started_on, clause=rule.clause):
        case Formed(application=application):
            return (ServiceStarted(contract_id=application.contract_id, started_on=started_on),)
        case InForce(started_on=known_on) if known_on == started_on:
            return ()
        case InForce(started_on=known_on):
            raise AlreadyStarted(f"it started on {known_on}", clause=rule.clause)


def accept_work(life: Life, *, accepted_on: date, terms: ContractTerms) -> Events:
    """The ordered work was finished on that day (検収); the same day again changes nothing.

    While a cancellation waits for the payment of its loss the work rests.

    Clauses: RRNS-3.D2, RRNS-10.2, RRNS-28.2 (the customer's inspection moves no date).
    """
    rule = known(terms.acceptance, what="acceptance of work")
    match living_on(life, accepted_on, clause=rule.clause):
        case Formed(request=request) if request is not None:
            raise WorkOnHold(f"until {request.desired_on}", clause=rule.clause)
        case Formed(application=application):
            return (WorkAccepted(contract_id=application.contract_id, accepted_on=accepted_on),)
        case InForce(started_on=known_on) if known_on == accepted_on:
            return ()
        case InForce(started_on=known_on):
            raise AlreadyAccepted(f"it was on {known_on}", clause=rule.clause)


def order_tickets(
    life: Life, *, kind: TicketKind, quantity: int, ordered_on: date, terms: ContractTerms
) -> Events:
    """Accept an order of tickets while the service is provided; each order is one of its own.

    Clauses: NSEC-A3.T4, NSEC-A3.T5, NSEC-A3.T6.
    """
    rule = known(terms.tickets.get(kind), what=f"ticket {kind}")
    match living_on(life, ordered_on, clause=rule.clause):
        case InForce(started_on=started_on) as living if started_on <= ordered_on:
            return (
                TicketOrdered(
                    contract_id=application_id(living),
                    kind=kind,
                    quantity=quantity,
                    ordered_on=ordered_on,
                ),
            )
        case Formed() | InForce():
            raise NotInForce("tickets are for a service that has started", clause=rule.clause)


def living_on(life: Life, on: date, *, clause: str | None) -> Living:
    """The contract as a fact of `on` finds it; an end recorded for that day or later is to come.

    Raises `NotFormed` before it exists, `AlreadyEnded` after its end.
    """
    match life.now:
        case Formed() | InForce():
            return life.now
        case Ended(before=before, end=end) if on <= end.terminated_on:
            return before
        case Ended(end=end):
            raise AlreadyEnded(f"it ended on {end.terminated_on}", clause=end.clause)
        case Revoked(revoked_on=revoked_on):
            raise AlreadyEnded(f"its acceptance was revoked on {revoked_on}", clause=clause)
        case Unknown() | UnderReview() | Declined():
            raise NotFormed(clause=clause)


def application_id(living: Living) -> UUID:
    """The id of a contract that exists."""
    return living.application.contract_id


def ground_among(grounds: dict[str, Rule], ground: str) -> Rule:
    """The rule of a ground. Raises `NotAGround`, naming the grounds there are."""
    try:
        return grounds[ground]
    except KeyError:
        known = ", ".join(sorted(grounds))
        raise NotAGround(f"{ground} is not one of {known}", field="/ground") from None


def _complete(wish: Wish, *, terms: Application) -> None:
    for consent, rule in terms.consents.items():
        if consent not in wish.consents:
            raise IncompleteApplication(
                f"the consent {consent} is missing", clause=rule.clause, field="/consents"
            )
    check_content(wish.content, terms=terms)
    given = wish.content.model_dump(exclude_defaults=True)
    for name in sorted(terms.required - given.keys()):
        raise IncompleteApplication(
            f"{name} is missing", clause=terms.clause, field=f"/content/{name}"
        )


def check_content(content: Content, *, terms: Application) -> None:
    """Raise `NotOfThisService` for content that the service is not sold in.

    Clauses: WUTM-3.3, WUTM-7.4, WSRV-7.4, WSRV-A3, WSRV-3.5 (listed devices only), NQMS-20.1a,
    RRNS-A1.T (the plans of the menu).
    """
    given = content.model_dump(exclude_defaults=True)
    for name in sorted(given.keys() - terms.content):
        raise NotOfThisService(
            f"the service knows no {name}", clause=terms.clause, field=f"/content/{name}"
        )
    if content.device is not None and content.device not in terms.devices:
        raise NotOfThisService(
            f"{content.device} is not one of {', '.join(sorted(terms.devices))}",
            clause=terms.clause,
            field="/content/device",
        )
    if content.plan is not None and content.plan not in terms.plans:
        raise NotOfThisService(
            f"{content.plan} is not one of {', '.join(sorted(terms.plans))}",
            clause=terms.clause,
            field="/content/plan",
        )
    for size, count in content.packs.items():
        if size not in terms.pack_sizes or count < 0:
            raise NotOfThisService(
                f"there is no pack of {size} to be had {count} times",
                clause=terms.clause,
                field=f"/content/packs/{size}",
            )
    days = terms.billing_days
    if days is not None and not days.first <= content.billing_day <= days.last:
        raise NotOfThisService(
            f"a billing month starts on a day from {days.first} to {days.last}",
            clause=days.clause,
            field="/content/billing_day",
        )
