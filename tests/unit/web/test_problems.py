"""Every error has one shape, whoever raises it."""

from collections.abc import Callable
from typing import Annotated, Any

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field

from libs.refusal.refusal import NotFound, Refusal, Stale
from libs.web.app import make_app
from libs.web.auth import Verifier
from libs.web.edge import Edge
from libs.web.problems import refusals

MakeClient = Callable[[FastAPI], httpx2.AsyncClient]


class TooEarly(Refusal):
    code = "too-early"
    title = "It is too early"
    clause = "NSEC-11.1"


class Order(BaseModel):
    packs: dict[str, Annotated[int, Field(gt=0)]]


def raising(error: Exception) -> APIRouter:
    router = APIRouter()

    @router.get("/fails")
    async def fails() -> None:
        raise error

    @router.post("/orders", responses=refusals(TooEarly, Stale))
    async def order(order: Order) -> Order:
        return order

    return router


def app_raising(error: Exception, *, verifier: Verifier) -> FastAPI:
    return make_app("Trial", edge=Edge(verifier=verifier), routers=(raising(error),), ready={})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(TooEarly(), 409, "too-early", id="a rule says no"),
        pytest.param(NotFound(), 404, "not-found", id="no such thing"),
        pytest.param(Stale(), 412, "stale", id="an old version"),
        pytest.param(ConnectionRefusedError(), 503, "unavailable", id="the network is away"),
        pytest.param(TimeoutError(), 503, "unavailable", id="a timeout"),
        pytest.param(
            asyncpg.InterfaceError("pool is closed"), 503, "unavailable", id="the pool is closed"
        ),
        pytest.param(
            asyncpg.InternalClientError("got result for unknown protocol state 3"),
            503,
            "unavailable",
            id="the driver was cut off in the middle",
        ),
        pytest.param(
            asyncpg.CannotConnectNowError("starting"), 503, "unavailable", id="the database starts"
        ),
        pytest.param(
            asyncpg.UndefinedTableError("no table"), 500, "internal-error", id="a wrong query"
        ),
        pytest.param(asyncpg.DataError("not a date"), 500, "internal-error", id="a wrong value"),
        pytest.param(KeyError("secret"), 500, "internal-error", id="a bug"),
    ],
)
async def test_each_kind_of_error_has_its_status_and_code(
    error: Exception, status: int, code: str, verifier: Verifier, client_of: MakeClient
) -> None:
    answer = await client_of(app_raising(error, verifier=verifier)).get("/fails")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["type"]) == (code, f"urn:yakkan:problem:{code}")
    assert body["instance"] == "/fails"
    assert body["status"] == status


async def test_a_refusal_names_its_clause(verifier: Verifier, client_of: MakeClient) -> None:
    refusal = TooEarly("not before June", field="/on")
    body = (await client_of(app_raising(refusal, verifier=verifier)).get("/fails")).json()
    assert body["clause"] == "NSEC-11.1"
    assert (body["title"], body["detail"]) == ("It is too early", "not before June")
    assert body["pointer"] == "/on"


async def test_a_bug_tells_nothing_of_itself(verifier: Verifier, client_of: MakeClient) -> None:
    error = KeyError("secret")
    answer = await client_of(app_raising(error, verifier=verifier)).get("/fails")
    assert "secret" not in answer.text
    assert "detail" not in answer.json()


async def test_bad_weather_says_when_to_come_again(
    verifier: Verifier, client_of: MakeClient
) -> None:
    answer = await client_of(app_raising(OSError(), verifier=verifier)).get("/fails")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        pytest.param('{"packs": {"10": 0}}', "/packs/10", id="a value out of bounds"),
        pytest.param('{"packs": {"a/b": "x"}}', "/packs/a~1b", id="a name with a slash"),
        pytest.param("{}", "/packs", id="a field missing"),
        pytest.param("{", "", id="no JSON"),
    ],
)
async def test_a_malformed_body_is_pointed_at(
    content: str, pointer: str, verifier: Verifier, client_of: MakeClient
) -> None:
    answer = await client_of(app_raising(OSError(), verifier=verifier)).post(
        "/orders", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert errors[0]["pointer"] == pointer
    assert errors[0]["in"] == "body"


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        pytest.param("GET /nowhere", 404, "no-such-page", id="no page"),
        pytest.param("DELETE /fails", 405, "method-not-allowed", id="another method"),
    ],
)
async def test_the_framework_answers_in_the_same_shape(
    request_line: str, status: int, code: str, verifier: Verifier, client_of: MakeClient
) -> None:
    method, path = request_line.split()
    answer = await client_of(app_raising(OSError(), verifier=verifier)).request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_document_lists_the_refusals_of_a_route(
    verifier: Verifier, client_of: MakeClient
) -> None:
    document = (
        await client_of(app_raising(OSError(), verifier=verifier)).get("/openapi.json")
    ).json()
    assert document["openapi"].startswith("3.1")
    responses = document["paths"]["/orders"]["post"]["responses"]
    shown = responses["409"]["content"]["application/problem+json"]["examples"]
    assert shown["too-early"]["value"]["clause"] == "NSEC-11.1"
    assert "412" in responses
    assert "application/problem+json" in responses["422"]["content"]


async def test_ready_says_what_does_not_answer(verifier: Verifier, client_of: MakeClient) -> None:
    async def answers() -> None:
        return None

    async def away() -> None:
        raise ConnectionRefusedError

    app = make_app(
        "Trial",
        edge=Edge(verifier=verifier),
        routers=(),
        ready={"database": answers, "broker": away},
    )
    answer = await client_of(app).get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": False})
