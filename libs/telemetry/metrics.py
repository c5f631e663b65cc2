"""Metrics: made by name, read as Prometheus' text."""

from collections.abc import Iterable, Iterator, Mapping

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import (
    Gauge as GaugePoints,
)
from opentelemetry.sdk.metrics.export import (
    Histogram as HistogramPoints,
)
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    NumberDataPoint,
    Sum,
)

from libs.telemetry import names

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_UNITS = {"s": "_seconds", "By": "_bytes"}

Attributes = Mapping[str, str | int]


class Gauge:
    """A value that goes up and down."""

    def __init__(self, name: str, *, unit: str = "", description: str = "") -> None:
        self._gauge = metrics.get_meter(names.SCOPE).create_gauge(name, unit, description)

    def set(self, value: float, attributes: Attributes | None = None) -> None:
        """Set the value seen under these attributes."""
        self._gauge.set(value, attributes)


def counter(name: str, *, description: str = "") -> Counter:
    """A count that only grows."""
    return metrics.get_meter(names.SCOPE).create_counter(name, description=description)


def histogram(name: str, *, unit: str = "s", description: str = "") -> Histogram:
    """A spread of values, seconds unless said."""
    return metrics.get_meter(names.SCOPE).create_histogram(name, unit, description)


def prometheus_text(reader: InMemoryMetricReader) -> str:
    """All metrics as they are now, in Prometheus' text format."""
    data = reader.get_metrics_data()
    if data is None:
        return ""
    found = (
        line
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for line in _lines(metric)
    )
    return "".join(f"{line}\n" for line in found)


def _lines(metric: Metric) -> Iterator[str]:
    name = _name(metric)
    if isinstance(metric.data, HistogramPoints):
        yield from _head(name, metric, kind="histogram")
        for spread in metric.data.data_points:
            yield from _histogram_lines(name, spread)
        return
    counted = isinstance(metric.data, Sum) and metric.data.is_monotonic
    if counted:
        name = f"{name}_total"
    yield from _head(name, metric, kind="counter" if counted else "gauge")
    if isinstance(metric.data, Sum | GaugePoints):
        for point in metric.data.data_points:
            if isinstance(point, NumberDataPoint):
                yield f"{name}{_labels(point.attributes)} {point.value}"


def _head(name: str, metric: Metric, *, kind: str) -> Iterable[str]:
    if metric.description:
        yield f"# HELP {name} {metric.description}"
    yield f"# TYPE {name} {kind}"


def _histogram_lines(name: str, point: HistogramDataPoint) -> Iterator[str]:
    below = 0
    bounds = [*(str(bound) for bound in point.explicit_bounds), "+Inf"]
    for bound, count in zip(bounds, point.bucket_counts, strict=True):
        below += count
        yield f"{name}_bucket{_labels(point.attributes, le=bound)} {below}"
    yield f"{name}_sum{_labels(point.attributes)} {point.sum}"
    yield f"{name}_count{_labels(point.attributes)} {point.count}"


def _name(metric: Metric) -> str:
    return metric.name.replace(".", "_") + _UNITS.get(metric.unit or "", "")


def _labels(attributes: Mapping[str, object] | None, **more: str) -> str:
    pairs = {**{key.replace(".", "_"): value for key, value in (attributes or {}).items()}, **more}
    if not pairs:
        return ""
    inside = ",".join(f'{key}="{_escaped(str(value))}"' for key, value in pairs.items())
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
