"""A search by a case's correlation id finds its whole way, from the partner's call to the mail."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from cli.play.rehearsal import Stage
from cli.state import State
from cli.system import Addresses
from libs.dates.japan import japan_instant
from services.billing.domain.account import account_of
from tests.support.partner import Partner, a_partner
from tests.support.spans import Collector, service_of
from tests.support.way import until

pytestmark = pytest.mark.timeout(300)

NAME = "株式会社あけぼの書店"
SERVICES = {"contracts", "contracts-worker", "billing-worker", "notifications-worker"}
WAY = {
    ("call", "POST /contracts/{contract_id}/approval"),
    ("call", "append contracts"),
    ("call", "send contracts"),
    ("call", "process contracts"),
    ("call", "queue notice"),
    ("call", "send mail"),
    ("invoice", "issue documents"),
    ("invoice", "send billing"),
    ("invoice", "process billing"),
    ("invoice", "queue notice"),
    ("invoice", "append notifications"),
    ("invoice", "send mail"),
}


async def given(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def a_started_contract(partner: Partner) -> str:
    customer_id, contract_id = str(uuid4()), uuid4()
    at = japan_instant(date(2024, 4, 1))
    customer = {
        "customer_id": customer_id,
        "registered_on": "2024-04-01",
        "corporate": True,
        "payment_method": "invoice",
        "name": NAME,
        "email": "keiri@akebono.example",
    }
    application = {
        "contract_id": str(contract_id),
        "service": "MYSEC",
        "customer_id": customer_id,
        "applied_on": "2024-04-01",
        "content": {"packs": {"10": 1}},
        "consents": ["terms", "third-party-terms", "disclaimers"],
    }
    approval = {"approved_on": "2024-04-01", "document_number": "D-1"}
    path = f"/contracts/{contract_id}"
    for where, body in (
        ("/customers", customer),
        ("/contracts", application),
        (f"{path}/approval", approval),
        (f"{path}/start", {"started_on": "2024-04-01"}),
    ):
        await given(await partner.post("contracts", where, body, at=at))
    return str(account_of(contract_id))


async def an_invoice_run(operator: Partner, *, accounts: list[str]) -> None:
    run = {
        "closing_on": "2024-04-30",
        "issued_on": "2024-05-01",
        "due_policy": "agreed",
        "scope": accounts,
    }
    at = japan_instant(date(2024, 5, 1))
    asked = await given(await operator.post("billing", "/invoice-runs", run, at=at))
    async with asyncio.timeout(60):
        while not await is_finished(operator, asked["run_id"]):  # noqa: ASYNC110 - the run is another process's
            await asyncio.sleep(0.02)


async def is_finished(operator: Partner, run_id: str) -> bool:
    answer = await operator.get("billing", f"/invoice-runs/{run_id}")
    return bool(answer.json().get("state") == "finished")


async def test_each_case_of_a_run_is_found_by_its_own_id_up_to_its_mail(
    system: Addresses, state: State, on_stage: Stage, spans: Collector
) -> None:
    async with AsyncExitStack() as stack:
        partners = [
            await stack.enter_async_context(a_partner(system.services, state=state))
            for _ in range(3)
        ]
        *askers, operator = partners
        accounts = [await a_started_contract(partner) for partner in askers]
        await on_stage.rest.reached()
        await an_invoice_run(operator, accounts=accounts)
        await on_stage.rest.reached()
    for partner in askers:

        async def whole(partner: Partner = partner) -> bool:
            return (
                names_of(spans, partner, prefix=system.surroundings.topic_prefix) >= WAY
                and services_of(spans, partner) >= SERVICES
            )

        await until(whole)
        mails = [span for span in spans.of_case(str(partner.case)) if span["name"] == "send mail"]
        assert len({span["traceId"] for span in mails}) == 2, "of the call, and of the invoice"
        assert partner.trace_id in {span["traceId"] for span in mails}
    assert NAME not in json.dumps(spans.spans, ensure_ascii=False)


def names_of(spans: Collector, partner: Partner, *, prefix: str) -> set[tuple[str, str]]:
    """What was done for a partner's case, in the trace of the call or in that of the invoice."""
    found = spans.of_case(str(partner.case))
    invoice = {span["traceId"] for span in found if span["name"] == "issue documents"}
    traces = {partner.trace_id: "call", **dict.fromkeys(invoice, "invoice")}
    return {(traces.get(span["traceId"], ""), span["name"].replace(prefix, "")) for span in found}


def services_of(spans: Collector, partner: Partner) -> set[str]:
    return {service_of(span) for span in spans.of_case(str(partner.case))}
