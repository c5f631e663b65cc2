"""A contract's life cycle: what is so after its facts in the order of their recording."""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    BillingMonthChanged,
    ContentChanged,
    ContentChangeDeclined,
    ContractApplied,
    ContractApproved,
    ContractDeclined,
    ContractEvent,
    ContractFactCorrected,
    ContractFormed,
    ContractResumed,
    ContractSuspended,
    ContractTerminated,
    InitialWorkScheduled,
    LineContractEnded,
    LineConverted,
    ServiceInterrupted,
    ServiceRestored,
    ServiceStarted,
    TerminationGroundArose,
    TerminationLapsed,
    TerminationRequested,
    TerminationScheduled,
    TicketOrdered,
    WorkAccepted,
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known under this id."""


@dataclass(frozen=True, slots=True)
class UnderReview:
    """An application waits for its answer."""

    application: ContractApplied


@dataclass(frozen=True, slots=True)
class Declined:
    """The application was refused."""

    application: ContractApplied
    declined_on: date


@dataclass(frozen=True, slots=True)
class Formed:
    """The contract exists; provision has not begun."""

    application: ContractApplied
    approved_on: date
    document_number: str = ""
    work_on: date | None = None
    request: TerminationRequested | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A suspension; `over_on` is the first day it no longer holds, None while it does."""

    suspended: ContractSuspended
    over_on: date | None = None

    def lifted_by(self, on: date) -> bool:
        """Whether it was lifted by that day, not only run out, which removes no cause."""
        until_on = self.suspended.until_on
        if self.over_on is None or self.over_on > on:
            return False
        return until_on is None or self.over_on < until_on


@dataclass(frozen=True, slots=True)
class InForce:
    """The service is provided from `started_on` on; suspensions in the order of recording.

    Where the terms know no start, that is the day on which the ordered work was accepted.
    """

    formed: Formed
    started_on: date
    suspensions: tuple[Span, ...] = ()

    @property
    def application(self) -> ContractApplied:
        """The application that led here."""
        return self.formed.application

    @property
    def suspended(self) -> Span | None:
        """The suspension that holds, None when none does."""
        open_spans = [span for span in self.suspensions if span.over_on is None]
        return open_spans[-1] if open_spans else None

    def unresolved_on(self, on: date) -> bool:
        """Whether the last suspension on any one ground had begun by that day and was not lifted."""
        begun = (span for span in self.suspensions if span.suspended.from_on <= on)
        last = {span.suspended.ground: span for span in begun}
        return any(not span.lifted_by(on) for span in last.values())


Living = Formed | InForce


@dataclass(frozen=True, slots=True)
class Ended:
    """An end is recorded, perhaps for a day to come; `before` is what is so until then."""

    before: Living
    end: ContractTerminated

    @property
    def application(self) -> ContractApplied:
        """The application that led here."""
        return self.before.application


@dataclass(frozen=True, slots=True)
class Revoked:
    """The acceptance was taken back."""

    before: Living
    revoked_on: date

    @property
    def application(self) -> ContractApplied:
        """The application that led here."""
        return self.before.application


Contract = Unknown | UnderReview | Declined | Formed | InForce | Ended | Revoked


def evolve(contract: Contract, event: ContractEvent) -> Contract:  # noqa: C901, PLR0911 - one case an event
    """The contract after one more fact; a fact that has no place in a state leaves it as it is."""
    match event:
        case ContractApplied():
            return UnderReview(event) if isinstance(contract, Unknown) else contract
        case ContractDeclined():
            if isinstance(contract, UnderReview):
                return Declined(contract.application, event.declined_on)
            return contract
        case ContractApproved():
            if isinstance(contract, UnderReview):
                return Formed(contract.application, event.approved_on, event.document_number)
            return contract
        case ContractFormed():
            if isinstance(contract, UnderReview):
                return Formed(contract.application, event.formed_on)
            return contract
        case ApprovalRevoked():
            living = living_of(contract)
            return contract if living is None else Revoked(living, event.revoked_on)
        case ContractTerminated():
            return _ended(contract, event)
        case (
            InitialWorkScheduled()
            | ServiceStarted()
            | WorkAccepted()
            | ContractSuspended()
            | ContractResumed()
            | TerminationRequested()
            | TerminationLapsed()
        ):
            return _within(contract, event)
        case (
            ContentChanged()
            | ContentChangeDeclined()
            | TicketOrdered()
            | BillingMonthChanged()
            | ServiceInterrupted()
            | ServiceRestored()
            | LineConverted()
            | LineContractEnded()
            | TerminationGroundArose()
            | TerminationScheduled()
            | ContractFactCorrected()
        ):
            return contract
        case _:
            assert_never(event)


