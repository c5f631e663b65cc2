"""Metrics as Prometheus' text."""

import pytest
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from libs.telemetry.metrics import prometheus_text


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def meter(reader: InMemoryMetricReader) -> Meter:
    return MeterProvider(metric_readers=[reader]).get_meter("test")


def test_without_metrics_the_text_is_empty(reader: InMemoryMetricReader, meter: Meter) -> None:
    assert prometheus_text(reader) == ""


def test_a_gauge_has_its_unit_in_its_name(reader: InMemoryMetricReader, meter: Meter) -> None:
    meter.create_gauge("yakkan.relay.lag", unit="s", description="Since level").set(1.5)
    assert prometheus_text(reader) == (
        "# HELP yakkan_relay_lag_seconds Since level\n"
        "# TYPE yakkan_relay_lag_seconds gauge\n"
        "yakkan_relay_lag_seconds 1.5\n"
    )


def test_a_counter_ends_in_total_and_has_its_labels(
    reader: InMemoryMetricReader, meter: Meter
) -> None:
    taken = meter.create_counter("yakkan.consumer.taken")
    taken.add(2, {"yakkan.consumer": "facts"})
    taken.add(3, {"yakkan.consumer": "facts"})
    assert prometheus_text(reader) == (
        "# TYPE yakkan_consumer_taken_total counter\n"
        'yakkan_consumer_taken_total{yakkan_consumer="facts"} 5\n'
    )


def test_a_histogram_counts_up_to_each_bound(reader: InMemoryMetricReader, meter: Meter) -> None:
    spread = meter.create_histogram(
        "http.server.request.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1.0]
    )
    for seconds in (0.05, 0.5, 5.0):
        spread.record(seconds)
    assert prometheus_text(reader).splitlines()[1:] == [
        'http_server_request_duration_seconds_bucket{le="0.1"} 1',
        'http_server_request_duration_seconds_bucket{le="1.0"} 2',
        'http_server_request_duration_seconds_bucket{le="+Inf"} 3',
        "http_server_request_duration_seconds_sum 5.55",
        "http_server_request_duration_seconds_count 3",
    ]


def test_a_label_may_hold_quotes_and_line_ends(reader: InMemoryMetricReader, meter: Meter) -> None:
    meter.create_gauge("odd").set(1, {"name": 'a "b"\nc\\'})
    assert prometheus_text(reader).splitlines()[1] == 'odd{name="a \\"b\\"\\nc\\\\"} 1'
