"""Whether a contract's facts, by the day they take effect, can all be true."""

from dataclasses import dataclass, replace
from datetime import date

from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    ContentChanged,
    ContractApplied,
    ContractDeclined,
    ContractResumed,
    ContractSuspended,
    ContractTerminated,
    ServiceStarted,
    WorkAccepted,
)
from services.contracts.domain.facts import FORMATIONS, Fact, Facts, by_day
from services.contracts.domain.refusals import ImpossibleTimeline

_ENDS = (ContractTerminated, ApprovalRevoked, ContractDeclined)
_IN_USE = (ContractSuspended, ContractResumed)
_OVERTAKING = frozenset({"line", "abolition"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was so up to a day."""

    applied: bool = False
    formed: bool = False
    started: bool = False
    suspended: ContractSuspended | None = None


def check(facts: Facts, *, ends_at_latest: date | None = None) -> None:
    """Raise `ImpossibleTimeline` when the facts contradict one another.

    `ends_at_latest` is the first day after the longest time the contract may run. What was
    recorded, for days after it, before the end of the line or of the service was known, stands
    without effect.
    """
    ordered = by_day(facts)
    end = first_end(facts)
    seen = _Seen()
    for fact in ordered:
        _within_life(fact, end=end, facts=facts)
        if ends_at_latest is not None and fact.on > ends_at_latest:
            _impossible(fact, f"the contract runs at most until the day before {ends_at_latest}")
        seen = _after(seen, fact)


def first_end(facts: Facts) -> Fact | None:
    """The earliest end; it is the one that counts."""
    ends = [fact for fact in facts if isinstance(fact.event, _ENDS)]
    return min(ends, key=lambda fact: fact.on, default=None)


def _within_life(fact: Fact, *, end: Fact | None, facts: Facts) -> None:
    if end is None or fact.on <= end.on or isinstance(fact.event, _ENDS):
        return
    overtaken = isinstance(end.event, ContractTerminated) and end.event.cause in _OVERTAKING
    if overtaken and facts.index(fact) < facts.index(end):
        return
    _impossible(fact, f"the contract is over from {end.on} on")


def _after(seen: _Seen, fact: Fact) -> _Seen:
    event = fact.event
    if isinstance(event, ContractApplied):
        return replace(seen, applied=True)
    if not seen.applied:
        _impossible(fact, "there is no application on or before that day")
    if isinstance(event, ContractDeclined):
        return seen
    if isinstance(event, FORMATIONS):
        return replace(seen, formed=True)
    if not seen.formed:
        _impossible(fact, "the contract does not exist on that day")
    if isinstance(event, ContentChanged):
        _enough(fact, event)
        return seen
    return _in_use(seen, fact)


def _in_use(seen: _Seen, fact: Fact) -> _Seen:
    event = fact.event
    if isinstance(event, ServiceStarted | WorkAccepted):
        if seen.started:
            _impossible(fact, "the service has started before")
        return replace(seen, started=True)
    if isinstance(event, _IN_USE) and not seen.started:
        _impossible(fact, "the service has not started on that day")
    if isinstance(event, ContractSuspended):
        if _holds(seen.suspended, event.from_on):
            _impossible(fact, "another suspension holds on that day")
        return replace(seen, suspended=event)
    if isinstance(event, ContractResumed):
        if not _holds(seen.suspended, event.resumed_on, last=True):
            _impossible(fact, "no suspension holds on that day")
        return replace(seen, suspended=None)
    return seen


def _holds(suspended: ContractSuspended | None, on: date, *, last: bool = False) -> bool:
    """Whether a suspension holds on a day; with `last`, its last possible end counts too."""
    if suspended is None:
        return False
    until_on = suspended.until_on
    return until_on is None or on < until_on or (last and on == until_on)


def _enough(fact: Fact, event: ContentChanged) -> None:
    if any(count < 0 for count in event.after.packs.values()):
        _impossible(fact, "more would be removed than there is")


def _impossible(fact: Fact, why: str) -> None:
    name = fact.event.type.split(".")[1]
    raise ImpossibleTimeline(f"{name} of {fact.on}: {why}")
