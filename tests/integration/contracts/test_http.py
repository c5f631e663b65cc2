"""The life of a contract over HTTP, and what bad requests are told."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

from libs.dates.japan import japan_date
from services.contracts.main import build
from services.contracts.settings import Settings
from tests.conftest import MakeDatabase
from tests.integration.events.postgres_way import a_postgres_way

from .conftest import MYSEC, WUTM, Caller, MakeCaller, a_client, made_settings, token


async def test_a_contract_from_application_to_its_end(clerk: Caller) -> None:
    contract_id = await clerk.running(WUTM)
    path = f"/contracts/{contract_id}"
    suspended = await clerk.post(
        f"{path}/suspension",
        {"from_on": "2024-05-01", "ground": "unpaid", "notified_on": "2024-04-20"},
    )
    assert suspended.json()["state"] == "suspended"
    assert suspended.json()["suspensions"][0]["until_on"] == "2024-11-01"
    resumed = await clerk.post(f"{path}/resumption", {"resumed_on": "2024-06-01"})
    assert resumed.json()["state"] == "in-force"
    device = {"kind": "device", "effective_on": "2024-06-16", "licensed": True}
    assert (await clerk.post(f"{path}/content-changes", device)).json()["content"]["licensed"]
    billing_day = {"start_day": 11, "from_on": "2024-07-11"}
    assert (await clerk.post(f"{path}/billing-day", billing_day)).json()["billing_day"] == 11
    asked = await clerk.post(
        f"{path}/termination-requests",
        {"requested_on": "2024-08-01", "desired_on": "2024-08-20"},
    )
    assert asked.json()["state"] == "termination-pending"
    ended = await clerk.post(f"{path}/termination-confirmation", {"confirmed_on": "2024-08-05"})
    assert ended.json()["end"] == {
        "terminated_on": "2024-08-20",
        "by": "customer",
        "cause": "customer",
        "clause": "WUTM-21.2.1",
    }
    assert ended.json()["maximum_period_last_day"] == "2029-01-14"
    history = (await clerk.get(f"{path}/history")).json()
    assert [event["version"] for event in history] == list(range(1, 10))


async def test_an_end_is_previewed_and_then_comes_as_foreseen(clerk: Caller) -> None:
    contract_id = await clerk.running(WUTM)
    path = f"/contracts/{contract_id}"
    query = "on=2024-08-20&requested_on=2024-08-16&confirmed_on=2024-08-21"
    shown = (await clerk.get(f"{path}/termination-preview?{query}")).json()
    assert (shown["ends_on"], shown["postponed"]) == ("2024-08-28", True)
    assert shown["clauses"] == ["WUTM-21.2.2", "WUTM-21.1"]
    assert shown["asked_in_time"] == {
        "ask_by_on": "2024-08-13",
        "missed": True,
        "earliest_on": "2024-08-23",
        "clause": "WUTM-21.1",
    }
    assert shown["charges"] == (
        f"{path}/end-preview?terminated_on=2024-08-28&requested_on=2024-08-16"
    )
    assert (await clerk.get(path)).json()["state"] == "in-force"
    asked = {"requested_on": "2024-08-16", "desired_on": "2024-08-20"}
    await clerk.post(f"{path}/termination-requests", asked)
    ended = await clerk.post(f"{path}/termination-confirmation", {"confirmed_on": "2024-08-21"})
    assert ended.json()["end"]["terminated_on"] == shown["ends_on"]


async def test_a_preview_of_an_end_is_refused_as_the_end_would_be(clerk: Caller) -> None:
    contract_id = await clerk.running()
    refused = await clerk.get(
        f"/contracts/{contract_id}/termination-preview?on=2024-05-10&requested_on=2024-05-11"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "too-early")
    assert refused.json()["clause"] == "NSEC-11.1"
    malformed = await clerk.get(f"/contracts/{contract_id}/termination-preview?on=soon")
    assert malformed.status_code == 422


async def test_the_insurance_of_a_small_order_is_shown(clerk: Caller) -> None:
    contract_id = await clerk.applied(
        MYSEC,
        applied_on="2021-03-25",
        content={"packs": {"100": 9, "10": 9, "1": 9}, "mac_registered": True},
    )
    approval = {"approved_on": "2021-03-25", "document_number": "A-1"}
    await clerk.post(f"/contracts/{contract_id}/approval", approval)
    answer = await clerk.post(f"/contracts/{contract_id}/start", {"started_on": "2021-04-01"})
    assert answer.json()["insurance"] == {"from_on": "2021-05-01", "to_on": "2022-04-30"}


async def test_a_refused_command_names_its_clause_and_changes_nothing(clerk: Caller) -> None:
    contract_id = await clerk.running()
    before = await clerk.get(f"/contracts/{contract_id}")
    answer = await clerk.post(
        f"/contracts/{contract_id}/termination",
        {"by": "customer", "terminated_on": "2024-05-10", "received_on": "2024-05-11"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "too-early")
    assert answer.json()["clause"] == "NSEC-11.1"
    assert answer.json()["pointer"] == "/terminated_on"
    after = await clerk.get(f"/contracts/{contract_id}")
    assert after.json() == before.json()
    assert after.headers["etag"] == before.headers["etag"] == '"3"'


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        pytest.param(
            f"/contracts/{uuid4()}/start",
            {"started_on": "2024-01-15"},
            404,
            "unknown-contract",
            id="a contract that is not there",
        ),
        pytest.param(
            "/contracts",
            {"customer_id": str(uuid4()), **MYSEC},
            404,
            "unknown-customer",
            id="a customer that is not there",
        ),
        pytest.param(
            f"/contracts/{uuid4()}/start",
            {"started_on": "2024-02-30"},
            422,
            "malformed",
            id="a day that is not there",
        ),
        pytest.param(
            f"/contracts/{uuid4()}/start",
            {"started_on": "2024-01-15", "ended_on": "2024-01-16"},
            422,
            "malformed",
            id="a field that is not there",
        ),
        pytest.param(
            "/contracts/12/start",
            {"started_on": "2024-01-15"},
            422,
            "malformed",
            id="an id that is none",
        ),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    path: str, body: dict[str, object], *, status: int, code: str, clerk: Caller
) -> None:
    answer = await clerk.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        pytest.param({"service": "NOPE"}, "service-not-sold", id="a service nobody sells"),
        pytest.param(
            {"applied_on": "2016-10-23"}, "not-yet-in-force", id="before there were terms"
        ),
        pytest.param({"consents": []}, "incomplete-application", id="without consents"),
        pytest.param(
            {"content": {"device": "SSB5"}}, "not-of-this-service", id="with another's content"
        ),
    ],
)
async def test_an_application_that_cannot_be_is_refused(
    values: dict[str, object], code: str, clerk: Caller
) -> None:
    body = {"customer_id": await clerk.registered(), **MYSEC, **values}
    answer = await clerk.post("/contracts", body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_a_wrong_state_is_a_refusal(clerk: Caller) -> None:
    contract_id = await clerk.applied()
    answer = await clerk.post(f"/contracts/{contract_id}/start", {"started_on": "2024-01-15"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-formed")


async def test_facts_that_would_contradict_one_another_are_refused(clerk: Caller) -> None:
    contract_id = await clerk.running()
    answer = await clerk.post(
        f"/contracts/{contract_id}/suspension",
        {"from_on": "2024-01-14", "ground": "unpaid", "urgent_reason": "now"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "impossible-timeline")


async def test_a_stale_version_is_told_and_the_present_one_is_taken(clerk: Caller) -> None:
    contract_id = await clerk.applied()
    path = f"/contracts/{contract_id}/approval"
    body = {"approved_on": "2024-01-10", "document_number": "A-1"}
    stale = await clerk.post(path, body, version=7)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    good = await clerk.post(path, body, version=1)
    assert (good.status_code, good.headers["etag"]) == (200, '"2"')


async def test_a_write_without_a_key_is_told_so(clerk: Caller) -> None:
    body = {"registered_on": "2024-01-05", "corporate": True, "payment_method": "invoice"}
    answer = await clerk.client.post("/customers", json=body, headers=clerk.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "missing-idempotency-key")


async def test_a_repeat_returns_the_first_answer(clerk: Caller) -> None:
    body = {"customer_id": await clerk.registered(), **MYSEC}
    first = await clerk.post("/contracts", body, key="k-1")
    path = f"/contracts/{first.json()['contract_id']}"
    approval = {"approved_on": "2024-01-10", "document_number": "A-1"}
    approved = await clerk.post(f"{path}/approval", approval, key="k-2", version=1)
    again = await clerk.post("/contracts", body, key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["yakkan-position"] == first.headers["yakkan-position"]
    repeated = await clerk.post(f"{path}/approval", approval, key="k-2", version=1)
    assert (repeated.status_code, repeated.json()) == (200, approved.json())
    other = await clerk.post("/contracts", {**body, "applied_on": "2024-01-11"}, key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_repeats_side_by_side_make_one_contract(clerk: Caller) -> None:
    body = {"customer_id": await clerk.registered(), **MYSEC}
    answers = await asyncio.gather(*(clerk.post("/contracts", body, key="same") for _ in range(5)))
    assert len({answer.json()["contract_id"] for answer in answers}) == 1


async def test_what_is_already_so_changes_nothing(clerk: Caller) -> None:
    contract_id = await clerk.running()
    answer = await clerk.post(f"/contracts/{contract_id}/start", {"started_on": "2024-01-15"})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


async def test_a_line_has_one_contract_at_a_time(clerk: Caller) -> None:
    content = {**WUTM["content"], "line_id": "L-1"}  # type: ignore[dict-item] # a mapping, as above
    first = await clerk.running(WUTM, content=content)
    body = {"customer_id": await clerk.registered(), **WUTM, "content": content}
    taken = await clerk.post("/contracts", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "reserved")
    ended = {"ended_on": "2024-05-10", "reason": "termination"}
    assert (await clerk.post(f"/contracts/{first}/line-end", ended)).json()["state"] == "ended"
    free = await clerk.post("/contracts", {**body, "applied_on": "2024-05-10"})
    assert free.status_code == 201


async def test_a_fact_is_put_right(clerk: Caller) -> None:
    contract_id = await clerk.running()
    path = f"/contracts/{contract_id}"
    start = (await clerk.get(f"{path}/history")).json()[2]
    body = {
        "corrects": start["event_id"],
        "values": {"started_on": "2024-01-20"},
        "reason": "wrong day",
    }
    answer = await clerk.post(f"{path}/corrections", body)
    assert answer.json()["started_on"] == "2024-01-20"
    impossible = {**body, "values": {"started_on": "2024-01-09"}}
    refused = await clerk.post(f"{path}/corrections", impossible)
    assert refused.json()["code"] == "impossible-timeline"
    unknown = {**body, "corrects": str(uuid4())}
    assert (await clerk.post(f"{path}/corrections", unknown)).status_code == 404


async def test_details_of_a_customer_change(clerk: Caller) -> None:
    customer_id = await clerk.registered()
    answer = await clerk.client.patch(
        f"/customers/{customer_id}",
        json={"changed_on": "2024-02-01", "notified_on": "2024-02-02", "phone": "06-1234-5678"},
        headers=clerk.headers | {"If-Match": '"1"'},
    )
    assert answer.json()["phone"] == "06-1234-5678"
    assert answer.json()["name"] == "株式会社みどり"
    assert (await clerk.get(f"/customers/{customer_id}")).headers["etag"] == '"2"'


async def test_a_customer_sees_and_changes_only_its_own(
    clerk: Caller, customer: MakeCaller
) -> None:
    contract_id = await clerk.running()
    owner = (await clerk.get(f"/contracts/{contract_id}")).json()["customer_id"]
    path = f"/contracts/{contract_id}"
    added = {"kind": "addition", "effective_on": "2024-03-11", "packs": {"1": 5}}
    mine, stranger = customer(owner), customer(uuid4())
    assert (await mine.get(path)).status_code == 200
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.get(f"{path}/history")).status_code == 404
    assert (await stranger.get(f"/customers/{owner}")).status_code == 404
    assert (await stranger.post(f"{path}/content-changes", added)).status_code == 404
    assert (await mine.post(f"{path}/content-changes", added)).status_code == 200
    assert (await mine.post(f"{path}/start", {"started_on": "2024-01-15"})).status_code == 403
    ended = {"by": "operator", "terminated_on": "2024-05-10", "ground": "unpaid"}
    assert (await mine.post(f"{path}/termination", ended)).status_code == 403


async def test_the_cause_of_a_write_stands_in_the_history(clerk: Caller) -> None:
    case = str(uuid4())
    body = {"customer_id": await clerk.registered(), **MYSEC}
    answer = await clerk.post("/contracts", body, **{"Yakkan-Correlation": case})
    history = await clerk.get(f"/contracts/{answer.json()['contract_id']}/history")
    assert history.json()[0]["correlation_id"] == case
    assert "clerk" not in history.json()[0]["actor"]


async def test_the_time_is_not_supplied_outside_a_rehearsal(clerk: Caller) -> None:
    answer = await clerk.post(
        "/customers",
        {"registered_on": "2024-01-05", "corporate": True, "payment_method": "invoice"},
        **{"Yakkan-Now": "2024-01-05T00:00:00+09:00"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "not-in-rehearsal")


async def test_without_the_database_a_write_may_be_sent_again(
    settings: Settings, key: ECKey
) -> None:
    dsn = settings.database_url.get_secret_value()
    async with a_postgres_way(dsn) as way:
        behind = settings.model_copy(update={"database_url": SecretStr(way.dsn)})
        async with build(behind) as service, a_client(service) as client:
            clerk = Caller(client, token=token(key, "operator", subject="clerk"))
            customer_id = await clerk.registered()
            body = {"customer_id": customer_id, **MYSEC}
            way.cut()
            away = await clerk.post("/contracts", body, key="k-1")
            assert (away.status_code, away.json()["code"]) == (503, "unavailable")
            assert away.headers["retry-after"]
            assert (await client.get("/health/ready")).status_code == 503
            assert (await client.get("/health/live")).status_code == 200
            await way.open()
            again = await clerk.post("/contracts", body, key="k-1")
            assert again.status_code == 201


async def test_the_pages_that_need_no_token(client: httpx2.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready", "/docs", "/openapi.json", "/standing"):
        assert (await client.get(path)).status_code == 200, path
    document = (await client.get("/openapi.json")).json()
    refused = document["paths"]["/contracts/{contract_id}/termination"]["post"]["responses"]
    assert "not-a-ground" in refused["409"]["content"]["application/problem+json"]["examples"]


async def test_a_contract_is_shown_as_it_was_known_on_a_day(
    database: MakeDatabase, jwks_url: str, kafka_bootstrap: str, topic_prefix: str, key: ECKey
) -> None:
    settings = await made_settings(
        database, jwks_url, kafka_bootstrap, topic_prefix, rehearsal=True
    )
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        clerk.headers["Yakkan-Now"] = "2024-01-10T23:59:59+09:00"
        path = f"/contracts/{await clerk.applied()}"
        clerk.headers["Yakkan-Now"] = "2024-01-12T00:00:00+09:00"
        approval = {"approved_on": "2024-01-10", "document_number": "A-1"}
        await clerk.post(f"{path}/approval", approval)
        now = await clerk.get(path)
        shown = [await clerk.get(f"{path}?known_on=2024-01-{day}") for day in ("10", "11", "12")]
        assert [each.json()["state"] for each in shown] == [
            "under-review",
            "under-review",
            "approved",
        ]
        assert [each.json()["version"] for each in shown] == [1, 1, 2]
        assert {each.headers["etag"] for each in shown} == {'"2"'}
        assert shown[2].json() == now.json()
        before = await clerk.get(f"{path}?known_on=2024-01-09")
        assert (before.status_code, before.json()["code"]) == (404, "unknown-contract")


async def test_what_is_known_on_a_day_is_not_told_before_the_day_is_over(clerk: Caller) -> None:
    path = f"/contracts/{await clerk.running()}"
    today = japan_date(datetime.now(UTC))
    refused = await clerk.get(f"{path}?known_on={today}")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-complete-yet")
    assert "contracts is complete up to" in refused.json()["detail"]
    before = await clerk.get(f"{path}?known_on={today - timedelta(days=1)}")
    assert before.status_code == 404, "it was recorded today"
