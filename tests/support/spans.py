"""What takes spans in place of Zipkin: at its real protocol, JSON by HTTP, and kept to be asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeAlias

from typing_extensions import override

from cli.ports import LOOPBACK
from libs.telemetry import names

Span: TypeAlias = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Collector:
    """The spans that arrived; `address` is what processes are told of."""

    address: str
    spans: list[Span] = field(default_factory=list)

    def of_case(self, correlation_id: str) -> list[Span]:
        """What a search by a case's correlation id finds: every trace with a span that has it."""
        found = {
            span["traceId"]
            for span in self.spans
            if span.get("tags", {}).get(names.CORRELATION_ID) == correlation_id
        }
        return [span for span in self.spans if span["traceId"] in found]


@contextmanager
def a_collector() -> Iterator[Collector]:
    """Takes spans while the block runs."""
    spans: list[Span] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spans.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Taking)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Collector(address=f"http://{LOOPBACK}:{server.server_port}", spans=spans)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def service_of(span: Span) -> str:
    """The process that made a span."""
    return str(span["localEndpoint"]["serviceName"])
