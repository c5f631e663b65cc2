"""The facts of a site as they stand: what was recorded, with corrections applied."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError

from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.monitoring import (
    MonitoringFactCorrected,
    SiteEvent,
)
from libs.refusal.refusal import NotFound, Refusal
from services.monitoring.domain.site import Site, Unopened, admit, evolve, opened

_FIXED = frozenset(
    {"type", "contract_id", "device_id", "outage_id", "old_device_id", "new_device_id"}
)


class NotCorrectable(Refusal):
    code = "not-correctable"
    title = "This fact cannot be put right in this way"


class NothingToCorrect(NotFound):
    code = "no-such-fact"
    title = "The site has no such fact"


def site_of(history: Sequence[Recorded[Event]]) -> Site:
    """The site as its facts stand."""
    return reduce(evolve, (fact for _, fact in standing_facts(history)), cast("Site", Unopened()))


def standing_facts(history: Sequence[Recorded[Event]]) -> tuple[tuple[UUID, SiteEvent], ...]:
    """Id and content of every fact, in order of recording; the last correction of each holds.

    A withdrawn fact is left out; a later correction with values brings it back.
    """
    corrections = {
        each.event.corrects: each.event.values
        for each in history
        if isinstance(each.event, MonitoringFactCorrected)
    }
    found: list[tuple[UUID, SiteEvent]] = []
    for each in history:
        fact = cast("SiteEvent", each.event)
        if isinstance(fact, MonitoringFactCorrected):
            continue
        values = corrections.get(each.envelope.event_id, {})
        if values is not None:
            found.append((each.envelope.event_id, corrected(fact, values)))
    return tuple(found)


def corrected(fact: SiteEvent, values: dict[str, Any]) -> SiteEvent:
    """`fact` with `values` in place of its own; raises `ValidationError` on a value unfit."""
    if not values:
        return fact
    return type(fact).model_validate({**fact.model_dump(), **values})


def correct(
    history: Sequence[Recorded[Event]],
    *,
    corrects: UUID,
    values: dict[str, Any] | None,
    reason: str,
) -> tuple[SiteEvent, ...]:
    """Put a recorded fact right: new values for some of its fields, or None to withdraw it.

    Accepted only when all the site's facts stay possible with it. Ids cannot be changed: such a
    fact is withdrawn and recorded anew. Raises `NothingToCorrect`, `NotCorrectable`, or the
    refusal of the fact that would have become impossible.
    """
    site = opened(site_of(history))
    recorded = {each.envelope.event_id: cast("SiteEvent", each.event) for each in history}
    fact = recorded.get(corrects)
    if fact is None or isinstance(fact, MonitoringFactCorrected):
        raise NothingToCorrect(f"no fact {corrects} at this site", field="/corrects")
    _fit(fact, values)
    correction = MonitoringFactCorrected(
        contract_id=site.contract_id, corrects=corrects, values=values, reason=reason
    )
    if _last_correction(history, corrects=corrects) == correction:
        return ()
    _still_possible(history, correction=correction)
    return (correction,)


def _fit(fact: SiteEvent, values: dict[str, Any] | None) -> None:
    for name in values or {}:
        if name in _FIXED or name not in type(fact).model_fields:
            raise NotCorrectable(f"{fact.type} has no field {name} that may be corrected")
    try:
        after = corrected(fact, values or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(step) for step in first["loc"])
        raise NotCorrectable(f"{place}: {first['msg']}", field=f"/values/{place}") from error
    for name in values or {}:
        value = getattr(after, name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise NotCorrectable(f"{name} needs an offset", field=f"/values/{name}")


def _last_correction(
    history: Sequence[Recorded[Event]], *, corrects: UUID
) -> MonitoringFactCorrected | None:
    found = [
        each.event
        for each in history
        if isinstance(each.event, MonitoringFactCorrected) and each.event.corrects == corrects
    ]
    return found[-1] if found else None


def _still_possible(
    history: Sequence[Recorded[Event]], *, correction: MonitoringFactCorrected
) -> None:
    site: Site = Unopened()
    for event_id, fact in _facts_with(history, correction):
        try:
            admit(site, fact)
        except Refusal as refusal:
            raise NotCorrectable(
                f"{fact.type} {event_id} would become impossible: {refusal.detail}",
                clause=refusal.clause,
                field="/values",
            ) from refusal
        site = evolve(site, fact)


def _facts_with(
    history: Sequence[Recorded[Event]], correction: MonitoringFactCorrected
) -> list[tuple[UUID, SiteEvent]]:
    before = dict(standing_facts(history))
    found: list[tuple[UUID, SiteEvent]] = []
    for each in history:
        event_id = each.envelope.event_id
        if event_id == correction.corrects:
            if correction.values is not None:
                fact = corrected(cast("SiteEvent", each.event), correction.values)
                found.append((event_id, fact))
        elif event_id in before:
            found.append((event_id, before[event_id]))
    return found
