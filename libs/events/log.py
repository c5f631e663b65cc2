"""The event log of one context, as its users see it.

Two logs stand behind this port and pass one suite: `store.PostgresLog` and `memory.MemoryLog`.
Beside the refusals of `refusals.py` a caller may meet `CursorTaken` and `NotParked`, when another
process has done the work already, and `LogUnavailable` or `OutcomeUnknown`, when the weather is
bad.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple, Protocol
from uuid import UUID

from libs.events.envelope import Cause, Event, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAppend:
    """Events for one stream, that must stand at version `expected` (0: does not exist yet).

    `cause` is given where they belong to another case than what is appended with them.
    """

    stream_id: UUID
    events: Sequence[Event]
    expected: int
    cause: Cause | None = None


def _no_events() -> "tuple[Recorded[Event], ...]":
    return ()


@dataclass(frozen=True, kw_only=True)
class Appended:
    """What an append gave: per stream its new version; the log's position of the last event.

    `position` is the head at the time for an append of no events. `replayed` carries the stored
    answer when the idempotency key had been used before; nothing was appended then, but a reader's
    cursor was moved and its event unparked.
    """

    versions: dict[UUID, int]
    position: int
    replayed: bytes | None = None
    make_events: Callable[[], tuple[Recorded[Event], ...]] = field(
        default=_no_events, repr=False, compare=False
    )

    @cached_property
    def events(self) -> tuple[Recorded[Event], ...]:
        """The events in the order of their positions; made when first asked for, as few ask."""
        return self.make_events()


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A key of a caller for one operation, with the fingerprint of what was asked.

    `answer` makes the bytes to keep from what the append gave. Rider of design: kept in the
    append's transaction.
    """

    scope: str
    key: str
    fingerprint: str
    answer: Callable[[Appended], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """`value` of `kind` belongs to `owner` from `from_on` until the day before `until_on`."""

    kind: str
    value: str
    owner: UUID
    from_on: date
    until_on: date | None = None


class Release(NamedTuple):
    """`value` of `kind` belongs to `owner` no more, on no day; what others hold stays theirs."""

    kind: str
    value: str
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorMove:
    """A consumer has taken everything of a partition up to `sequence` of the log `log_epoch`.

    `after` is where the consumer found its cursor before (0: there was none): standing elsewhere
    by now means that another process took some of the same events. None leaves this to the
    weaker rule that a cursor only moves forward.
    """

    consumer: str
    topic: str
    partition: int
    sequence: int
    log_epoch: UUID
    after: int | None = None


class Unpark(NamedTuple):
    """An event that was parked for a consumer and has been taken now; others may still wait."""

    consumer: str
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Riders:
    """What may stand in an append's transaction beside its events, and nothing else."""

    idempotency: Idempotency | None = None
    reserve: tuple[Reservation, ...] = ()
    release: tuple[Release, ...] = ()
    cursors: tuple[CursorMove, ...] = ()
    unpark: tuple[Unpark, ...] = ()


NO_RIDERS = Riders()


class CursorTaken(Exception):
    """A consumer's cursor is not where it was found: another process took these events."""


class NotParked(Exception):
    """An event to unpark is parked no more: another process has taken it."""


class LogUnavailable(ConnectionError):
    """The database is away or too busy; nothing has been appended."""


class OutcomeUnknown(LogUnavailable):
    """The connection broke during the commit: the append may stand or not; load to see.

    Safe to repeat with an idempotency key, or with the same expected version.
    """


Decision = Callable[[Sequence[Recorded[Event]]], Sequence[Event]]


class Log(Protocol):
    """Append and load. All methods raise `OSError` kin when the database is away."""

    @property
    def context(self) -> str:
        """The context that owns the log, as in event types."""
        ...

    async def load(self, stream_id: UUID) -> tuple[Recorded[Event], ...]:
        """The events of a stream in order, upcast and decrypted; empty for an unknown stream."""
        ...

    async def append(
        self, *appends: StreamAppend, cause: Cause, riders: Riders = NO_RIDERS
    ) -> Appended:
        """Append to all the streams or to none, durably.

        Raises `Stale` when a stream is not at its expected version, `Reserved` when a value
        belongs to someone else, `KeyReused` when the idempotency key came with another
        fingerprint, `EventTooLarge` above 512 KiB, `CursorTaken` and `NotParked` for riders that
        another process was first with. A call may carry many streams and many thousand events.
        A caller that is cancelled while it waits does not know the outcome.
        """
        ...

    async def decide(
        self,
        stream_id: UUID,
        decision: Decision,
        *,
        cause: Cause,
        expected: int | None = None,
        riders: Riders = NO_RIDERS,
    ) -> Appended:
        """Load, decide, append with the version read; again when someone else was first.

        With `expected` the caller's version must be the present one (else `Stale`), and there is
        no second attempt. The idempotency key is looked up before the version is checked and
        before `decision` is called. A decision of no events still stores its riders.
        """
        ...

    async def position(self) -> int:
        """The position of the log's last event; 0 for an empty log."""
        ...

    async def read(
        self, after: int, *, limit: int, until: datetime | None = None
    ) -> tuple[Recorded[Event], ...]:
        """Events by position, from the one after `after`; only those recorded before `until`."""
        ...
