"""Who may come in."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from libs.web.app import make_app
from libs.web.auth import Principal, Verifier, keys_at, requires
from libs.web.edge import Edge

from .conftest import MakeToken

MakeClient = Callable[[FastAPI], httpx2.AsyncClient]
MINE = UUID("0b6cf5a5-6d0c-4ea5-8c2c-3b1c39a8a001")

router = APIRouter()


@router.get("/things/{owner}")
async def thing(
    owner: UUID, asker: Annotated[Principal, Depends(requires("contracts:read"))]
) -> str:
    asker.only_own(owner)
    return asker.subject


@router.get("/staff")
async def staff(
    asker: Annotated[Principal, Depends(requires("contracts:write", staff=True))],
) -> str:
    return asker.subject


@pytest.fixture
def client(verifier: Verifier, client_of: MakeClient) -> httpx2.AsyncClient:
    return client_of(make_app("Trial", edge=Edge(verifier=verifier), routers=(router,), ready={}))


async def test_without_a_token_nobody_comes_in(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/things/{MINE}")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": 1}, id="past its time"),
        pytest.param({"iss": "someone-else"}, id="of another issuer"),
        pytest.param({"aud": "elsewhere"}, id="for another audience"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"customer_id": "no uuid"}, id="with a customer that is no id"),
    ],
)
async def test_a_bad_token_is_no_token(
    claims: dict[str, Any], client: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    answer = await client.get(f"/things/{MINE}", headers=bearer("contracts:read", **claims))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["x", "a.b.c", ""])
async def test_what_is_no_token_is_told_so(token: str, client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/things/{MINE}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_token_of_a_strange_key_is_no_token(client: httpx2.AsyncClient) -> None:
    strange = ECKey.generate_key("P-256", {"kid": "strange"})
    claims = {"iss": "yakkan", "aud": "yakkan", "sub": "x", "exp": 4102444800}
    token = jwt.encode({"alg": "ES256", "kid": "strange"}, claims, strange)
    answer = await client.get(f"/things/{MINE}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_scope_opens_its_routes_only(client: httpx2.AsyncClient, bearer: MakeToken) -> None:
    good = await client.get(f"/things/{MINE}", headers=bearer("contracts:read"))
    bad = await client.get(f"/things/{MINE}", headers=bearer("billing:read"))
    assert good.status_code == 200
    assert (bad.status_code, bad.json()["code"]) == (403, "forbidden")
    assert 'scope="contracts:read"' in bad.headers["www-authenticate"]


async def test_an_operator_may_do_everything(client: httpx2.AsyncClient, bearer: MakeToken) -> None:
    assert (await client.get("/staff", headers=bearer("operator"))).status_code == 200


async def test_a_customer_sees_only_its_own(client: httpx2.AsyncClient, bearer: MakeToken) -> None:
    headers = bearer("contracts:read", customer_id=MINE)
    assert (await client.get(f"/things/{MINE}", headers=headers)).status_code == 200
    assert (await client.get(f"/things/{uuid4()}", headers=headers)).status_code == 404


async def test_a_customer_does_not_do_the_staffs_work(
    client: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    headers = bearer("contracts:write", customer_id=MINE)
    assert (await client.get("/staff", headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json"])
async def test_health_and_documents_are_free(path: str, client: httpx2.AsyncClient) -> None:
    assert (await client.get(path)).status_code == 200


async def test_keys_that_cannot_be_fetched_are_weather(client_of: MakeClient) -> None:
    away = Verifier(fetch=keys_at("http://127.0.0.1:9/jwks"))
    client = client_of(make_app("Trial", edge=Edge(verifier=away), routers=(router,), ready={}))
    answer = await client.get("/staff", headers={"Authorization": "Bearer a.b.c"})
    assert answer.status_code == 503


async def test_keys_are_fetched_once_for_many_tokens(key: ECKey, bearer: MakeToken) -> None:
    fetched = 0

    async def fetch() -> dict[str, Any]:
        nonlocal fetched
        fetched += 1
        return dict(KeySet([key]).as_dict(private=False))

    verifier = Verifier(fetch=fetch)
    token = bearer("x")["Authorization"].removeprefix("Bearer ")
    assert [(await verifier.verify(token)).subject for _ in range(3)] == ["someone"] * 3
    assert fetched == 1
