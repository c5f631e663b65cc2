"""A partner applies, an operator accepts, the month is invoiced, the invoice says why, mail goes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.play.rehearsal import Stage
from cli.state import State
from cli.system import Addresses
from libs.dates.japan import japan_instant
from services.billing.domain.account import account_of
from tests.support.partner import Partner, a_partner

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def partner(system: Addresses, state: State) -> AsyncIterator[Partner]:
    async with a_partner(system.services, state=state) as found:
        yield found


async def given(answer: Any) -> Any:
    """The body of an answer to something that must have been accepted."""
    assert answer.is_success, answer.text
    return answer.json()


async def a_started_contract(partner: Partner) -> tuple[UUID, UUID]:
    """A customer and their contract of 23 licences, in service since 2024-04-10."""
    customer_id, contract_id = uuid4(), uuid4()
    applied_at, approved_at = japan_instant(date(2024, 4, 1)), japan_instant(date(2024, 4, 3))
    customer = {
        "customer_id": str(customer_id),
        "registered_on": "2024-04-01",
        "corporate": True,
        "payment_method": "invoice",
        "name": "株式会社みずほ堂",
        "email": "keiri@mizuhodo.example",
    }
    await given(await partner.post("contracts", "/customers", customer, at=applied_at))
    application = {
        "contract_id": str(contract_id),
        "service": "MYSEC",
        "customer_id": str(customer_id),
        "applied_on": "2024-04-01",
        "content": {"packs": {"10": 2, "1": 3}},
        "consents": ["terms", "third-party-terms", "disclaimers"],
    }
    await given(await partner.post("contracts", "/contracts", application, at=applied_at))
    path = f"/contracts/{contract_id}"
    approval = {"approved_on": "2024-04-03", "document_number": "承諾第7号"}
    await given(await partner.post("contracts", f"{path}/approval", approval, at=approved_at))
    started = {"started_on": "2024-04-10"}
    started_at = japan_instant(date(2024, 4, 10))
    await given(await partner.post("contracts", f"{path}/start", started, at=started_at))
    return customer_id, contract_id


async def an_invoice(partner: Partner, on_stage: Stage, *, contract_id: UUID) -> Any:
    """The newest invoice of the contract after the run that closes on the end of May 2024."""
    run = {"closing_on": "2024-05-31", "issued_on": "2024-06-01", "due_policy": "agreed"}
    scope = [str(account_of(contract_id))]
    at = japan_instant(date(2024, 6, 1))
    asked = await partner.post("billing", "/invoice-runs", {**run, "scope": scope}, at=at)
    place = f"/invoice-runs/{(await given(asked))['run_id']}"
    async with asyncio.timeout(60):
        while (await partner.get("billing", place)).json().get("state") != "finished":  # noqa: ASYNC110 - the run is another process's
            await asyncio.sleep(0.02)
    await on_stage.rest.reached()
    found = await given(await partner.get("billing", "/invoices", contract_id=str(contract_id)))
    return found["items"][-1]


async def test_an_invoice_says_why_it_is_what_it_is(partner: Partner, on_stage: Stage) -> None:
    _, contract_id = await a_started_contract(partner)
    await on_stage.rest.reached()
    invoice = await an_invoice(partner, on_stage, contract_id=contract_id)
    assert (invoice["month"], invoice["subtotal"], invoice["total"]) == ("2024-05", 4200, 4620)
    path = f"/invoices/{invoice['invoice_id']}/explanation"
    explanation = await given(await partner.get("billing", path))
    lines = {line["code"]: line for line in explanation["lines"]}
    assert {code: line["amount"] for code, line in lines.items()} == {
        "MYSEC-LIC1": 600,
        "MYSEC-LIC10": 3600,
    }
    for line in lines.values():
        assert "NSEC-14.3" in {clause["id"] for clause in line["clauses"]}
        assert all(clause["rule"] for clause in line["clauses"])
        assert "contracts.contract-applied.v1" in {event["type"] for event in line["events"]}


async def test_one_trace_leads_from_the_partners_call_through_every_service(
    partner: Partner, on_stage: Stage
) -> None:
    _, contract_id = await a_started_contract(partner)
    await on_stage.rest.reached()
    invoice = await an_invoice(partner, on_stage, contract_id=contract_id)
    path = f"/invoices/{invoice['invoice_id']}/explanation"
    explanation = await given(await partner.get("billing", path))
    evidence = [event for line in explanation["lines"] for event in line["events"]]
    assert {event["trace_id"] for event in evidence} == {partner.trace_id}
    history = await given(await partner.get("contracts", f"/contracts/{contract_id}/history"))
    assert {event["trace_id"] for event in history} == {partner.trace_id}
    assert {event["correlation_id"] for event in history} == {str(partner.case)}
    listed = await given(
        await partner.get("notifications", "/notices", contract_id=str(contract_id))
    )
    notices = [
        await given(await partner.get("notifications", f"/notices/{one['notice_id']}"))
        for one in listed["items"]
    ]
    assert {notice["why"]["correlation_id"] for notice in notices} == {str(partner.case)}
    approved = [one for one in notices if "承諾第7号" in one["subject_line"]]
    assert [one["why"]["trace_id"] for one in approved] == [partner.trace_id]


async def test_the_customer_is_told_of_the_acceptance_and_of_the_invoice(
    partner: Partner, on_stage: Stage
) -> None:
    _, contract_id = await a_started_contract(partner)
    await on_stage.rest.reached()
    await an_invoice(partner, on_stage, contract_id=contract_id)
    mails = await given(
        await partner.get("notifications", "/captured-mails", contract_id=str(contract_id))
    )
    assert {mail["address"] for mail in mails["items"]} == {"keiri@mizuhodo.example"}
    subjects = [mail["subject_line"] for mail in mails["items"]]
    assert "承諾第7号" in subjects[0]
    assert any("2024年5月ご利用分" in subject for subject in subjects[1:])
    assert all("株式会社みずほ堂" in mail["body"] for mail in mails["items"])


async def test_a_customer_sees_their_own_and_nobody_elses(
    partner: Partner, on_stage: Stage, system: Addresses, state: State
) -> None:
    customer_id, contract_id = await a_started_contract(partner)
    await on_stage.rest.reached()
    invoice = await an_invoice(partner, on_stage, contract_id=contract_id)
    places = [
        ("contracts", f"/contracts/{contract_id}"),
        ("billing", f"/invoices/{invoice['invoice_id']}/explanation"),
        ("billing", f"/accounts/{account_of(contract_id)}"),
    ]
    scopes = ("contracts:read", "billing:read")
    for asker, status in ((customer_id, 200), (uuid4(), 404)):
        async with a_partner(
            system.services, state=state, scopes=scopes, customer_id=asker
        ) as customer:
            found = [(await customer.get(*place)).status_code for place in places]
        assert found == [status] * len(places)
