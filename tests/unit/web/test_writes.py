"""What a write must bring, and what it gets back."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Response

from libs.events.envelope import Cause
from libs.events.log import Appended
from libs.web.app import make_app
from libs.web.auth import Principal, Verifier
from libs.web.edge import Edge
from libs.web.writes import NotYetThere, Write, pseudonym, reached, write

from .conftest import MakeToken

MakeClient = Callable[[FastAPI], httpx2.AsyncClient]
STREAM = UUID("0b6cf5a5-6d0c-4ea5-8c2c-3b1c39a8a002")

router = APIRouter()


@router.post("/things")
async def create(
    body: dict[str, int], wish: Annotated[Write, Depends(write("t:write", "make", versioned=False))]
) -> dict[str, Any]:
    return seen(wish)


@router.post("/things/1/change")
async def change(
    body: dict[str, int], wish: Annotated[Write, Depends(write("t:write", "change"))]
) -> dict[str, Any]:
    return seen(wish)


def seen(wish: Write) -> dict[str, Any]:
    return {
        "expected": wish.expected,
        "scope": wish.scope,
        "key": wish.key,
        "fingerprint": wish.fingerprint,
        "actor": wish.cause.actor,
        "correlation": str(wish.cause.correlation_id),
        "now": wish.cause.now.isoformat() if wish.cause.now else None,
    }


def client(verifier: Verifier, client_of: MakeClient, *, rehearsal: bool) -> httpx2.AsyncClient:
    edge = Edge(verifier=verifier, rehearsal=rehearsal)
    return client_of(make_app("Trial", edge=edge, routers=(router,), ready={}))


@pytest.fixture
def live(verifier: Verifier, client_of: MakeClient) -> httpx2.AsyncClient:
    return client(verifier, client_of, rehearsal=False)


@pytest.fixture
def rehearsal(verifier: Verifier, client_of: MakeClient) -> httpx2.AsyncClient:
    return client(verifier, client_of, rehearsal=True)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        pytest.param({}, 428, "missing-if-match", id="no version"),
        pytest.param({"If-Match": "3"}, 400, "malformed-header", id="no quotes"),
        pytest.param({"If-Match": 'W/"3"'}, 400, "malformed-header", id="a weak tag"),
        pytest.param({"If-Match": '"3"'}, 400, "missing-idempotency-key", id="no key"),
        pytest.param(
            {"If-Match": '"3"', "Idempotency-Key": "k" * 300}, 400, "malformed-header", id="long"
        ),
        pytest.param(
            {"If-Match": '"3"', "Idempotency-Key": "k", "Yakkan-Now": "2024-01-01T00:00:00+09:00"},
            400,
            "not-in-rehearsal",
            id="the time outside a rehearsal",
        ),
        pytest.param(
            {"If-Match": '"3"', "Idempotency-Key": "k", "Yakkan-Correlation": "case 7"},
            422,
            "malformed",
            id="a case that is no id",
        ),
    ],
)
async def test_a_write_without_what_it_must_bring_is_told_so(
    headers: dict[str, str], status: int, code: str, live: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    answer = await live.post("/things/1/change", json={}, headers=headers | bearer("t:write"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_version_and_the_key_may_stand_in_quotes(
    live: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    headers = {"If-Match": '"3"', "Idempotency-Key": '"k-1"'} | bearer("t:write", sub="clerk")
    body = (await live.post("/things/1/change", json={}, headers=headers)).json()
    assert (body["expected"], body["key"], body["scope"]) == (3, "k-1", "clerk change")
    assert body["actor"] == pseudonym("clerk")
    assert "clerk" not in body["actor"]


async def test_a_create_needs_no_version(live: httpx2.AsyncClient, bearer: MakeToken) -> None:
    headers = {"Idempotency-Key": "k"} | bearer("t:write")
    assert (await live.post("/things", json={}, headers=headers)).json()["expected"] is None


async def test_another_body_has_another_fingerprint(
    live: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    headers = {"Idempotency-Key": "k"} | bearer("t:write")
    one, same, other = [
        (await live.post("/things", json=body, headers=headers)).json()["fingerprint"]
        for body in ({"a": 1}, {"a": 1}, {"a": 2})
    ]
    assert one == same != other


async def test_the_case_is_kept_or_made_and_told(
    live: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    case = str(uuid4())
    headers = {"Idempotency-Key": "k"} | bearer("t:write")
    given = await live.post("/things", json={}, headers=headers | {"Yakkan-Correlation": case})
    made = await live.post("/things", json={}, headers=headers)
    assert given.json()["correlation"] == given.headers["yakkan-correlation"] == case
    assert made.json()["correlation"] == made.headers["yakkan-correlation"] != case


async def test_a_rehearsal_takes_the_time_with_an_offset(
    rehearsal: httpx2.AsyncClient, bearer: MakeToken
) -> None:
    headers = {"Idempotency-Key": "k"} | bearer("t:write")
    good = {"Yakkan-Now": "2024-01-01T00:00:00+09:00"}
    bad = {"Yakkan-Now": "2024-01-01T00:00:00"}
    body = (await rehearsal.post("/things", json={}, headers=headers | good)).json()
    assert body["now"] == "2024-01-01T00:00:00+09:00"
    answer = await rehearsal.post("/things", json={}, headers=headers | bad)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-header")


def a_wish(key: str | None) -> Write:
    return Write(
        asker=Principal(subject="s", scopes=frozenset()),
        cause=Cause(correlation_id=STREAM, actor="a"),
        expected=None,
        scope="s op",
        key=key,
        fingerprint="f",
    )


def test_a_repeat_answers_about_the_same_place() -> None:
    wish = a_wish("k")
    first = Appended(versions={STREAM: 4}, position=17)
    idempotency = wish.riders(STREAM, status=201).idempotency
    assert idempotency is not None
    again = Appended(versions={}, position=99, replayed=idempotency.answer(first))
    kept = wish.kept(again, uuid4(), status=201)
    assert (kept.stream_id, kept.version, kept.position, kept.status) == (STREAM, 4, 17, 201)
    told: Response = kept.response({})
    assert told.headers["idempotency-replayed"] == "true"
    assert (told.headers["etag"], told.headers["yakkan-position"]) == ('"4"', "17")


def test_without_a_key_nothing_is_kept() -> None:
    assert a_wish(None).riders(STREAM).idempotency is None


async def test_a_reader_waits_for_a_position_and_not_for_ever() -> None:
    positions = iter(range(10))

    async def rising() -> int:
        return next(positions)

    async def standing() -> int:
        return 1

    await reached(rising, 5)
    await reached(standing, None)
    with pytest.raises(NotYetThere):
        await reached(standing, 2, seconds=0.02)
