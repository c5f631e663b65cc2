"""The services' HTTP APIs as a partner calls them: token, key, case, supplied time, trace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
import stamina
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.propagate import inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Tracer
from pydantic import TypeAdapter
from uuid_utils.compat import uuid7

from libs.refusal.refusal import Refusal
from libs.telemetry import names

PARTNER = "partner"
_SECONDS = 60.0
_CONNECTIONS = 32
_ATTEMPTS = 8
_BAD_WEATHER = frozenset({502, 503, 504})
_NOT_FOUND = 404
_REFUSED = frozenset({404, 409, 412, 413, 422})
_GOOD = 300

Body = Mapping[str, Any]
Query = str | Sequence[str] | None
"""A value of a query, several, or none."""
_TO_JSON = TypeAdapter(dict[str, Any])


class Unavailable(Exception):
    """A service did not answer, though asked several times."""


class Unexpected(Exception):
    """A service answered what no rule of ours explains; the text says what."""


class Refused(Refusal):
    """A service refused a command; `said` is the code and `clause` the clause it named."""

    code = "refused-by-service"
    title = "A service refused this"
    said: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A service's answer; `position` of its log after a write, None elsewhere."""

    body: Any
    position: int | None


@asynccontextmanager
async def partner_tracer(zipkin: str | None) -> AsyncIterator[Tracer]:
    """Spans of the partner's own, so that a case starts with the partner's call."""
    provider = TracerProvider(resource=Resource.create({names.SERVICE_NAME: PARTNER}))
    if zipkin is not None:
        exporter = ZipkinExporter(endpoint=f"{zipkin}/api/v2/spans")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer(names.SCOPE)
    finally:
        provider.shutdown()


class Services:
    """The APIs of one environment. Every request is safe to send again, and is, in bad weather."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        addresses: Mapping[str, str],
        token: str,
        tracer: Tracer,
    ) -> None:
        self.addresses = dict(addresses)
        self._client = client
        self._token = token
        self._tracer = tracer

    async def get(self, context: str, path: str, **query: Query) -> Any:
        """The body of a GET. Raises `NotThere`, `Refused`, `Unavailable`."""
        params = {name: value for name, value in query.items() if value is not None}
        return (await self._send(context, "GET", path, headers={}, params=params)).body

    async def find(self, context: str, path: str, **query: Query) -> Any:
        """As `get`; None where there is nothing at that address."""
        try:
            return await self.get(context, path, **query)
        except NotThere:
            return None

    async def write(
        self,
        context: str,
        method: str,
        path: str,
        *,
        body: Body,
        operation: str,
        correlation: UUID,
        at: datetime,
    ) -> Answer:
        """Give a command at `at`, in a trace that begins with the partner.

        It is decided on the state as it is then (`If-Match: *`). Raises `Refused`, `Unavailable`.
        """
        with self._tracer.start_as_current_span(
            operation, kind=SpanKind.CLIENT, attributes={names.CORRELATION_ID: str(correlation)}
        ):
            headers = {
                "Idempotency-Key": str(uuid7()),
                "If-Match": "*",
                "Yakkan-Correlation": str(correlation),
                "Yakkan-Now": at.isoformat(),
            }
            inject(headers)
            return await self._send(
                context,
                method,
                path,
                headers=headers,
                json=_TO_JSON.dump_python(dict(body), mode="json"),
            )

    async def _send(
        self, context: str, method: str, path: str, *, headers: Mapping[str, str], **rest: Any
    ) -> Answer:
        if context not in self.addresses:
            raise Unavailable(f"{context} does not run")
        url = f"{self.addresses[context]}{path}"
        known = {"Authorization": f"Bearer {self._token}", **headers}
        try:
            async for attempt in stamina.retry_context(
                on=(httpx2.TransportError, Unavailable), attempts=_ATTEMPTS, timeout=_SECONDS
            ):
                with attempt:
                    response = await self._client.request(method, url, headers=known, **rest)
                    if response.status_code in _BAD_WEATHER:
                        raise Unavailable(f"{context} answered {response.status_code}")
        except httpx2.TransportError as error:
            raise Unavailable(f"{context} does not answer: {type(error).__name__}") from error
        return _answer(response, asked=f"{method} {context}{path}")


class NotThere(Refused):
    """There is nothing at that address."""

    code = "not-there"
    title = "There is no such thing"


def _answer(response: httpx2.Response, *, asked: str) -> Answer:
    if response.status_code < _GOOD:
        position = response.headers.get("Yakkan-Position")
        return Answer(
            body=response.json() if response.content else None,
            position=int(position) if position else None,
        )
    if response.status_code in _REFUSED:
        problem = response.json()
        kind = NotThere if response.status_code == _NOT_FOUND else Refused
        refused = kind(_words(problem), clause=problem.get("clause"), field=problem.get("pointer"))
        refused.said = problem.get("code")
        raise refused
    raise Unexpected(f"{asked}: {response.status_code} {response.text[:500]}")


def _words(problem: Mapping[str, Any]) -> str:
    detail = problem.get("detail") or problem.get("title") or "refused"
    places = [f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", ())]
    return "; ".join([str(detail), *places])


@asynccontextmanager
async def services_at(
    addresses: Mapping[str, str], *, token: str, tracer: Tracer
) -> AsyncIterator[Services]:
    """The services at these base URLs, for as long as the block runs."""
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    async with httpx2.AsyncClient(timeout=_SECONDS, limits=limits) as client:
        yield Services(client, addresses=addresses, token=token, tracer=tracer)
