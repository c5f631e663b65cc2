"""The edge of a service in a test's own process: tokens of a key of its own, and a client."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx2
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from libs.web.auth import Verifier

_ONE_DAY = 24 * 60 * 60  # some tests make their headers when the run begins

KEY = ECKey.generate_key("P-256", {"kid": "one"})


async def _keys() -> dict[str, Any]:
    return dict(KeySet([KEY]).as_dict(private=False))


def a_verifier() -> Verifier:
    """Checks the tokens made here."""
    return Verifier(fetch=_keys)


def bearer(*scopes: str, customer_id: UUID | None = None) -> dict[str, str]:
    """Headers with a token."""
    claims = {
        "iss": "yakkan",
        "aud": "yakkan",
        "sub": "someone",
        "exp": int(time.time()) + _ONE_DAY,
        "scope": " ".join(scopes),
        **({"customer_id": str(customer_id)} if customer_id else {}),
    }
    return {"Authorization": f"Bearer {jwt.encode({'alg': 'ES256', 'kid': KEY.kid}, claims, KEY)}"}


def writing(*, if_match: str = "*", key: str | None = None, **more: str) -> dict[str, str]:
    """An operator's headers for a write; a new idempotency key unless one is given."""
    return {
        **bearer("operator"),
        "If-Match": if_match,
        "Idempotency-Key": key or str(uuid4()),
        **more,
    }


@asynccontextmanager
async def a_client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that talks to the application in this process."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        yield client
