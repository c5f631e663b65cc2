"""What every write and every waiting read has in common: versions, keys, causes, positions.

An answer that is kept for a repeated key is kept as the place in the log it speaks of (stream,
version, position), not as its bytes: the repeat is rendered from the same events, so it says the
same, and a forgotten person leaves nothing behind in it.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

import orjson
from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse

from libs.events.envelope import Cause
from libs.events.log import Appended, Idempotency, Riders
from libs.telemetry import tracing
from libs.web.auth import Principal, requires
from libs.web.problems import RETRY_AFTER_SECONDS, Problem

_ACTORS = UUID("6ad61d4b-6f0c-4b0e-9d0e-0a2f4d6f3c11")
_WAIT_SECONDS = 2.0
_POLL_SECONDS = 0.01
_ONE_TAG = re.compile(r'"(\d{1,9})"')
_KEY_LENGTH = 255


class MissingKey(Problem):
    """A POST that writes came without an idempotency key."""

    code = "missing-idempotency-key"
    title = "A write needs an Idempotency-Key header"


class MalformedHeader(Problem):
    """A header of ours does not have the form it must have."""

    code = "malformed-header"
    title = "A header is malformed"


class NotInRehearsal(Problem):
    """The time may be supplied in a rehearsal environment and nowhere else."""

    code = "not-in-rehearsal"
    title = "Only a rehearsal environment takes Yakkan-Now"


class MissingIfMatch(Problem):
    """A change of something that exists came without the version the caller saw."""

    status = 428
    code = "missing-if-match"
    title = "A change needs an If-Match header with the version you saw"


class NotYetThere(Problem):
    """The position asked for was not reached within the bounded wait."""

    status = 503
    code = "not-yet-there"
    title = "What was asked for is not readable yet; ask again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The place in the log an answer speaks of, the same for a repeat as for the first."""

    status: int
    stream_id: UUID
    version: int
    position: int
    body: Any = None
    replayed: bool = False

    def response(self, body: Any, *, location: str | None = None) -> Response:
        """`body` (JSON-ready) with the headers of a write's answer."""
        headers = {"ETag": etag(self.version), "Yakkan-Position": str(self.position)}
        if self.replayed:
            headers["Idempotency-Replayed"] = "true"
        if location is not None:
            headers["Location"] = location
        return JSONResponse(body, status_code=self.status, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a write brings beside its body. `expected` is None for `If-Match: *` and for creates."""

    asker: Principal
    cause: Cause
    expected: int | None
    scope: str
    key: str | None
    fingerprint: str

    def riders(
        self,
        stream_id: UUID,
        *,
        status: int = 200,
        body: Callable[[Appended], Any] | None = None,
    ) -> Riders:
        """Keeps the answer about `stream_id` under the caller's key; `body` only if not derivable."""
        if self.key is None:
            return Riders()

        def answer(appended: Appended) -> bytes:
            return orjson.dumps(
                {
                    "status": status,
                    "stream_id": str(stream_id),
                    "version": appended.versions[stream_id],
                    "position": appended.position,
                    "body": body(appended) if body else None,
                }
            )

        return Riders(
            idempotency=Idempotency(
                scope=self.scope, key=self.key, fingerprint=self.fingerprint, answer=answer
            )
        )

    def kept(
        self,
        appended: Appended,
        stream_id: UUID,
        *,
        status: int = 200,
        body: Callable[[Appended], Any] | None = None,
    ) -> Kept:
        """What to answer about: the first answer's place when the key had been used before."""
        if appended.replayed is None:
            return Kept(
                status=status,
                stream_id=stream_id,
                version=appended.versions[stream_id],
                position=appended.position,
                body=body(appended) if body else None,
            )
        first = orjson.loads(appended.replayed)
        return Kept(**{**first, "stream_id": UUID(first["stream_id"])}, replayed=True)


def etag(version: int) -> str:
    """The entity tag of a stream's version."""
    return f'"{version}"'


def write(
    scope: str, operation: str, *, versioned: bool = True, staff: bool = False
) -> Callable[..., Awaitable[Write]]:
    """A dependency: the asker may write, and brings what a write must bring.

    `versioned` asks for `If-Match`; creates do without. Every POST needs an `Idempotency-Key`,
    kept by token subject and `operation`.
    """

    async def gather(
        request: Request,
        *,
        asker: Annotated[Principal, Depends(requires(scope, staff=staff))],
        if_match: Annotated[str | None, Header(description='The version you saw: `"3"`')] = None,
        idempotency_key: Annotated[str | None, Header()] = None,
        yakkan_correlation: Annotated[UUID | None, Header(description="The case")] = None,
        yakkan_now: Annotated[datetime | None, Header(description="Rehearsal only")] = None,
    ) -> Write:
        return Write(
            asker=asker,
            cause=_cause(request, asker=asker, correlation=yakkan_correlation, now=yakkan_now),
            expected=_expected(if_match) if versioned else None,
            scope=f"{asker.subject} {operation}",
            key=_key(idempotency_key, required=request.method == "POST"),
            fingerprint=await _fingerprint(request),
        )

    return gather


def _cause(
    request: Request, *, asker: Principal, correlation: UUID | None, now: datetime | None
) -> Cause:
    if now is not None:
        if not request.app.state.edge.rehearsal:
            raise NotInRehearsal
        if now.tzinfo is None:
            message = "Yakkan-Now needs an offset"
            raise MalformedHeader(message)
    return Cause(
        correlation_id=correlation or request.state.correlation_id,
        actor=pseudonym(asker.subject),
        traceparent=tracing.traceparent(),
        now=now,
    )


def pseudonym(subject: str) -> str:
    """The id by which events name an actor: no name or address can be read from it."""
    return str(uuid5(_ACTORS, subject))


def correlation_of(request: Request) -> UUID:
    """The case a request belongs to: as its header says, else a new one."""
    given = request.headers.get("Yakkan-Correlation")
    try:
        return UUID(given) if given else uuid4()
    except ValueError:
        return uuid4()


def _expected(if_match: str | None) -> int | None:
    if if_match is None:
        raise MissingIfMatch
    if if_match.strip() == "*":
        return None
    if (tag := _ONE_TAG.fullmatch(if_match.strip())) is None:
        message = 'If-Match takes one version in quotes, as in "3", or *'
        raise MalformedHeader(message)
    return int(tag.group(1))


def _key(given: str | None, *, required: bool) -> str | None:
    key = (given or "").strip().strip('"')
    if not key:
        if required:
            raise MissingKey
        return None
    if len(key) > _KEY_LENGTH:
        message = f"Idempotency-Key is longer than {_KEY_LENGTH} characters"
        raise MalformedHeader(message)
    return key


async def _fingerprint(request: Request) -> str:
    seen = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    seen.update(await request.body())
    return seen.hexdigest()


async def reached(
    position: Callable[[], Awaitable[int]], at_least: int | None, *, seconds: float = _WAIT_SECONDS
) -> None:
    """Wait until `position()` is at `at_least`; raise `NotYetThere` after `seconds`."""
    if at_least is None:
        return
    try:
        async with asyncio.timeout(seconds):
            while await position() < at_least:  # noqa: ASYNC110 - the cursor is a row elsewhere
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise NotYetThere(headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from error


async def at_least(
    yakkan_at_least: Annotated[
        int | None, Header(ge=0, description="Wait until this position of the log is readable")
    ] = None,
) -> int | None:
    """A dependency: the position a reader wants to see at least, for `reached`."""
    return yakkan_at_least
