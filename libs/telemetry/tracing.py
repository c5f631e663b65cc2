"""Spans: of a request, of an append, of sending to Kafka, of taking from it, of a step of our own.

A case is found by its correlation id, which stands on every span made while it is at work. What
is done for many cases at once (a batch, an invoice run) has a trace of its own, and beside it a
span in the trace of each case, linked to it. No span carries an exception's text, which may
quote what someone told us.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from libs.telemetry import names

_MOST_LINKS = 128
_KAFKA: Mapping[str, str | int] = {names.MESSAGING_SYSTEM: "kafka"}
_TRACER = trace.get_tracer(names.SCOPE)
"""Got before a process is set up, it asks for the provider once there is one, and keeps it."""
_PROPAGATOR = TraceContextTextMapPropagator()
_CORRELATION: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)


class CorrelationOnSpans(SpanProcessor):
    """Puts the correlation id of the case at work on every span that starts."""

    @override
    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        correlation_id = _CORRELATION.get()
        if correlation_id is not None:
            span.set_attribute(names.CORRELATION_ID, str(correlation_id))


def correlation_id() -> UUID | None:
    """The case at work, if any."""
    return _CORRELATION.get()


@contextmanager
def case(correlation: UUID, *, mark: bool = True) -> Iterator[None]:
    """Work on a case: spans and log lines made inside carry its correlation id.

    So does the span at work, unless `mark` is false: then it is not of this case alone.
    """
    token = _CORRELATION.set(correlation)
    try:
        at_work = trace.get_current_span()
        if mark and at_work.is_recording():
            at_work.set_attribute(names.CORRELATION_ID, str(correlation))
        yield
    finally:
        _CORRELATION.reset(token)


def traceparent(context: Context | None = None) -> str | None:
    """The W3C trace context of the span at work, or of `context`; None where there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context=context)
    return carrier.get("traceparent")


def context_of(value: str | None) -> Context:
    """A trace context from its W3C text; an empty one for None or for text that is none."""
    return _PROPAGATOR.extract({} if value is None else {"traceparent": value}, context=Context())


