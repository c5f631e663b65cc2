"""What the services answer to what they cannot accept: a clear word, and nothing changed."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.state import State
from cli.system import Addresses
from libs.dates.japan import japan_instant
from tests.support.partner import Partner, a_partner

pytestmark = pytest.mark.timeout(300)

_AT = japan_instant(date(2024, 4, 1))


@pytest.fixture
async def partner(system: Addresses, state: State) -> AsyncIterator[Partner]:
    async with a_partner(system.services, state=state) as found:
        yield found


@pytest.fixture
async def contract_id(partner: Partner) -> UUID:
    """A contract that was applied for and accepted on 2024-04-01."""
    customer_id, contract_id = str(uuid4()), uuid4()
    customer = {
        "customer_id": customer_id,
        "registered_on": "2024-04-01",
        "corporate": True,
        "payment_method": "invoice",
    }
    application = an_application(customer_id) | {"contract_id": str(contract_id)}
    approval = {"approved_on": "2024-04-01", "document_number": "1"}
    for path, body in (
        ("/customers", customer),
        ("/contracts", application),
        (f"/contracts/{contract_id}/approval", approval),
    ):
        answer = await partner.post("contracts", path, body, at=_AT)
        assert answer.is_success, answer.text
    return contract_id


def an_application(customer_id: str, **but: Any) -> dict[str, Any]:
    return {
        "service": "MYSEC",
        "customer_id": customer_id,
        "applied_on": "2024-04-01",
        "content": {"packs": {"1": 3}},
        "consents": ["terms", "third-party-terms", "disclaimers"],
        **but,
    }


async def history(partner: Partner, contract_id: UUID) -> Any:
    return (await partner.get("contracts", f"/contracts/{contract_id}/history")).json()


def told(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_an_unknown_contract_is_not_found_in_any_service(partner: Partner) -> None:
    unknown = uuid4()
    asked = [
        await partner.get("contracts", f"/contracts/{unknown}"),
        await partner.get("billing", f"/contracts/{unknown}"),
        await partner.get("billing", f"/invoices/{unknown}/explanation"),
        await partner.get("monitoring", f"/sites/{unknown}"),
        await partner.get("notifications", f"/notices/{unknown}"),
        await partner.post(
            "contracts", f"/contracts/{unknown}/start", {"started_on": "2024-04-10"}, at=_AT
        ),
    ]
    assert [answer.status_code for answer in asked] == [404] * len(asked)
    assert all(answer.json()["title"] for answer in asked)


async def test_a_stale_version_is_refused_and_changes_nothing(
    partner: Partner, contract_id: UUID
) -> None:
    before = await history(partner, contract_id)
    path = f"/contracts/{contract_id}/start"
    answer = await partner.post(
        "contracts", path, {"started_on": "2024-04-10"}, at=_AT, version='"1"'
    )
    assert told(answer) == (412, "stale")
    assert await history(partner, contract_id) == before


async def test_a_command_in_the_wrong_state_is_refused(partner: Partner, contract_id: UUID) -> None:
    path = f"/contracts/{contract_id}/decline"
    body = {"declined_on": "2024-04-02", "ground": "arrears"}
    answer = await partner.post("contracts", path, body, at=_AT)
    assert told(answer) == (409, "not-under-review")


async def test_a_date_that_makes_the_timeline_impossible_is_refused(
    partner: Partner, contract_id: UUID
) -> None:
    before = await history(partner, contract_id)
    path = f"/contracts/{contract_id}/start"
    answer = await partner.post("contracts", path, {"started_on": "2024-03-01"}, at=_AT)
    assert answer.status_code == 409
    assert await history(partner, contract_id) == before


@pytest.mark.clause("NSEC-6.1")
async def test_a_missing_consent_is_refused_by_its_clause_and_field(partner: Partner) -> None:
    customer_id = str(uuid4())
    customer = {
        "customer_id": customer_id,
        "registered_on": "2024-04-01",
        "corporate": True,
        "payment_method": "invoice",
    }
    assert (await partner.post("contracts", "/customers", customer, at=_AT)).is_success
    answer = await partner.post(
        "contracts", "/contracts", an_application(customer_id, consents=[]), at=_AT
    )
    assert told(answer) == (409, "incomplete-application")
    assert (answer.json()["clause"], answer.json()["pointer"]) == ("NSEC-6.1", "/consents")


async def test_unknown_terms_are_refused(partner: Partner, contract_id: UUID) -> None:
    contract = (await partner.get("contracts", f"/contracts/{contract_id}")).json()
    body = an_application(contract["customer_id"], service="XYZ")
    answer = await partner.post("contracts", "/contracts", body, at=_AT)
    assert answer.status_code == 409
    assert "XYZ" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"started_on": "2024-02-30"}, "/started_on", id="no such day"),
        pytest.param({}, "/started_on", id="left out"),
        pytest.param({"started_on": "2024-04-10", "colour": 1}, "/colour", id="unknown field"),
    ],
)
async def test_a_malformed_body_is_refused_at_the_place(
    body: dict[str, Any], pointer: str, partner: Partner, contract_id: UUID
) -> None:
    answer = await partner.post("contracts", f"/contracts/{contract_id}/start", body, at=_AT)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_key_used_again_for_something_else_is_refused(
    partner: Partner, contract_id: UUID
) -> None:
    path, key = f"/contracts/{contract_id}/start", str(uuid4())
    first = await partner.post("contracts", path, {"started_on": "2024-04-10"}, at=_AT, key=key)
    again = await partner.post("contracts", path, {"started_on": "2024-04-10"}, at=_AT, key=key)
    other = await partner.post("contracts", path, {"started_on": "2024-04-11"}, at=_AT, key=key)
    assert first.json() == again.json()
    assert told(other) == (422, "idempotency-key-reused")


async def test_without_a_token_nothing_is_told(system: Addresses, partner: Partner) -> None:
    stranger = Partner(client=partner.client, addresses=system.services, token="")
    asked = [
        await stranger.get("contracts", f"/contracts/{uuid4()}"),
        await stranger.get("billing", "/invoices"),
        await stranger.get("monitoring", "/sites"),
        await stranger.get("notifications", "/notices"),
    ]
    assert [told(answer) for answer in asked] == [(401, "unauthenticated")] * len(asked)
