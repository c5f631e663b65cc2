"""From the application to the day before the first day of provision."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    Content,
    ContractApplied,
    ContractApproved,
    ContractDeclined,
    ContractEvent,
    InitialWorkScheduled,
    ServiceStarted,
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
    AlreadyEnded,
    AlreadyExists,
    AlreadyStarted,
    IncompleteApplication,
    NotAGround,
    NotFormed,
    NotOfThisService,
    NotUnderReview,
)
from services.contracts.domain.terms import Application, ContractTerms, Rule

Events = tuple[ContractEvent, ...]


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

    Refused when a consent is missing, or the content is not what the service is sold in.

    Clauses: NSEC-6.1, NSEC-2.1b, NSEC-24.1, WUTM-7.1.1, WUTM-7.1.2, WUTM-7.2, WUTM-14.4,
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
        return (applied,)
    if life.now.application == applied:
        return ()
    raise AlreadyExists(f"contract {wish.contract_id} is another one", field="/contract_id")


def approve(life: Life, *, approved_on: date, document_number: str) -> Events:
    """Accept the application under review, which forms the contract; again changes nothing.

    Clauses: NSEC-6.2b, WUTM-9.1.1, WUTM-9.1.2.
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
    WUTM-9.3.1, WUTM-9.3.2, WUTM-9.3.3, WUTM-9.3.4, WUTM-9.3.5, WUTM-9.3.6.
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

    Clauses: NSEC-6.4a, WUTM-9.4.
    """
    ground_among(terms.declining, ground)
    if isinstance(life.now, Revoked) and life.now.revoked_on == revoked_on:
        return ()
    living = living_on(life, revoked_on, clause=terms.revocation.clause)
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

    Clauses: WUTM-9.2.1.
    """
    if terms.initial_work is None:
        raise NotOfThisService("this service begins without initial work")
    match living_on(life, scheduled_on, clause=terms.initial_work.clause):
        case Formed(application=application, work_on=work_on):
            if work_on == scheduled_on:
                return ()
            return (
                InitialWorkScheduled(
                    contract_id=application.contract_id, scheduled_on=scheduled_on
                ),
            )
        case InForce():
            raise AlreadyStarted(clause=terms.initial_work.clause)


def start(life: Life, *, started_on: date, terms: ContractTerms) -> Events:
    """Provision begins; `started_on` is its first day. The same day again changes nothing.

    Clauses: WUTM-9.1.3, WUTM-9.2.2 (the day the initial work is completed; not before the
    contract exists).
    """
    match living_on(life, started_on, clause=terms.start.clause):
        case Formed(application=application):
            return (ServiceStarted(contract_id=application.contract_id, started_on=started_on),)
        case InForce(started_on=known) if known == started_on:
            return ()
        case InForce(started_on=known):
            raise AlreadyStarted(f"it started on {known}", clause=terms.start.clause)


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

    Clauses: WUTM-3.3, WUTM-7.4 (listed devices only).
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
    for size, count in content.packs.items():
        if size not in terms.pack_sizes or count < 0:
            raise NotOfThisService(
                f"there is no pack of {size} to be had {count} times",
                clause=terms.clause,
                field=f"/content/packs/{size}",
            )
    if not 1 <= content.billing_day <= 28:  # noqa: PLR2004 - every month has these days
        raise NotOfThisService(
            "a billing month starts on a day from 1 to 28", field="/content/billing_day"
        )
