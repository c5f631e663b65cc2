"""The outermost ring of a request, inside the framework's own span: its case, its bugs."""

import logging
from dataclasses import dataclass

from fastapi import Request
from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.telemetry import tracing
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
    """Works on the request's case, echoes `Yakkan-Correlation`, answers a bug with a trace id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.correlation_id = correlation_of(request)
        with tracing.case(request.state.correlation_id):
            await self._within(request, receive, _echoing(request, send))

    async def _within(self, request: Request, receive: Receive, send: Send) -> None:
        try:
            await self.app(request.scope, receive, send)
        except Exception as error:
            log.exception("a request failed")
            tracing.mark_failed(trace.get_current_span(), error)
            if request.scope.get("yakkan.answered"):
                raise
            await problems.bug(request)(request.scope, receive, send)


def _echoing(request: Request, send: Send) -> Send:
    case = (b"yakkan-correlation", str(request.state.correlation_id).encode())

    async def echoing(message: Message) -> None:
        if message["type"] == "http.response.start":
            request.scope["yakkan.answered"] = True
            message["headers"] = [*message.get("headers", ()), case]
        await send(message)

    return echoing
