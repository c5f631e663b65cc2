"""Spans: of a request, of sending a batch to Kafka, of taking an event from it.

A case is found by its correlation id, which stands on every span made while it is at work.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
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
def case(correlation: UUID) -> Iterator[None]:
    """Work on a case: spans and log lines made inside carry its correlation id."""
    token = _CORRELATION.set(correlation)
    try:
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attribute(names.CORRELATION_ID, str(correlation))
        yield
    finally:
        _CORRELATION.reset(token)


def traceparent() -> str | None:
    """The W3C trace context of the span at work; None where there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def context_of(value: str | None) -> Context:
    """A trace context from its W3C text; an empty one for None or for text that is none."""
    return _PROPAGATOR.extract({} if value is None else {"traceparent": value}, context=Context())


def span_context_of(value: str | None) -> SpanContext | None:
    """The span that a W3C trace context names."""
    found = trace.get_current_span(context_of(value)).get_span_context()
    return found if found.is_valid else None


@contextmanager
def send_span(topic: str, *, origins: Iterable[str | None], count: int) -> Iterator[Span]:
    """Sending a batch: a trace of its own, linked to the origins of its events (at most 128)."""
    with _span(
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


@contextmanager
def process_span(
    topic: str,
    *,
    partition: int,
    offset: int,
    key: UUID,
    group: str,
    event_type: str,
    event_id: UUID,
    correlation: UUID,
    origin: str | None,
) -> Iterator[Span]:
    """Taking one event: continues the trace of its origin, and is linked to it."""
    token = _CORRELATION.set(correlation)
    parent = span_context_of(origin)
    try:
        with _span(
            f"process {topic}",
            context=context_of(origin),
            kind=SpanKind.CONSUMER,
            links=[] if parent is None else [Link(parent)],
            attributes={
                names.MESSAGING_OPERATION_NAME: "process",
                names.MESSAGING_OPERATION_TYPE: "process",
                names.MESSAGING_DESTINATION: topic,
                names.MESSAGING_PARTITION: str(partition),
                names.MESSAGING_OFFSET: offset,
                names.MESSAGING_KEY: str(key),
                names.MESSAGING_GROUP: group,
                names.EVENT_TYPE: event_type,
                names.EVENT_ID: str(event_id),
            },
        ) as span:
            yield span
    finally:
        _CORRELATION.reset(token)


@contextmanager
def process_batch_span(
    topic: str,
    *,
    partition: int,
    group: str,
    correlations: Collection[UUID],
    origins: Sequence[str | None],
) -> Iterator[Span]:
    """Taking several events at once: a trace of its own, linked to theirs (at most 128).

    It carries a correlation id only when all events are of one case.
    """
    (only,) = correlations if len(correlations) == 1 else (None,)
    token = _CORRELATION.set(only)
    try:
        with _span(
            f"process {topic}",
            context=Context(),
            kind=SpanKind.CONSUMER,
            links=_links(origins),
            attributes={
                names.MESSAGING_OPERATION_NAME: "process",
                names.MESSAGING_OPERATION_TYPE: "process",
                names.MESSAGING_DESTINATION: topic,
                names.MESSAGING_PARTITION: str(partition),
                names.MESSAGING_GROUP: group,
                names.MESSAGING_BATCH_COUNT: len(origins),
            },
        ) as span:
            yield span
    finally:
        _CORRELATION.reset(token)


def mark_failed(span: Span, error: BaseException) -> None:
    """Say that what a span stands for failed: by its kind only, as its text may quote an event."""
    span.set_attribute(names.ERROR_TYPE, type(error).__name__)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _span(
    name: str,
    *,
    kind: SpanKind,
    context: Context,
    links: Sequence[Link],
    attributes: Mapping[str, str | int],
) -> Iterator[Span]:
    with trace.get_tracer(names.SCOPE).start_as_current_span(
        name,
        context=context,
        kind=kind,
        links=links,
        attributes={names.MESSAGING_SYSTEM: "kafka", **attributes},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            mark_failed(span, error)
            raise


def _links(origins: Iterable[str | None]) -> list[Link]:
    texts = islice(dict.fromkeys(origins), _MOST_LINKS)
    contexts = (span_context_of(text) for text in texts)
    return [Link(context) for context in contexts if context is not None]
