"""The contracts service on a database of its own, reached over HTTP."""

import asyncio
import base64
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr

from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.topics import create_topics
from libs.web.server import server
from services.contracts.main import Service, application, build, run_migrate
from services.contracts.settings import Settings
from tests.conftest import MakeDatabase

MYSEC = {
    "service": "MYSEC",
    "applied_on": "2024-01-10",
    "content": {"packs": {"1": 10}},
    "consents": ["terms", "third-party-terms", "disclaimers"],
}
WUTM = {
    "service": "WUTM",
    "applied_on": "2024-01-10",
    "content": {"device": "SSB10", "line": "flets"},
    "consents": [
        "terms",
        "third-persons",
        "log-collection",
        "software-licences",
        "no-antisocial-relations",
        "privacy",
    ],
}


class Caller:
    """Somebody with a token, who keeps the versions they saw."""

    def __init__(self, client: httpx2.AsyncClient, *, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=self.headers | headers)

    async def post(
        self,
        path: str,
        body: dict[str, Any],
        *,
        key: str | None = None,
        version: int | str = "*",
        **headers: str,
    ) -> httpx2.Response:
        tag = version if version == "*" else f'"{version}"'
        sent = {"Idempotency-Key": key or uuid4().hex, "If-Match": tag} | self.headers | headers
        return await self.client.post(path, json=body, headers=sent)

    async def registered(self, **values: Any) -> str:
        answer = await self.post(
            "/customers",
            {
                "registered_on": "2024-01-05",
                "corporate": True,
                "payment_method": "invoice",
                "name": "株式会社みどり",
                "email": "midori@example.jp",
                **values,
            },
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["customer_id"])

    async def applied(self, application: dict[str, Any] = MYSEC, **values: Any) -> str:
        body = {"customer_id": await self.registered(), **application, **values}
        answer = await self.post("/contracts", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["contract_id"])

    async def running(self, application: dict[str, Any] = MYSEC, **values: Any) -> str:
        contract_id = await self.applied(application, **values)
        for step, body in (
            ("approval", {"approved_on": "2024-01-10", "document_number": "A-1"}),
            ("start", {"started_on": "2024-01-15"}),
        ):
            answer = await self.post(f"/contracts/{contract_id}/{step}", body)
            assert answer.status_code == 200, answer.text
        return contract_id


MakeCaller = Callable[..., Caller]


@pytest.fixture(scope="session")
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "one"})


@pytest.fixture
async def jwks_url(key: ECKey) -> AsyncIterator[str]:
    """Where the public key is published."""
    app = FastAPI()

    @app.get("/jwks.json")
    async def keys() -> dict[str, Any]:
        return dict(KeySet([key]).as_dict(private=False))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        running = server(app, port=port)
        task = asyncio.create_task(running.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{port}/jwks.json"
        running.should_exit = True
        await task


@pytest.fixture
async def settings(
    database: MakeDatabase, jwks_url: str, kafka_bootstrap: str, topic_prefix: str
) -> Settings:
    return await made_settings(database, jwks_url, kafka_bootstrap, topic_prefix)


async def made_settings(
    database: MakeDatabase,
    jwks_url: str,
    kafka: str,
    topic_prefix: str,
    *,
    rehearsal: bool = False,
) -> Settings:
    """Settings with a migrated database, a migrated key database and the topics."""
    keys_url = await database()
    await migrate(keys_url, [KEY_MIGRATIONS])
    made = Settings(
        database_url=SecretStr(await database()),
        keys_url=SecretStr(keys_url),
        master_key=SecretStr(base64.b64encode(bytes(32)).decode()),
        kafka=kafka,
        jwks_url=jwks_url,
        topic_prefix=topic_prefix,
        rehearsal=rehearsal,
    )
    await run_migrate(made)
    topics = [f"{topic_prefix}contracts", f"{topic_prefix}billing"]
    await create_topics(topics, bootstrap=kafka)
    return made


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with build(settings) as built:
        yield built


@asynccontextmanager
async def a_client(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the service in this process."""
    transport = httpx2.ASGITransport(app=application(service), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://contracts") as client:
        yield client


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with a_client(service) as made:
        yield made


def token(key: ECKey, *scopes: str, subject: str, customer_id: str | None = None) -> str:
    claims = {
        "iss": "yakkan",
        "aud": "yakkan",
        "sub": subject,
        "exp": int(time.time()) + 600,
        "scope": " ".join(scopes),
        **({"customer_id": customer_id} if customer_id else {}),
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


@pytest.fixture
def clerk(client: httpx2.AsyncClient, key: ECKey) -> Caller:
    """A member of staff."""
    return Caller(client, token=token(key, "contracts:read", "contracts:write", subject="clerk"))


@pytest.fixture
def customer(client: httpx2.AsyncClient, key: ECKey) -> MakeCaller:
    """Makes a customer with a token of their own."""

    def make(customer_id: str | UUID) -> Caller:
        made = token(
            key,
            "contracts:read",
            "contracts:write",
            subject=f"customer {customer_id}",
            customer_id=str(customer_id),
        )
        return Caller(client, token=made)

    return make
