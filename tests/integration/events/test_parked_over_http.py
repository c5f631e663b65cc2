"""Parked streams over HTTP: listed, told, retried, given up; each write once per key."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import orjson
import pytest

from libs.events.answers import forget_old
from libs.web import parked
from libs.web.app import make_app
from libs.web.edge import Edge
from tests.support.edges import a_client, a_verifier, bearer, writing
from tests.support.way import Place

ONE, TWO = UUID(int=1), UUID(int=2)
CASE = UUID(int=100)

INSERT = """
INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id, waiting,
    reason, attempts, parked_at, headers, data, clause)
VALUES ('reader', 'contracts', 0, $1, $2, $3, false, $4, $5, now(), $6, $7, $8)
"""


async def park(place: Place, *, sequence: int, stream_id: UUID, first: bool) -> None:
    headers = {
        "ce_id": str(UUID(int=1000 + sequence)),
        "ce_source": "/yakkan/contracts",
        "ce_type": "contracts.service-started.v1",
        "ce_subject": str(stream_id),
        "ce_time": "2026-04-01T00:00:00+00:00",
        "ce_version": "1",
        "ce_position": str(sequence),
        "ce_sequence": str(sequence),
        "ce_logepoch": str(UUID(int=7)),
        "ce_correlationid": str(CASE),
        "ce_actor": "operator-1",
        "ce_traceparent": "00-6e7f5b34ed7cac2cd95a0e8e157f10a2-00f067aa0ba902b7-01",
    }
    await place.pool.execute(
        INSERT,
        sequence,
        stream_id,
        UUID(int=1000 + sequence),
        "NotToday: it is Sunday" if first else "behind",
        2 if first else 0,
        orjson.dumps(headers).decode(),
        orjson.dumps({"contract_id": str(stream_id)}),
        "NSEC-6.1" if first else None,
    )


@pytest.fixture
async def client(target: Place) -> AsyncIterator[httpx2.AsyncClient]:
    """Stream 1 is parked with two events behind, stream 2 alone."""
    for sequence, stream, first in ((3, ONE, True), (5, ONE, False), (6, ONE, False)):
        await park(target, sequence=sequence, stream_id=stream, first=first)
    await park(target, sequence=4, stream_id=TWO, first=True)
    app = make_app("Parked", edge=Edge(verifier=a_verifier()), routers=(parked.router,), ready={})
    app.state.parked = target.pool
    async with a_client(app) as found:
        yield found


async def test_streams_are_listed_by_their_first_event_page_by_page(
    client: httpx2.AsyncClient,
) -> None:
    first = (await client.get("/parked?limit=1", headers=bearer("operator"))).json()
    assert [(item["first"]["stream_id"], item["behind"]) for item in first["items"]] == [
        (str(ONE), 2)
    ]
    rest = (
        await client.get(f"/parked?limit=1&cursor={first['next']}", headers=bearer("operator"))
    ).json()
    assert [(item["first"]["sequence"], item["behind"]) for item in rest["items"]] == [(4, 0)]
    assert rest["next"] is None


async def test_a_parked_stream_is_told_with_its_clause_its_case_and_what_is_behind(
    client: httpx2.AsyncClient,
) -> None:
    told = (await client.get(f"/parked/reader/contracts/{ONE}", headers=bearer("operator"))).json()
    assert told["first"]["reason"] == "NotToday: it is Sunday"
    assert told["first"]["clause"] == "NSEC-6.1"
    assert (told["first"]["attempts"], told["behind"]) == (2, 2)
    assert told["type"] == "contracts.service-started.v1"
    assert told["correlation_id"] == str(CASE)
    assert told["trace_id"] == "6e7f5b34ed7cac2cd95a0e8e157f10a2"
    assert [one["sequence"] for one in told["queue"]] == [5, 6]
    assert told["data"] == {"contract_id": str(ONE)}
    assert "NSEC-6.1" in told["advice"]


async def test_only_staff_with_the_scope_of_operators_may_look_or_act(
    client: httpx2.AsyncClient,
) -> None:
    where = f"/parked/reader/contracts/{ONE}"
    for headers in (bearer("billing:read", "billing:write"), bearer("operator", customer_id=ONE)):
        assert (await client.get("/parked", headers=headers)).status_code == 403
        assert (await client.get(where, headers=headers)).status_code == 403
        assert (await client.get("/skipped", headers=headers)).status_code == 403
        answer = await client.post(f"{where}/retry", headers={**headers, "Idempotency-Key": "k"})
        assert answer.status_code == 403
    assert (await client.get("/parked")).status_code == 401


async def test_a_retry_asks_the_worker_and_a_repeat_gets_the_first_answer(
    client: httpx2.AsyncClient, target: Place
) -> None:
    where = f"/parked/reader/contracts/{ONE}/retry"
    headers = writing(key="retry-1")
    first = await client.post(where, headers=headers)
    assert first.status_code == 202
    assert first.json() == {
        "stream_id": str(ONE),
        "event_id": str(UUID(int=1003)),
        "done": "retry",
    }
    waits = "SELECT sequence FROM parked_event WHERE waiting"
    assert [row["sequence"] for row in await target.pool.fetch(waits)] == [3]
    await target.pool.execute("UPDATE parked_event SET waiting = false")
    again = await client.post(where, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await target.pool.fetch(waits) == []


async def test_a_skip_gives_up_the_event_that_was_seen_once_and_keeps_why(
    client: httpx2.AsyncClient, target: Place
) -> None:
    where = f"/parked/reader/contracts/{ONE}/skip"
    body = {"event_id": str(UUID(int=1003)), "because": "entered twice"}
    headers = writing(key="skip-1")
    first = await client.post(where, headers=headers, json=body)
    assert (first.status_code, first.json()["event_id"]) == (200, str(UUID(int=1003)))
    again = await client.post(where, headers=headers, json=body)
    assert again.json() == first.json()
    other = await client.post(where, headers=headers, json={**body, "because": "another reason"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    late = await client.post(where, headers=writing(), json=body)
    assert (late.status_code, late.json()["code"]) == (409, "not-first-parked")
    left = await target.pool.fetch(
        "SELECT sequence, waiting FROM parked_event WHERE stream_id = $1 ORDER BY sequence", ONE
    )
    assert [tuple(row) for row in left] == [(5, True), (6, False)]
    (kept,) = (await client.get("/skipped", headers=bearer("operator"))).json()["items"]
    assert (kept["skipped_because"], kept["parked_because"]) == (
        "entered twice",
        "NotToday: it is Sunday",
    )
    assert UUID(kept["skipped_by"])


async def test_a_refusal_is_told_as_a_problem_and_keeps_no_answer(
    client: httpx2.AsyncClient, target: Place
) -> None:
    where = f"/parked/reader/contracts/{uuid4()}/retry"
    answer = await client.post(where, headers=writing(key="gone"))
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await client.post(where, headers=bearer("operator"))).status_code == 400
    assert await target.pool.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_answers_are_forgotten_by_age_some_at_a_time(target: Place) -> None:
    await target.pool.execute(
        "INSERT INTO idempotency_key (scope, key, fingerprint, answer, stored_at)"
        " SELECT 's', n::text, 'f', 'a', now() - make_interval(days => n)"
        " FROM generate_series(27, 34) AS n"
    )
    assert await forget_old(target.pool, kept_for=timedelta(days=30), limit=3) == 3
    assert await forget_old(target.pool, kept_for=timedelta(days=30), limit=3) == 2
    assert await forget_old(target.pool, kept_for=timedelta(days=30), limit=3) == 0
    kept = await target.pool.fetch("SELECT key FROM idempotency_key ORDER BY key")
    assert [row["key"] for row in kept] == ["27", "28", "29"]
