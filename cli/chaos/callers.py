"""A caller of the APIs who never gives up: one key a command, repeated until there is an answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx2

from cli.chaos.journal import Entry, Journal

_TIMEOUT_SECONDS = 4.0
_AGAIN_SECONDS = 0.15
_EFFECT_SECONDS = 8.0
_WEATHER = frozenset({502, 503, 504})
_SERVER_ERROR = 500
_GOOD = 300
_TAG = '"'


class Over(Exception):
    """The load is over: nothing new is begun, and nothing more is waited for."""


@dataclass(slots=True, kw_only=True)
class Calls:
    """What all callers share. `mistakes` are answers that no weather explains."""

    client: httpx2.AsyncClient
    addresses: Mapping[str, str]
    token: str
    journal: Journal
    began_at: float
    over: asyncio.Event = field(default_factory=asyncio.Event)
    repeats: int = 0
    mistakes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish: `makes` is the type of the event that it leads to, exactly one.

    `version` is the one the caller saw, None for whichever it is.
    """

    context: str
    operation: str
    method: str
    path: str
    body: Mapping[str, Any]
    makes: str
    version: int | None = None
    contest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer: its version from `ETag`, where it has one."""

    ok: bool
    body: Any
    version: int | None


class Caller:
    """Gives commands one after the other, and asks for pages."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def give(self, command: Command) -> Said:
        """Give a command and keep its answer. Raises `Over` instead of beginning a new one."""
        if self._calls.over.is_set():
            raise Over
        key, correlation = str(uuid4()), str(uuid4())
        headers = {
            "Idempotency-Key": key,
            "If-Match": "*" if command.version is None else f'"{command.version}"',
            "Yakkan-Correlation": correlation,
        }
        response, attempts = await self._until_answered(
            command.context, command.method, command.path, headers=headers, json=dict(command.body)
        )
        ok = response.status_code < _GOOD
        body = response.json()
        version = _version(response)
        self._calls.journal.add(
            Entry(
                context=command.context,
                operation=command.operation,
                correlation=correlation,
                key=key,
                makes=command.makes,
                outcome="acknowledged" if ok else "refused",
                status=response.status_code,
                attempts=attempts,
                at_seconds=round(asyncio.get_running_loop().time() - self._calls.began_at, 3),
                position=_number(response.headers.get("Yakkan-Position")) if ok else None,
                version=version if ok else None,
                replayed="Idempotency-Replayed" in response.headers,
                code=None if ok else body.get("code"),
                contest=command.contest,
            )
        )
        return Said(ok=ok, body=body, version=version)

    async def race(self, *commands: Command) -> Said | None:
        """Give commands at once on one version; the answer of the one that won."""
        contest = str(uuid4())
        said = await asyncio.gather(
            *(self.give(replace(command, contest=contest)) for command in commands)
        )
        return next((one for one in said if one.ok), None)

    async def find(self, context: str, path: str, **query: str) -> Said | None:
        """A page as it is now; None where there is nothing."""
        response, _ = await self._until_answered(context, "GET", path, headers={}, params=query)
        if response.status_code >= _GOOD:
            return None
        return Said(ok=True, body=response.json(), version=_version(response))

    async def effect(self, context: str, path: str) -> Said | None:
        """A page of another service, once it is there; None where that takes long.

        Raises `Over` when the load is over.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _EFFECT_SECONDS
        while loop.time() < until:
            if self._calls.over.is_set():
                raise Over
            found = await self.find(context, path)
            if found is not None:
                return found
            await asyncio.sleep(_AGAIN_SECONDS)
        return None

    async def _until_answered(
        self, context: str, method: str, path: str, *, headers: Mapping[str, str], **rest: Any
    ) -> tuple[httpx2.Response, int]:
        """The first answer that is not weather, and how often it was asked for."""
        url = f"{self._calls.addresses[context]}{path}"
        known = {"Authorization": f"Bearer {self._calls.token}", **headers}
        attempts = 0
        while True:
            attempts += 1
            try:
                response = await self._calls.client.request(method, url, headers=known, **rest)
            except httpx2.TransportError:
                await self._again()
                continue
            if response.status_code >= _SERVER_ERROR:
                if response.status_code not in _WEATHER:
                    said = f"{method} {context}{path}: {response.status_code} {response.text[:300]}"
                    self._calls.mistakes.append(said)
                await self._again()
                continue
            return response, attempts

    async def _again(self) -> None:
        self._calls.repeats += 1
        await asyncio.sleep(_AGAIN_SECONDS)


def a_client() -> httpx2.AsyncClient:
    """Gives up an attempt, not a command, after a few seconds."""
    return httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, limits=httpx2.Limits(max_connections=100))


def _version(response: httpx2.Response) -> int | None:
    return _number(response.headers.get("ETag", "").strip(_TAG))


def _number(text: str | None) -> int | None:
    return int(text) if text else None
