"""The clock, as a port: rules never read it, edges are given one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """The present instant, with an offset."""
        ...


class SystemClock:
    """The machine's clock; the only reader of it."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands until it is set: for offline play and tests."""

    at: datetime

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self.at