def living_of(contract: Contract) -> Living | None:
    """What a contract is (or was, until its end), None when it never came to exist."""
    match contract:
        case Formed() | InForce():
            return contract
        case Ended(before=before) | Revoked(before=before):
            return before
        case Unknown() | UnderReview() | Declined():
            return None
        case _:
            assert_never(contract)


def request_of(contract: Contract) -> TerminationRequested | None:
    """The termination request that waits, None where none does or the contract has ended."""
    match contract:
        case Formed(request=request):
            return request
        case InForce(formed=formed):
            return formed.request
        case Unknown() | UnderReview() | Declined() | Ended() | Revoked():
            return None
        case _:
            assert_never(contract)


def application_of(contract: Contract) -> ContractApplied | None:
    """The application a contract rests on, None when nothing is known."""
    return None if isinstance(contract, Unknown) else contract.application


def ended_on(contract: Contract) -> date | None:
    """The first day on which the contract is over, None while no end is known."""
    match contract:
        case Ended(end=end):
            return end.terminated_on
        case Revoked(revoked_on=revoked_on):
            return revoked_on
        case Declined(declined_on=declined_on):
            return declined_on
        case Unknown() | UnderReview() | Formed() | InForce():
            return None
        case _:
            assert_never(contract)


def state_name(contract: Contract) -> str:  # noqa: PLR0911 - one case a state
    """The state in one word, as clients see it."""
    match contract:
        case Unknown():
            return "unknown"
        case UnderReview():
            return "under-review"
        case Declined():
            return "declined"
        case Formed(request=request):
            return "termination-pending" if request else "approved"
        case InForce():
            if contract.formed.request is not None:
                return "termination-pending"
            return "in-force" if contract.suspended is None else "suspended"
        case Ended():
            return "ended"
        case Revoked():
            return "revoked"
        case _:
            assert_never(contract)


def contract_id_of(contract: Contract) -> UUID | None:
    """The contract's id, None when nothing is known."""
    application = application_of(contract)
    return application.contract_id if application else None


_Within = (
    InitialWorkScheduled
    | ServiceStarted
    | WorkAccepted
    | ContractSuspended
    | ContractResumed
    | TerminationRequested
    | TerminationLapsed
)


def _within(contract: Contract, event: _Within) -> Contract:
    match contract:
        case Formed() | InForce():
            return _lived(contract, event)
        case Ended(before=before):
            return replace(contract, before=_lived(before, event))
        case Revoked(before=before):
            return replace(contract, before=_lived(before, event))
        case Unknown() | UnderReview() | Declined():
            return contract
        case _:
            assert_never(contract)


def _lived(  # noqa: C901, PLR0911 - one case an event
    living: Living, event: _Within
) -> Living:
    formed = living.formed if isinstance(living, InForce) else living
    match event:
        case InitialWorkScheduled():
            return _reformed(living, replace(formed, work_on=event.scheduled_on))
        case TerminationRequested():
            if event.cancellation is not None and event.cancellation.option is not None:
                return living
            return _reformed(living, replace(formed, request=event))
        case TerminationLapsed():
            return _reformed(living, replace(formed, request=None))
        case ServiceStarted():
            return InForce(formed, event.started_on) if living is formed else living
        case WorkAccepted():
            return InForce(formed, event.accepted_on) if living is formed else living
        case ContractSuspended():
            if isinstance(living, InForce):
                return replace(living, suspensions=(*_closed(living, event.from_on), Span(event)))
            return living
        case ContractResumed():
            if isinstance(living, InForce):
                return replace(living, suspensions=_closed(living, event.resumed_on))
            return living
        case _:
            assert_never(event)


def _reformed(living: Living, formed: Formed) -> Living:
    return replace(living, formed=formed) if isinstance(living, InForce) else formed


def _closed(living: InForce, on: date) -> tuple[Span, ...]:
    return tuple(
        span if span.over_on is not None else replace(span, over_on=on)
        for span in living.suspensions
    )


def _ended(contract: Contract, end: ContractTerminated) -> Contract:
    match contract:
        case Formed() | InForce():
            return Ended(contract, end)
        case Ended(end=known) if end.terminated_on < known.terminated_on:
            return replace(contract, end=end)
        case Unknown() | UnderReview() | Declined() | Ended() | Revoked():
            return contract
        case _:
            assert_never(contract)
