"""The outermost ring of a request: its span, its case, and the answer to a bug."""

import logging
import time
from dataclasses import dataclass

from fastapi import Request
from opentelemetry import metrics, trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.telemetry import names
from libs.web import problems
from libs.web.auth import Verifier
from libs.web.writes import correlation_of

log = logging.getLogger(__name__)
tracer = trace.get_tracer(names.SCOPE)
duration = metrics.get_meter(names.SCOPE).create_histogram(
    names.HTTP_DURATION, unit="s", description="How long requests took"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the dependencies of every route need, at `app.state.edge`."""

    verifier: Verifier
    rehearsal: bool = False


class Ring:
    """Starts the request's span, echoes `Yakkan-Correlation`, answers a bug with a trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.correlation_id = correlation_of(request)
        started = time.perf_counter()
        with tracer.start_as_current_span(
            request.method,
            context=extract(dict(request.headers)),
            kind=SpanKind.SERVER,
            attributes={
                names.HTTP_METHOD: request.method,
                names.URL_PATH: request.url.path,
                names.CORRELATION_ID: str(request.state.correlation_id),
            },
            record_exception=False,
        ) as span:
            await self._within(request, receive, _noting(request, send, span), span)
        route = getattr(scope.get("route"), "path", "")
        duration.record(
            time.perf_counter() - started,
            {names.HTTP_METHOD: request.method, names.HTTP_ROUTE: route},
        )

    async def _within(
        self, request: Request, receive: Receive, send: Send, span: trace.Span
    ) -> None:
        try:
            await self.app(request.scope, receive, send)
        except Exception as error:
            log.exception("a request failed", extra={"trace_id": problems.trace_id()})
            span.record_exception(error)
            if request.scope.get("yakkan.answered"):
                raise
            await problems.bug(request)(request.scope, receive, send)


def _noting(request: Request, send: Send, span: trace.Span) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            request.scope["yakkan.answered"] = True
            status = message["status"]
            route = getattr(request.scope.get("route"), "path", None)
            if route:
                span.update_name(f"{request.method} {route}")
                span.set_attribute(names.HTTP_ROUTE, route)
            span.set_attribute(names.HTTP_STATUS, status)
            if status >= 500:  # noqa: PLR2004 - the server's own faults, by HTTP
                span.set_status(Status(StatusCode.ERROR))
            message["headers"] = [
                *message.get("headers", ()),
                (b"yakkan-correlation", str(request.state.correlation_id).encode()),
            ]
        await send(message)

    return noting
