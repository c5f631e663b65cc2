"""Spans: whose trace they continue, what they are linked to, and by which case they are found."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from libs.telemetry import names, tracing

CASE = UUID(int=100)
OTHER_CASE = UUID(int=101)
ORIGIN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_ORIGIN = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans of this test that have ended; the provider of a process can be set only once."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(tracing.CorrelationOnSpans())
        trace.set_tracer_provider(provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def a_process_span() -> None:
    with (
        tracing.process_span(
            "contracts",
            partition=3,
            offset=17,
            key=UUID(int=1),
            group="facts",
            event_type="contracts.contract-approved.v1",
            event_id=UUID(int=5),
            correlation=CASE,
            origin=ORIGIN,
        ),
        trace.get_tracer("test").start_as_current_span("inside"),
    ):
        pass


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in spans.get_finished_spans() if span.name == name]
    return found


def test_taking_an_event_continues_the_trace_of_its_origin_and_is_linked_to_it(
    spans: InMemorySpanExporter,
) -> None:
    a_process_span()
    span = named(spans, "process contracts")
    assert span.kind is SpanKind.CONSUMER
    assert span.parent is not None
    assert trace.format_trace_id(span.parent.trace_id) == ORIGIN.split("-")[1]
    assert trace.format_span_id(span.parent.span_id) == ORIGIN.split("-")[2]
    assert [trace.format_span_id(link.context.span_id) for link in span.links] == [
        ORIGIN.split("-")[2]
    ]


def test_every_span_of_a_case_carries_its_correlation_id(spans: InMemorySpanExporter) -> None:
    a_process_span()
    for name in ("process contracts", "inside"):
        attributes = named(spans, name).attributes
        assert attributes is not None
        assert attributes[names.CORRELATION_ID] == str(CASE)


def test_a_span_outside_of_a_case_carries_none(spans: InMemorySpanExporter) -> None:
    a_process_span()
    with trace.get_tracer("test").start_as_current_span("outside"):
        assert tracing.correlation_id() is None
    assert names.CORRELATION_ID not in (named(spans, "outside").attributes or {})


def test_a_span_that_runs_when_its_case_becomes_known_carries_it(
    spans: InMemorySpanExporter,
) -> None:
    with trace.get_tracer("test").start_as_current_span("request"), tracing.case(CASE):
        pass
    attributes = named(spans, "request").attributes
    assert attributes is not None
    assert attributes[names.CORRELATION_ID] == str(CASE)


def test_sending_a_batch_is_a_trace_of_its_own_with_links_to_its_origins(
    spans: InMemorySpanExporter,
) -> None:
    origins = [ORIGIN, ORIGIN, None, OTHER_ORIGIN]
    with tracing.send_span("contracts", origins=origins, count=4):
        hop = tracing.traceparent()
    span = named(spans, "send contracts")
    assert span.parent is None
    assert span.kind is SpanKind.CLIENT
    assert len(span.links) == 2
    assert hop is not None
    assert span.context is not None
    assert trace.format_trace_id(span.context.trace_id) in hop


@pytest.mark.parametrize(
    ("correlations", "carried"),
    [
        pytest.param({CASE}, str(CASE), id="one-case"),
        pytest.param({CASE, OTHER_CASE}, None, id="two-cases"),
    ],
)
def test_taking_several_events_carries_a_correlation_id_only_when_it_is_one_case(
    spans: InMemorySpanExporter, correlations: set[UUID], carried: str | None
) -> None:
    with tracing.process_batch_span(
        "contracts",
        partition=3,
        group="facts",
        correlations=correlations,
        origins=[ORIGIN, OTHER_ORIGIN],
    ):
        pass
    span = named(spans, "process contracts")
    assert (span.attributes or {}).get(names.CORRELATION_ID) == carried
    assert len(span.links) == 2


def test_a_failure_is_told_by_its_kind_and_never_by_its_text(spans: InMemorySpanExporter) -> None:
    with (
        pytest.raises(ValueError, match="taro"),
        tracing.send_span("contracts", origins=[], count=1),
    ):
        raise ValueError("taro@example.jp")
    span = named(spans, "send contracts")
    assert span.attributes is not None
    assert span.attributes[names.ERROR_TYPE] == "ValueError"
    assert "taro" not in span.to_json()


def test_what_is_no_trace_context_starts_a_new_trace() -> None:
    assert tracing.span_context_of("not a trace") is None
    assert tracing.span_context_of(None) is None
