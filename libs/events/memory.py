"""The log in memory, for offline play and tests; passes the suite of the log on PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args
from uuid import UUID

from pydantic.fields import FieldInfo
from uuid_utils.compat import uuid7

from libs.dates.clock import Clock
from libs.events.envelope import Cause, Event, Recorded
from libs.events.keys import Keys, MemoryKeys
from libs.events.log import NO_RIDERS, Appended, Decision, Riders, StreamAppend
from libs.events.partition import PARTITIONS
from libs.events.refusals import Stale
from libs.events.settle import (
    Asked,
    Entry,
    Identity,
    Standing,
    StreamEntries,
    check_asked,
    kept_answer,
    settle,
)
from libs.events.wire import Stored, Wire, encode, key_owners, shape_of

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class MemoryLog:
    """The log of one context in memory.

    Several callers of one event loop may share it; nothing in it waits, so that nothing comes
    between a check and its append.
    """

    def __init__(
        self,
        context: str,
        *,
        clock: Clock,
        keys: Keys | None = None,
        rehearsal: bool = False,
    ) -> None:
        self._clock = clock
        self._keys = MemoryKeys() if keys is None else keys
        self._wire = Wire()
        self._identity = Identity(
            context=context, log_epoch=uuid7(), partitions=PARTITIONS, rehearsal=rehearsal
        )
        self._standing = Standing(position=0, recorded_at=_BEFORE_ALL, sequences=[0] * PARTITIONS)
        self._events: list[Recorded[Event]] = []
        self._data: list[bytes] = []
        self._streams: dict[UUID, list[Recorded[Event]]] = {}
        self._personal: dict[UUID, int] = {}  # streams with personal fields, and the last of them

    @property
    def context(self) -> str:
        """The context that owns the log, as in event types."""
        return self._identity.context

    @property
    def head(self) -> int:
        """The position of the log's last event, without waiting; 0 for an empty log."""
        return self._standing.position

    async def load(self, stream_id: UUID) -> tuple[Recorded[Event], ...]:
        """The events of a stream in order."""
        events = self._streams.get(stream_id, ())
        return await self._readable(events) if stream_id in self._personal else tuple(events)

    async def append(
        self, *appends: StreamAppend, cause: Cause, riders: Riders = NO_RIDERS
    ) -> Appended:
        """Append to all the streams or to none."""
        check_asked(appends, cause=cause, riders=riders, identity=self._identity)
        streams = [
            StreamEntries(
                append.stream_id,
                append.expected,
                [await self._entry(event) for event in append.events],
                append.cause or cause,
            )
            for append in appends
        ]
        appended, _ = settle(
            self._standing,
            asked=Asked(streams, riders),
            now=self._clock.now(),
            identity=self._identity,
        )
        if appended.replayed is None:
            self._keep(appended.events, streams=streams)
        return appended

    async def decide(
        self,
        stream_id: UUID,
        decision: Decision,
        *,
        cause: Cause,
        expected: int | None = None,
        riders: Riders = NO_RIDERS,
    ) -> Appended:
        """Load, decide, append with the version read; again when someone else was first."""
        while True:
            answer = kept_answer(self._standing.answers, idempotency=riders.idempotency)
            if answer is not None:
                return Appended(versions={}, position=self._standing.position, replayed=answer)
            events = await self.load(stream_id)
            if expected is not None and expected != len(events):
                raise Stale(f"stream {stream_id} is at version {len(events)}, not {expected}")
            decided = decision(events)
            append = StreamAppend(stream_id=stream_id, events=decided, expected=len(events))
            try:
                return await self.append(append, cause=cause, riders=riders)
            except Stale:
                if expected is not None:
                    raise

    async def position(self) -> int:
        """The position of the log's last event; 0 for an empty log."""
        return self._standing.position

    async def read(
        self, after: int, *, limit: int, until: datetime | None = None
    ) -> tuple[Recorded[Event], ...]:
        """Events by position, from the one after `after`; only those recorded before `until`."""
        if until is None:
            events = self._events[after : after + limit]
            last = max(self._personal.values(), default=0)
            return await self._readable(events) if after < last else tuple(events)
        early = (e for e in self._events[after:] if e.envelope.recorded_at < until)
        return (await self._readable(tuple(early)))[:limit]

    async def _entry(self, event: Event) -> Entry:
        event_id = uuid7()
        owners = key_owners(event)
        keys = await self._keys.make(owners) if owners else {}
        data = encode(event, event_id=event_id, keys=keys)
        if _is_loose(type(event)):
            stored = Stored(event.type, event_id, data)
            event = self._wire.decode_one(stored, secrets={}) or event
        return Entry(event_id, event, data)

    def _keep(self, events: Sequence[Recorded[Event]], *, streams: Sequence[StreamEntries]) -> None:
        self._events.extend(events)
        self._data.extend(entry.data for stream in streams for entry in stream.entries)
        for event in events:
            self._streams.setdefault(event.envelope.stream_id, []).append(event)
            if shape_of(type(event.event)).personal:
                self._personal[event.envelope.stream_id] = event.envelope.position

    async def _readable(self, events: Iterable[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """As the other log would read them: personal fields only as long as their key is there."""
        return tuple(
            [await self._opened(e) if shape_of(type(e.event)).personal else e for e in events]
        )

    async def _opened(self, recorded: Recorded[Event]) -> Recorded[Event]:
        if not _is_loose(type(recorded.event)):
            owners = key_owners(recorded.event)
            keys = await self._keys.make(owners) if owners else {}
            if None not in keys.values():
                return recorded  # the append made these keys; all are there, so it reads as it was
        envelope = recorded.envelope
        data = self._data[envelope.position - 1]
        stored = Stored(recorded.event.type, envelope.event_id, data)
        (event,) = await self._wire.decode([stored], keys=self._keys)
        return recorded if event is None else Recorded(envelope, event)


@cache
def _is_loose(declared: type[Event]) -> bool:
    """Whether JSON would change an event's values: a field takes Any, so a date becomes text."""
    return any(_holds_any(field) for field in declared.model_fields.values())


def _holds_any(field: FieldInfo) -> bool:
    waiting = [field.annotation]
    while waiting:
        annotation = waiting.pop()
        if annotation is Any:
            return True
        waiting.extend(get_args(annotation))
    return False
