"""Traces, metrics, log lines and the collector of one process, set up once at its start."""

import os
from dataclasses import dataclass

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from libs.telemetry import names, tracing
from libs.telemetry.collector import collect_rarely
from libs.telemetry.logs import set_up_logs
from libs.telemetry.metrics import prometheus_text

_WAITING_SPANS = 16_384
_EXPORT_MS = 1_000


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
    `zipkin`, `otlp` or `none`; left out, they go by OTLP when an endpoint is set, else nowhere. A
    process whose spans go nowhere records none, but its log lines and problems carry trace ids.
    """
    resource = Resource.create({names.SERVICE_NAME: service})
    exporter = _exporter()
    traces = TracerProvider(resource=resource, sampler=ALWAYS_OFF if exporter is None else None)
    traces.add_span_processor(tracing.CorrelationOnSpans())
    if exporter is not None:
        traces.add_span_processor(
            BatchSpanProcessor(
                exporter, max_queue_size=_WAITING_SPANS, schedule_delay_millis=_EXPORT_MS
            )
        )
    trace.set_tracer_provider(traces)
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))
    set_up_logs()
    collect_rarely()
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
