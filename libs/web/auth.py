"""Who is asking, and may they: bearer tokens checked against a published set of keys."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import httpx2
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.refusal.refusal import NotFound
from libs.web.problems import Problem

OPERATOR = "operator"
_ALGORITHMS = ["ES256", "EdDSA", "Ed25519", "RS256"]
_REFETCH_SECONDS = 5.0

FetchKeys = Callable[[], Awaitable[dict[str, Any]]]


class Unauthenticated(Problem):
    """No token, or one that is not ours, not meant for us, or past its time."""

    status = 401
    code = "unauthenticated"
    title = "A valid bearer token is needed"


class Forbidden(Problem):
    """The token is good but does not carry what this page asks for."""

    status = 403
    code = "forbidden"
    title = "The token does not permit this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who a token speaks for; `customer_id` only in a customer's own token."""

    subject: str
    scopes: frozenset[str]
    customer_id: UUID | None = None

    def holds(self, scope: str) -> bool:
        """True with this very scope, or as operator, who may do everything."""
        return scope in self.scopes or OPERATOR in self.scopes

    def only_own(self, customer_id: UUID | None) -> None:
        """Raise `NotFound` when a customer asks for what is not theirs: not even its existence."""
        if self.customer_id is not None and self.customer_id != customer_id:
            raise NotFound


@dataclass(slots=True)
class Verifier:
    """Checks tokens against keys that are fetched once, and again for an unknown key id.

    Raises `Unauthenticated`, or `OSError` kin when keys are needed and cannot be fetched.
    """

    fetch: FetchKeys
    issuer: str = "yakkan"
    audience: str = "yakkan"
    _keys: KeySet | None = None
    _fetched_at: float = 0.0
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def verify(self, token: str) -> Principal:
        """The principal a token speaks for."""
        try:
            decoded = await self._decode(token)
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.audience},
                sub={"essential": True},
                exp={"essential": True},
            ).validate(decoded.claims)
            return _principal(decoded.claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated(
                "the token is not valid here", headers=_challenge("invalid_token")
            ) from error

    async def _decode(self, token: str) -> jwt.Token:
        keys = await self._key_set(newer_than=None)
        seen = self._fetched_at
        try:
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            if time.monotonic() - seen < _REFETCH_SECONDS:
                raise
        return jwt.decode(token, await self._key_set(newer_than=seen), algorithms=_ALGORITHMS)

    async def _key_set(self, *, newer_than: float | None) -> KeySet:
        async with self._fetching:
            if self._keys is None or self._fetched_at == newer_than:
                self._keys = KeySet.import_key_set(await self.fetch())  # type: ignore[arg-type] # a JSON object as fetched
                self._fetched_at = time.monotonic()
            return self._keys


def _principal(claims: dict[str, Any]) -> Principal:
    customer = claims.get("customer_id")
    return Principal(
        subject=str(claims["sub"]),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        customer_id=UUID(customer) if customer is not None else None,
    )


def keys_at(url: str, *, timeout_seconds: float = 5.0) -> FetchKeys:
    """Fetches the key set (JWKS) published at `url`."""

    async def fetch() -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=timeout_seconds) as client:
                answer = await client.get(url)
                answer.raise_for_status()
        except httpx2.HTTPError as error:
            message = f"the signing keys at {url} cannot be fetched"
            raise ConnectionError(message) from error
        keys: dict[str, Any] = answer.json()
        return keys

    return fetch


_bearer = HTTPBearer(auto_error=False, description="A token of this installation (`./yk token`)")


async def principal(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """The asker, by the bearer token; raises `Unauthenticated` without a valid one."""
    if credentials is None:
        raise Unauthenticated(headers=_challenge(None))
    verifier: Verifier = request.app.state.edge.verifier
    return await verifier.verify(credentials.credentials)


def requires(scope: str, *, staff: bool = False) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: the asker holds `scope`; with `staff`, is no customer either."""

    async def check(asker: Annotated[Principal, Depends(principal)]) -> Principal:
        if not asker.holds(scope) or (staff and asker.customer_id is not None):
            raise Forbidden(
                f"this needs the scope {scope}" + (", and is not for customers" if staff else ""),
                headers=_challenge("insufficient_scope", scope=scope),
            )
        return asker

    return check


def _challenge(error: str | None, *, scope: str | None = None) -> dict[str, str]:
    parts = ['realm="yakkan"']
    if error:
        parts.append(f'error="{error}"')
    if scope:
        parts.append(f'scope="{scope}"')
    return {"WWW-Authenticate": f"Bearer {', '.join(parts)}"}
