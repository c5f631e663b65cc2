"""A contract's facts: its recorded events with every correction applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast, get_args
from uuid import UUID

from libs.events.corrections import corrected, is_correction, with_values
from libs.events.envelope import Event, Recorded
from libs.events.folding import Fold
from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractApproved,
    ContractEvent,
    ContractFormed,
    ServiceStarted,
)
from services.contracts.domain.contract import Contract, Unknown, application_of, evolve

FORMATIONS = (ContractApproved, ContractFormed)
"""The facts by which a contract comes to exist."""

_OURS: tuple[type[Event], ...] = get_args(ContractEvent)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact as it stands after its corrections; `event_id` is None for one being decided."""

    event_id: UUID | None
    event: ContractEvent

    @property
    def on(self) -> date:
        """The day it takes effect."""
        on = self.event.takes_effect_on
        assert on is not None  # only corrections have no day of their own, and they are no facts
        return on

    def with_values(self, values: Mapping[str, Any]) -> "Fact":
        """The fact with other values for some fields; raises ValueError for what it can't have."""
        return replace(self, event=with_values(self.event, values))


Facts = tuple[Fact, ...]


def facts_of(history: Sequence[Recorded[Event]]) -> Facts:
    """The facts in the order of their recording; corrections are applied, withdrawn ones gone.

    A correction reaches back to what was recorded before it, so facts known before are gone on from
    only where no correction stands among the events. Of a stream that is not a contract's (a
    customer's has a name in it) nothing is kept.
    """
    is_contract = bool(history) and isinstance(history[0].event, _OURS)
    plain = _PLAIN.state(history, keep=is_contract)
    return _corrected(history) if plain is None else plain


def _corrected(history: Sequence[Recorded[Event]]) -> Facts:
    return tuple(
        Fact(recorded.envelope.event_id, cast("ContractEvent", recorded.event))
        for recorded in corrected(history)
        if isinstance(recorded.event, _OURS)
    )


def _with_next(facts: Facts | None, recorded: Recorded[Event]) -> Facts | None:
    """The facts with what was recorded next; None from the first correction on."""
    if facts is None or is_correction(recorded.event):
        return None
    if not isinstance(recorded.event, _OURS):
        return facts
    return (*facts, Fact(recorded.envelope.event_id, cast("ContractEvent", recorded.event)))


_NONE_YET: Facts | None = ()
_PLAIN = Fold(begin=_NONE_YET, evolve=_with_next, of=lambda recorded: recorded.envelope.event_id)


def decided(*events: ContractEvent) -> Facts:
    """Facts that are being decided and have no id yet."""
    return tuple(Fact(None, event) for event in events)


def by_day(facts: Facts) -> Facts:
    """The facts by the day they take effect; those of one day in the order of recording."""
    return tuple(sorted(facts, key=lambda fact: fact.on))


def standing(facts: Facts) -> Contract:
    """The life cycle after these facts."""
    recorded = bool(facts) and facts[-1].event_id is not None
    return _STANDING.state(facts, keep=recorded)


def _after(contract: Contract, fact: Fact) -> Contract:
    return evolve(contract, fact.event)


_UNKNOWN: Contract = Unknown()
_STANDING = Fold(begin=_UNKNOWN, evolve=_after, of=lambda fact: fact.event_id)


@dataclass(frozen=True, slots=True)
class Life:
    """A contract as a decision sees it: its facts, and what is so after them."""

    facts: Facts
    now: Contract


def life_of(facts: Facts) -> Life:
    """The life these facts make."""
    return Life(facts, standing(facts))


def started_on(facts: Facts) -> date | None:
    """The first day of provision, None before it is known."""
    starts = [fact.on for fact in facts if isinstance(fact.event, ServiceStarted)]
    return starts[0] if starts else None


def content_on(facts: Facts, on: date | None) -> Content:
    """The content in force on a day, its changes of that day included; None: after all changes."""
    application = application_of(standing(facts))
    content = application.content if application else Content()
    for fact in by_day(facts):
        if isinstance(fact.event, ContentChanged) and (on is None or fact.on <= on):
            content = fact.event.after
    return content
