"""What a topic carries, read: the event, or why it can't be."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from libs.events.envelope import Event, Recorded
from libs.events.kafka import Message
from libs.events.keys import Keys
from libs.events.reaction import NotYetSeen, OwnFault
from libs.events.weather import is_weather
from libs.events.wire import Wire
from libs.refusal.refusal import Refusal
from libs.telemetry import tracing
from libs.telemetry.tracing import Taken, Taking


class Read(NamedTuple):
    """A message with its event; `recorded` is None where its type is unknown or it failed."""

    message: Message
    recorded: Recorded[Event] | None = None
    failure: Exception | None = None

    @property
    def stream_id(self) -> UUID:
        """The stream of the event."""
        return self.message.envelope.stream_id

    @property
    def sequence(self) -> int:
        """The event's sequence in its partition."""
        return self.message.envelope.sequence


async def read(messages: Sequence[Message], *, wire: Wire, keys: Keys) -> list[Read]:
    """Read all; one that can't be read does not keep others from it. The weather is raised."""
    try:
        events = await wire.decode([message.stored for message in messages], keys=keys)
    except Exception as error:
        if is_weather(error):
            raise
        return [await _read_one(message, wire=wire, keys=keys) for message in messages]
    return [_read(message, event=event) for message, event in zip(messages, events, strict=True)]


async def _read_one(message: Message, *, wire: Wire, keys: Keys) -> Read:
    try:
        (event,) = await wire.decode([message.stored], keys=keys)
    except Exception as error:
        if is_weather(error):
            raise
        return Read(message=message, failure=error)
    return _read(message, event=event)


def _read(message: Message, *, event: Event | None) -> Read:
    return Read(
        message=message, recorded=None if event is None else Recorded(message.envelope, event)
    )


@contextmanager
def read_span(reads: Sequence[Read], *, reader: str) -> Iterator[Taking]:
    """The spans of taking these events, each in the trace of its event."""
    events = [_taken(one.message) for one in reads]
    taking = (
        tracing.process_span(events[0], group=reader)
        if len(events) == 1
        else tracing.process_spans(events, group=reader)
    )
    with taking as spans:
        yield spans


def _taken(message: Message) -> Taken:
    envelope = message.envelope
    return Taken(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=envelope.stream_id,
        event_type=message.type,
        event_id=envelope.event_id,
        correlation=envelope.correlation_id,
        origin=envelope.traceparent,
        hop=message.hop,
    )


def reason_of(error: Exception) -> str:
    """Why a stream was parked, in words that carry nothing personal.

    A refusal and a thing not yet seen speak for themselves; of anything else only the kind and
    the place are told, because its own text may quote an event.
    """
    if isinstance(error, OwnFault):
        return reason_of(error.error)
    kind = type(error).__name__
    if isinstance(error, Refusal | NotYetSeen):
        return f"{kind}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return kind
    where = frames[-1]
    return f"{kind} in {where.name} ({'/'.join(where.filename.split('/')[-3:])}:{where.lineno})"


def clause_of(error: Exception) -> str | None:
    """The clause of the terms that said no, where one did."""
    return error.clause if isinstance(error, Refusal) else None