def span_context_of(value: str | None) -> SpanContext | None:
    """The span that a W3C trace context names."""
    found = trace.get_current_span(context_of(value)).get_span_context()
    return found if found.is_valid else None


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    context: Context | None = None,
    links: Sequence[Link] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """Work inside a span, below the one at work unless `context` says otherwise.

    What is raised marks it as failed, by its kind alone.
    """
    with _TRACER.start_as_current_span(
        name,
        context=context,
        kind=kind,
        links=links,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        try:
            yield started
        except BaseException as error:
            mark_failed(started, error)
            raise


@contextmanager
def continued(
    name: str, *, correlation: UUID, origin: str | None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """Work on a case inside a span that continues `origin`, a W3C trace context."""
    with case(correlation), span(name, kind=kind, context=context_of(origin)) as started:
        yield started


@contextmanager
def apart(
    name: str, *, origin: str | None = None, attributes: Mapping[str, str | int] | None = None
) -> Iterator[Span]:
    """Work inside a trace of its own, linked to what led to it, a W3C trace context."""
    links = _links([origin])
    with span(name, context=Context(), links=links, attributes=attributes) as started:
        yield started


@contextmanager
def together(name: str, *, cases: Sequence[UUID]) -> Iterator[list[str | None]]:
    """Work on several cases at once: gives for each the trace context to go on from.

    Each has a trace of its own, of one span that is found by the case and linked to the span at
    work.
    """
    here = trace.get_current_span().get_span_context()
    links = [Link(here)] if here.is_valid else []
    started = [
        _start(name, case_id, kind=SpanKind.INTERNAL, context=Context(), links=links)
        for case_id in cases
    ]
    with _ended(started):
        yield [_text_of(each) for each in started]


@contextmanager
def append_span(context: str, *, streams: int) -> Iterator[Span]:
    """Appending to the log of a context, in the trace of what led to it.

    Nothing is done below it, so it is not made the span at work: an append has no time to lose.
    """
    started = _TRACER.start_span(f"append {context}", attributes={names.STREAMS: streams})
    try:
        yield started
    except BaseException as error:
        mark_failed(started, error)
        raise
    finally:
        started.end()


class Sent(NamedTuple):
    """An event that is sent: its case, and the W3C trace context of its origin."""

    correlation: UUID
    origin: str | None


@contextmanager
def send_spans(topic: str, events: Sequence[Sent]) -> Iterator[list[str | None]]:
    """Sending a batch: gives for each event the trace context that its record carries.

    The batch has a trace of its own, linked to the origins of its events (at most 128). While it
    is recorded, each event whose origin is recorded has a span of its own too, which continues
    its trace and is linked to the batch's.
    """
    origins = (event.origin for event in events)
    with _send_span(topic, origins=origins, count=len(events)) as batch:
        if not batch.is_recording():
            yield [traceparent()] * len(events)
            return
        links = [Link(batch.get_span_context())]
        attributes = {
            **_KAFKA,
            names.MESSAGING_OPERATION_NAME: "send",
            names.MESSAGING_OPERATION_TYPE: "send",
            names.MESSAGING_DESTINATION: topic,
        }
        started = [
            _start(
                f"send {topic}",
                event.correlation,
                kind=SpanKind.PRODUCER,
                context=context_of(event.origin),
                links=links,
                attributes=attributes,
            )
            if _is_recorded(event.origin)
            else batch
            for event in events
        ]
        with _ended([each for each in started if each is not batch]):
            yield [_text_of(each) for each in started]


@contextmanager
def _send_span(topic: str, *, origins: Iterable[str | None], count: int) -> Iterator[Span]:
    with _message_span(
        f"send {topic}",
        context=Context(),
        kind=SpanKind.CLIENT,
        links=_links(origins),
        attributes={
            names.MESSAGING_OPERATION_NAME: "send",
            names.MESSAGING_OPERATION_TYPE: "send",
            names.MESSAGING_DESTINATION: topic,
            names.MESSAGING_BATCH_COUNT: count,
        },
    ) as span:
        yield span


class Taken(NamedTuple):
    """An event that is taken from a topic, as far as spans speak of it.

    `origin` and `hop` are W3C trace contexts: of what led to the event, and of its sending.
    """

    topic: str
    partition: int
    offset: int
    key: UUID
    event_type: str
    event_id: UUID
    correlation: UUID
    origin: str | None
    hop: str | None = None

    @property
    def before(self) -> str | None:
        """What its processing follows: its sending where that is of the same trace, else its origin."""
        origin, hop = span_context_of(self.origin), span_context_of(self.hop)
        same = origin is not None and hop is not None and origin.trace_id == hop.trace_id
        return self.hop if same else self.origin


class Taking:
    """The spans of events that are taken together."""

    def __init__(self, batch: Span, singles: Mapping[UUID, Span]) -> None:
        self._batch = batch
        self._singles = singles

    def failed(self, event_id: UUID, error: BaseException) -> None:
        """Say that one of the events could not be taken."""
        mark_failed(self._batch, error)
        if (single := self._singles.get(event_id)) is not None:
            mark_failed(single, error)


@contextmanager
def process_span(taken: Taken, *, group: str) -> Iterator[Taking]:
    """Taking one event: continues its trace, and is linked to its origin."""
    with (
        case(taken.correlation),
        _message_span(
            f"process {taken.topic}",
            context=context_of(taken.before),
            kind=SpanKind.CONSUMER,
            links=_links([taken.origin]),
            attributes=_of(taken, group=group),
        ) as started,
    ):
        yield Taking(started, {})


@contextmanager
def process_spans(events: Sequence[Taken], *, group: str) -> Iterator[Taking]:
    """Taking several events of one partition at once.

    The batch has a trace of its own, linked to theirs (at most 128), and carries a correlation id
    only when all events are of one case. While it is recorded, each event whose origin is recorded
    has a span of its own too, which continues its trace and is linked to the batch's.
    """
    cases = {event.correlation for event in events}
    (only,) = cases if len(cases) == 1 else (None,)
    token = _CORRELATION.set(only)
    try:
        with (
            _message_span(
                f"process {events[0].topic}",
                context=Context(),
                kind=SpanKind.CONSUMER,
                links=_links(event.origin for event in events),
                attributes={
                    names.MESSAGING_OPERATION_NAME: "process",
                    names.MESSAGING_OPERATION_TYPE: "process",
                    names.MESSAGING_DESTINATION: events[0].topic,
                    names.MESSAGING_PARTITION: str(events[0].partition),
                    names.MESSAGING_GROUP: group,
                    names.MESSAGING_BATCH_COUNT: len(events),
                },
            ) as batch,
            _each(events, batch=batch, group=group) as singles,
        ):
            yield Taking(batch, singles)
    finally:
        _CORRELATION.reset(token)


@contextmanager
def _each(events: Sequence[Taken], *, batch: Span, group: str) -> Iterator[dict[UUID, Span]]:
    """A span for each event that is recorded, while the batch is."""
    recorded = [event for event in events if batch.is_recording() and _is_recorded(event.origin)]
    links = [Link(batch.get_span_context())]
    started = {
        event.event_id: _start(
            f"process {event.topic}",
            event.correlation,
            kind=SpanKind.CONSUMER,
            context=context_of(event.before),
            links=links,
            attributes={**_KAFKA, **_of(event, group=group)},
        )
        for event in recorded
    }
    with _ended(list(started.values())):
        yield started


def _of(taken: Taken, *, group: str) -> dict[str, str | int]:
    return {
        names.MESSAGING_OPERATION_NAME: "process",
        names.MESSAGING_OPERATION_TYPE: "process",
        names.MESSAGING_DESTINATION: taken.topic,
        names.MESSAGING_PARTITION: str(taken.partition),
        names.MESSAGING_OFFSET: taken.offset,
        names.MESSAGING_KEY: str(taken.key),
        names.MESSAGING_GROUP: group,
        names.EVENT_TYPE: taken.event_type,
        names.EVENT_ID: str(taken.event_id),
    }


def mark_failed(started: Span, error: BaseException) -> None:
    """Say that what a span stands for failed: by its kind only, as its text may quote an event."""
    started.set_attribute(names.ERROR_TYPE, type(error).__name__)
    started.set_status(Status(StatusCode.ERROR))


@contextmanager
def _message_span(
    name: str,
    *,
    kind: SpanKind,
    context: Context,
    links: Sequence[Link],
    attributes: Mapping[str, str | int],
) -> Iterator[Span]:
    whole = {**_KAFKA, **attributes}
    with span(name, kind=kind, context=context, links=links, attributes=whole) as started:
        yield started


def _start(
    name: str,
    correlation: UUID,
    *,
    kind: SpanKind,
    context: Context,
    links: Sequence[Link],
    attributes: Mapping[str, str | int] | None = None,
) -> Span:
    """Start a span of a case that is not the one at work; the caller ends it."""
    with case(correlation, mark=False):
        return _TRACER.start_span(
            name, context=context, kind=kind, links=links, attributes=attributes
        )


@contextmanager
def _ended(spans: Sequence[Span]) -> Iterator[None]:
    """End these with the block; what is raised marks them all as failed."""
    try:
        yield
    except BaseException as error:
        for each in spans:
            mark_failed(each, error)
        raise
    finally:
        for each in spans:
            each.end()


def _text_of(started: Span) -> str | None:
    return traceparent(trace.set_span_in_context(started, Context()))


def _is_recorded(origin: str | None) -> bool:
    found = span_context_of(origin)
    return found is not None and found.trace_flags.sampled


def _links(origins: Iterable[str | None]) -> list[Link]:
    texts = islice(dict.fromkeys(origins), _MOST_LINKS)
    contexts = (span_context_of(text) for text in texts)
    return [Link(context) for context in contexts if context is not None]
