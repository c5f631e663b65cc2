"""Spans go by OTLP when an endpoint is set: a process of ours, and whoever listens there."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import override

ROOT = Path(__file__).parents[3]
PROCESS = """
from opentelemetry import trace
from libs.telemetry.setting_up import set_up

telemetry = set_up("trial")
with trace.get_tracer("yakkan").start_as_current_span("something done"):
    pass
telemetry.close()
"""


class Listener:
    """Takes what is posted, by path."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                posted.append((self.path, self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def run_with(**environment: str) -> None:
    told = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    subprocess.run(
        [sys.executable, "-c", PROCESS], cwd=ROOT, env={**told, **environment}, check=True
    )


def test_an_endpoint_in_the_environment_gets_the_spans(listener: Listener) -> None:
    run_with(OTEL_EXPORTER_OTLP_ENDPOINT=listener.address)
    ((path, body),) = listener.posted
    assert path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert named["service.name"] == "trial"
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == [
        "something done"
    ]


def test_without_an_endpoint_nothing_is_sent(listener: Listener) -> None:
    run_with()
    run_with(OTEL_EXPORTER_OTLP_ENDPOINT=listener.address, OTEL_TRACES_EXPORTER="none")
    assert listener.posted == []
