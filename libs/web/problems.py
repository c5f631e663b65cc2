"""Every error body of every HTTP edge, after RFC 9457, from this one place."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import asyncpg
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from starlette.exceptions import HTTPException

from libs.events.weather import is_weather
from libs.refusal.refusal import NotFound, Refusal, Stale

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

_STATUS_OF_CODE = {"idempotency-key-reused": 422, "event-too-large": 413}
_STATUS_TITLE = {
    400: "The request cannot be understood",
    404: "There is no such page",
    405: "This page does not answer that method",
    413: "The request is too large",
}


class Problem(Exception):
    """What an edge itself answers with when no rule has spoken; subclasses fix code and title."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = _STATUS_TITLE[400]

    def __init__(
        self, detail: str | None = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.headers = dict(headers or {})


def problem_type(code: str) -> str:
    """The stable URI by which clients know a problem."""
    return f"urn:yakkan:problem:{code}"


def trace_id() -> str | None:
    """The id of the present trace in hexadecimal; None outside any."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem body; members that are None are left out."""
    body: dict[str, Any] = {
        "type": problem_type(code),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        **(members or {}),
        "trace_id": trace_id(),
    }
    return JSONResponse(
        {name: value for name, value in body.items() if value is not None},
        status_code=status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status by which a kind of refusal is told."""
    if issubclass(refusal, NotFound):
        return 404
    if issubclass(refusal, Stale):
        return 412
    return _STATUS_OF_CODE.get(refusal.code, 409)


def refusals(*kinds: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The refusals a route may give, for its `responses`, so that OpenAPI shows them."""
    shown: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = shown.setdefault(
            status_of(kind), {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}}
        )
        entry["description"] = f"{entry['description']} `{kind.code}`: {kind.title}.".strip()
        entry["content"][MEDIA_TYPE]["examples"][kind.code] = {
            "value": {
                "type": problem_type(kind.code),
                "title": kind.title,
                "status": status_of(kind),
                "code": kind.code,
                **({"clause": kind.clause} if kind.clause else {}),
            }
        }
    return shown


_MAY_BE_WEATHER = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
    KafkaError,
)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem body, the framework's own included."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _framework)
    for weather in _MAY_BE_WEATHER:
        app.add_exception_handler(weather, _weather)


def bug(request: Request) -> JSONResponse:
    """The answer to a programming mistake: nothing but a trace id."""
    return problem(
        request, status=500, code="internal-error", title="Something is broken on our side"
    )


async def _refused(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    return problem(
        request,
        status=status_of(type(refusal)),
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        members={"clause": refusal.clause, "pointer": refusal.field},
    )


async def _told(request: Request, told: Exception) -> JSONResponse:
    assert isinstance(told, Problem)
    return problem(
        request,
        status=told.status,
        code=told.code,
        title=told.title,
        detail=told.detail,
        headers=told.headers,
    )


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {
            "pointer": _pointer(each["loc"]),
            "in": each["loc"][0] if each["loc"] else "body",
            "detail": each["msg"],
        }
        for each in error.errors()
    ]
    return problem(
        request,
        status=422,
        code="malformed",
        title="The request is malformed",
        detail=f"{found[0]['pointer'] or 'the body'}: {found[0]['detail']}" if found else None,
        members={"errors": found},
    )


def _pointer(loc: Sequence[int | str]) -> str:
    """The JSON Pointer (RFC 6901) of a place in the body, or `/name` for a parameter."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in loc[1:]]
    if loc and loc[0] == "body" and len(steps) == 1 and steps[0].isdigit():
        return ""  # an offset in text that is no JSON at all
    return "".join(f"/{step}" for step in steps)


async def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(
        request,
        status=error.status_code,
        code={404: "no-such-page", 405: "method-not-allowed"}.get(error.status_code, "http"),
        title=_STATUS_TITLE.get(error.status_code, "The request was not carried out"),
        detail=str(error.detail),
        headers=error.headers,
    )


async def _weather(request: Request, error: Exception) -> JSONResponse:
    if not is_weather(error):
        raise error
    log.warning("a request met bad weather", extra={"error": type(error).__name__})
    return problem(
        request,
        status=503,
        code="unavailable",
        title="Not available just now; the same request may be sent again",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
