"""An edge in one process: its own signing key, its routes, a client."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from libs.web.auth import Verifier

MakeToken = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "one"})


@pytest.fixture
def verifier(key: ECKey) -> Verifier:
    async def fetch() -> dict[str, Any]:
        return dict(KeySet([key]).as_dict(private=False))

    return Verifier(fetch=fetch)


@pytest.fixture
def bearer(key: ECKey) -> MakeToken:
    """Headers with a token; any claim may be overridden."""

    def make(*scopes: str, customer_id: UUID | None = None, **claims: Any) -> dict[str, str]:
        payload = {
            "iss": "yakkan",
            "aud": "yakkan",
            "sub": "someone",
            "exp": int(time.time()) + 600,
            "scope": " ".join(scopes),
            **({"customer_id": str(customer_id)} if customer_id else {}),
            **claims,
        }
        token = jwt.encode({"alg": "ES256", "kid": key.kid}, payload, key)
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
async def client_of() -> AsyncIterator[Callable[[FastAPI], httpx2.AsyncClient]]:
    """Makes a client that talks to an application in this process."""
    made: list[httpx2.AsyncClient] = []

    def make(app: FastAPI) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        made.append(httpx2.AsyncClient(transport=transport, base_url="http://edge"))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()
