"""Events, and what the log knows about each one that it holds.

An event is a frozen fact in business words. Its envelope says where it stands: stream and version,
position and sequence, when it was recorded, and what caused it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.dates.japan import japan_date


class Event(BaseModel):
    """The base of every fact.

    A subclass declares `type` as a literal that never changes, and names in `effective` the field
    that holds the day (or instant) on which it takes effect. An event with personal fields names
    in `subject` the field that holds the id of the person or company they are about. What does
    not fit is told without its value, which may be personal.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    effective: ClassVar[str | None] = None
    subject: ClassVar[str | None] = None

    type: str

    @property
    def takes_effect_on(self) -> date | None:
        """The Japan date on which the fact takes effect; None where the day of recording counts."""
        if self.effective is None:
            return None
        value = getattr(self, self.effective)
        return japan_date(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks an event field as personal: `Annotated[str | None, Personal("contact")]`.

    The log stores such a field encrypted under the key of the event's subject and this retention
    class, and reads it as None once that key has been destroyed. Any JSON type may be marked.
    """

    retention: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something is appended: the case, the event or request before it, who, and the trace.

    `correlation_id` is the same through a whole case; `causation_id` is the event that led here,
    None for a request from outside; `actor` is a pseudonymous id; `traceparent` is the W3C trace
    context of the origin. `now` supplies the recorded time, only in a rehearsal environment.
    """

    correlation_id: UUID
    actor: str
    causation_id: UUID | None = None
    traceparent: str | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Where an event stands in its log. `recorded_at` never runs backwards along `position`."""

    event_id: UUID
    context: str
    log_epoch: UUID
    stream_id: UUID
    version: int
    position: int
    partition: int
    sequence: int
    recorded_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    actor: str
    traceparent: str | None


E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """An event as the log holds it."""

    envelope: Envelope
    event: E_co
