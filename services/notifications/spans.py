"""The span of a step of this service's own, in the trace of the event that led to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from libs.telemetry import names, tracing


@contextmanager
def continued(
    name: str, *, correlation_id: UUID, origin: str | None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[None]:
    """Work on a case inside a span that continues `origin`, a W3C trace context."""
    tracer = trace.get_tracer(names.SCOPE)
    with (
        tracing.case(correlation_id),
        tracer.start_as_current_span(name, context=tracing.context_of(origin), kind=kind) as span,
    ):
        span.set_attribute(names.CORRELATION_ID, str(correlation_id))
        yield
