"""Facts put right: what was recorded, as it stands after all corrections."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from libs.events.envelope import Event, Recorded

_SUFFIX = ".fact-corrected.v1"

E = TypeVar("E", bound=Event)


def corrected(events: Sequence[Recorded[E]]) -> tuple[Recorded[E], ...]:
    """The events in their order with every correction applied and the corrections left out.

    Of several corrections of one event the later one wins, field by field; one that withdraws
    takes the event away, and a later one with values brings it back. A correction can itself be
    corrected or withdrawn. Raises ValueError for values that its event can't have, so whoever
    records a correction tries it with `with_values` first.
    """
    changes: dict[UUID, list[Mapping[str, Any] | None]] = {}
    for recorded in reversed([e for e in events if is_correction(e.event)]):
        correction = _apply(recorded, changes=changes)
        if correction is not None:
            of: Any = correction.event
            changes.setdefault(of.corrects, []).insert(0, of.values)
    facts = (e for e in events if not is_correction(e.event))
    applied = (_apply(fact, changes=changes) for fact in facts)
    return tuple(fact for fact in applied if fact is not None)


def is_correction(event: Event) -> bool:
    """Whether an event puts another one right."""
    return event.type.endswith(_SUFFIX)


def with_values(event: E, values: Mapping[str, Any]) -> E:
    """The event with other values for some fields, as JSON or Python has them.

    Raises ValueError for a field it does not have or a value the field can't take.
    """
    unknown = values.keys() - (type(event).model_fields.keys() - {"type"})
    if unknown:
        raise ValueError(f"{event.type} has no field {', '.join(sorted(unknown))}")
    return type(event).model_validate({**event.__dict__, **values})


def _apply(
    recorded: Recorded[E], *, changes: Mapping[UUID, Sequence[Mapping[str, Any] | None]]
) -> Recorded[E] | None:
    event: E | None = recorded.event
    for values in changes.get(recorded.envelope.event_id, ()):
        event = None if values is None else with_values(event or recorded.event, values)
    if event is recorded.event:
        return recorded
    return None if event is None else Recorded(recorded.envelope, event)
