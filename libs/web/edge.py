"""The outermost ring of a request: its span, its case, its time, and the answer to a bug."""

import logging
import time
from dataclasses import dataclass

from fastapi import Request
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.telemetry import names, tracing
from libs.telemetry.metrics import histogram
from libs.web import problems
from libs.web.auth import Verifier
from libs.web.writes import correlation_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the dependencies of every route need, at `app.state.edge`."""

    verifier: Verifier
    rehearsal: bool = False


class Ring:
    """Starts the request's span, echoes `Yakkan-Correlation`, answers a bug with a trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._duration = histogram(names.HTTP_DURATION, description="How long requests took")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.correlation_id = correlation_of(request)
        started = time.perf_counter()
        with (
            tracing.case(request.state.correlation_id),
            trace.get_tracer(names.SCOPE).start_as_current_span(
                request.method,
                context=tracing.context_of(request.headers.get("traceparent")),
                kind=SpanKind.SERVER,
                attributes={
                    names.HTTP_METHOD: request.method,
                    names.URL_PATH: request.url.path,
                },
            ) as span,
        ):
            await self._within(request, receive, _noting(request, send, span), span)
        self._duration.record(
            time.perf_counter() - started,
            {names.HTTP_METHOD: request.method, names.HTTP_ROUTE: _route(request) or ""},
        )

    async def _within(self, request: Request, receive: Receive, send: Send, span: Span) -> None:
        try:
            await self.app(request.scope, receive, send)
        except Exception as error:
            log.exception("a request failed")
            span.record_exception(error)
            if request.scope.get("yakkan.answered"):
                raise
            await problems.bug(request)(request.scope, receive, send)


def _noting(request: Request, send: Send, span: Span) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            request.scope["yakkan.answered"] = True
            _name(span, request, status=message["status"])
            case = str(request.state.correlation_id).encode()
            message["headers"] = [
                *message.get("headers", ()),
                (b"yakkan-correlation", case),
            ]
        await send(message)

    return noting


def _name(span: Span, request: Request, *, status: int) -> None:
    route = _route(request)
    if route is not None:
        span.update_name(f"{request.method} {route}")
        span.set_attribute(names.HTTP_ROUTE, route)
    span.set_attribute(names.HTTP_STATUS, status)
    if status >= 500:  # noqa: PLR2004 - HTTP's own border to the server's faults
        span.set_status(Status(StatusCode.ERROR))


def _route(request: Request) -> str | None:
    return getattr(request.scope.get("route"), "path", None)
