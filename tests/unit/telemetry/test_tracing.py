"""Spans: whose trace they continue, what they are linked to, and by which case they are found."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

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


def taken(
    number: int = 1,
    *,
    case: UUID = CASE,
    origin: str | None = ORIGIN,
    hop: str | None = None,
) -> tracing.Taken:
    return tracing.Taken(
        topic="contracts",
        partition=3,
        offset=16 + number,
        key=UUID(int=1),
        event_type="contracts.contract-approved.v1",
        event_id=UUID(int=number),
        correlation=case,
        origin=origin,
        hop=hop,
    )


def a_process_span(event: tracing.Taken | None = None) -> None:
    with (
        tracing.process_span(event or taken(), group="facts"),
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
    with tracing.send_spans("contracts", [tracing.Sent(CASE, origin) for origin in origins]):
        pass
    (batch,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    assert batch.name == "send contracts"
    assert batch.parent is None
    assert len(batch.links) == 2


def test_each_event_that_is_sent_has_a_span_in_its_own_trace_and_its_record_names_it(
    spans: InMemorySpanExporter,
) -> None:
    events = [tracing.Sent(CASE, ORIGIN), tracing.Sent(OTHER_CASE, OTHER_ORIGIN)]
    with tracing.send_spans("contracts", events) as hops:
        pass
    sent = [span for span in spans.get_finished_spans() if span.kind is SpanKind.PRODUCER]
    assert [(span.attributes or {})[names.CORRELATION_ID] for span in sent] == [
        str(CASE),
        str(OTHER_CASE),
    ]
    assert [span.parent and trace.format_span_id(span.parent.span_id) for span in sent] == [
        ORIGIN.split("-")[2],
        OTHER_ORIGIN.split("-")[2],
    ]
    assert hops == [
        f"00-{trace.format_trace_id(span.context.trace_id)}"
        f"-{trace.format_span_id(span.context.span_id)}-01"
        for span in sent
    ]


def test_an_event_whose_origin_is_not_recorded_has_no_span_of_its_own(
    spans: InMemorySpanExporter,
) -> None:
    unrecorded = ORIGIN.removesuffix("01") + "00"
    with tracing.send_spans(
        "contracts", [tracing.Sent(CASE, None), tracing.Sent(CASE, unrecorded)]
    ):
        pass
    batch = named(spans, "send contracts")
    assert batch.kind is SpanKind.CLIENT


def test_taking_an_event_follows_its_sending_where_that_is_of_the_same_trace(
    spans: InMemorySpanExporter,
) -> None:
    sending = ORIGIN.replace("b7ad6b7169203331", "b7ad6b7169203339")
    a_process_span(taken(hop=sending))
    span = named(spans, "process contracts")
    assert span.parent is not None
    assert trace.format_span_id(span.parent.span_id) == "b7ad6b7169203339"


def test_taking_an_event_follows_its_origin_where_its_sending_is_of_another_trace() -> None:
    assert taken(hop=OTHER_ORIGIN).before == ORIGIN


@pytest.mark.parametrize(
    ("cases", "carried"),
    [
        pytest.param((CASE, CASE), str(CASE), id="one-case"),
        pytest.param((CASE, OTHER_CASE), None, id="two-cases"),
    ],
)
def test_taking_several_events_carries_a_correlation_id_only_when_it_is_one_case(
    spans: InMemorySpanExporter, cases: tuple[UUID, UUID], carried: str | None
) -> None:
    first, second = cases
    events = [taken(1, case=first), taken(2, case=second, origin=OTHER_ORIGIN)]
    with tracing.process_spans(events, group="facts"):
        pass
    (batch,) = [span for span in spans.get_finished_spans() if span.parent is None]
    assert (batch.attributes or {}).get(names.CORRELATION_ID) == carried
    assert len(batch.links) == 2


def test_of_several_events_taken_together_each_has_a_span_in_its_own_trace(
    spans: InMemorySpanExporter,
) -> None:
    events = [taken(1), taken(2, case=OTHER_CASE, origin=OTHER_ORIGIN)]
    with tracing.process_spans(events, group="facts") as taking:
        taking.failed(UUID(int=2), KeyError("taro"))
    singles = [span for span in spans.get_finished_spans() if span.parent is not None]
    found = {(span.attributes or {})[names.CORRELATION_ID]: span for span in singles}
    assert set(found) == {str(CASE), str(OTHER_CASE)}
    assert found[str(CASE)].status.status_code is StatusCode.UNSET
    assert found[str(OTHER_CASE)].status.status_code is StatusCode.ERROR


def test_work_on_several_cases_has_a_trace_for_each_that_is_linked_to_the_work(
    spans: InMemorySpanExporter,
) -> None:
    with (
        tracing.case(UUID(int=7)),
        tracing.apart("run", origin=ORIGIN),
        tracing.together("issue", cases=[CASE, OTHER_CASE]) as traces,
    ):
        pass
    run = named(spans, "run")
    issued = [span for span in spans.get_finished_spans() if span.name == "issue"]
    assert [(span.attributes or {})[names.CORRELATION_ID] for span in issued] == [
        str(CASE),
        str(OTHER_CASE),
    ]
    assert [span.links[0].context.span_id for span in issued] == [run.context.span_id] * 2
    assert [trace.format_trace_id(span.context.trace_id) for span in issued] == [
        (text or "").split("-")[1] for text in traces
    ]
    assert run.links[0].context.span_id == int(ORIGIN.split("-")[2], 16)
    assert (run.attributes or {})[names.CORRELATION_ID] == str(UUID(int=7))


def test_a_failure_is_told_by_its_kind_and_never_by_its_text(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="taro"), tracing.send_spans("contracts", []):
        raise ValueError("taro@example.jp")
    span = named(spans, "send contracts")
    assert span.attributes is not None
    assert span.attributes[names.ERROR_TYPE] == "ValueError"
    assert "taro" not in span.to_json()


def test_what_is_no_trace_context_starts_a_new_trace() -> None:
    assert tracing.span_context_of("not a trace") is None
    assert tracing.span_context_of(None) is None
