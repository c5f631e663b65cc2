"""Traces, metrics and log lines of one process, set up once at its start."""

import logging
import os
import sys
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from libs.telemetry import names, tracing
from libs.telemetry.metrics import prometheus_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a process tells of itself."""

    traces: TracerProvider
    reader: InMemoryMetricReader

    def metrics(self) -> str:
        """All metrics as they are now, in Prometheus' text format."""
        return prometheus_text(self.reader)

    def close(self) -> None:
        """Send the spans that still wait."""
        self.traces.shutdown()


def set_up(service: str) -> Telemetry:
    """Set up this process; call it once, before anything makes a span or a metric.

    Spans go where OpenTelemetry's own environment variables say: `OTEL_TRACES_EXPORTER` is
    `zipkin`, `otlp` or `none`; left out, they go by OTLP when an endpoint is set, else nowhere.
    """
    resource = Resource.create({names.SERVICE_NAME: service})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(tracing.CorrelationOnSpans())
    if (exporter := _exporter()) is not None:
        traces.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    trace.set_tracer_provider(traces)
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))
    _set_up_logs()
    return Telemetry(traces=traces, reader=reader)


def _exporter() -> SpanExporter | None:
    chosen = os.environ.get("OTEL_TRACES_EXPORTER")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if chosen is None:
        chosen = "otlp" if any(os.environ.get(name) for name in endpoints) else "none"
    if chosen == "none":
        return None
    if chosen == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        return ZipkinExporter()
    if chosen == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    raise ValueError(f"OTEL_TRACES_EXPORTER is {chosen}, not zipkin, otlp or none")


def _set_up_logs() -> None:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_case,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(), foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


def _add_case(_logger: object, _method: str, line: Any) -> Any:
    """Put the trace and the case at work on a line; never anything personal."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
    if (correlation := tracing.correlation_id()) is not None:
        line["correlation_id"] = str(correlation)
    return line
