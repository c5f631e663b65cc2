"""The facts of a site as they stand: what was recorded, with corrections applied."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError

from libs.events.corrections import corrected, with_values
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.monitoring import MonitoringFactCorrected, SiteEvent
from libs.refusal.refusal import NotFound, Refusal
from services.monitoring.domain.site import Site, Unopened, admit, evolve, opened

_FIXED = frozenset(
    {"type", "contract_id", "device_id", "outage_id", "old_device_id", "new_device_id"}
)
_NOT_YET_AN_ID = UUID(int=0)


class NotCorrectable(Refusal):
    code = "not-correctable"
    title = "This fact cannot be put right in this way"


class NothingToCorrect(NotFound):
    code = "no-such-fact"
    title = "There is no such fact"


def site_of(history: Sequence[Recorded[Event]]) -> Site:
    """The site as its facts stand."""
    facts = (cast("SiteEvent", each.event) for each in corrected(history))
    return reduce(evolve, facts, cast("Site", Unopened()))


def correct(
    history: Sequence[Recorded[Event]],
    *,
    corrects: UUID,
    values: dict[str, Any] | None,
    reason: str,
) -> tuple[SiteEvent, ...]:
    """Put a recorded fact right: new values for some of its fields, or None to withdraw it.

    Accepted only when all the site's facts stay possible with it. Ids cannot be changed: such a
    fact is withdrawn and recorded anew. The last correction again changes nothing. Raises
    `NothingToCorrect`, `NotCorrectable` also where another fact would become impossible.
    """
    site = opened(site_of(history))
    recorded = {each.envelope.event_id: each.event for each in history}
    fact = recorded.get(corrects)
    if fact is None or isinstance(fact, MonitoringFactCorrected):
        raise NothingToCorrect(f"no fact {corrects} at this site", field="/corrects")
    _refuse_unfit(fact, values or {})
    correction = MonitoringFactCorrected(
        contract_id=site.contract_id, corrects=corrects, values=values, reason=reason
    )
    if _last_correction(history, corrects=corrects) == correction:
        return ()
    _refuse_impossible(history, correction=correction)
    return (correction,)


def _refuse_unfit(fact: Event, values: dict[str, Any]) -> None:
    for name in values:
        if name in _FIXED or name not in type(fact).model_fields:
            raise NotCorrectable(f"{fact.type} has no field {name} that may be corrected")
    try:
        after = with_values(fact, values)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(step) for step in first["loc"])
        raise NotCorrectable(f"{place}: {first['msg']}", field=f"/values/{place}") from error
    for name in values:
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


def _refuse_impossible(
    history: Sequence[Recorded[Event]], *, correction: MonitoringFactCorrected
) -> None:
    envelope = replace(history[-1].envelope, event_id=_NOT_YET_AN_ID)
    site: Site = Unopened()
    for each in corrected((*history, Recorded(envelope, correction))):
        fact = cast("SiteEvent", each.event)
        try:
            admit(site, fact)
        except Refusal as refusal:
            raise NotCorrectable(
                f"{fact.type} {each.envelope.event_id} would become impossible: {refusal.detail}",
                clause=refusal.clause,
                field="/values",
            ) from refusal
        site = evolve(site, fact)
