"""From what other contexts tell over Kafka to an invoice, its payment, and why it is what it is."""

from datetime import date
from uuid import UUID, uuid5

from libs.events.kafka import topic_of
from libs.events.vocabulary.contracts import ContractApplied, ContractFactCorrected
from tests.integration.billing.conftest import READS, BillingService
from tests.support.edges import bearer, writing
from tests.support.way import all_of, new_ones, until
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    CUSTOMER,
    NAMES,
    beginning,
    outage,
    terminated,
)

CONTENT = {"device": "SSB10", "line": "flets"}


async def _begin(billing: BillingService) -> None:
    await billing.tell(*beginning(content=CONTENT))

    async def is_started() -> bool:
        answer = await billing.get(f"/contracts/{CONTRACT}")
        return answer.status_code == 200 and answer.json()["started_on"] is not None

    await until(is_started)
    await billing.heard(f"/accounts/{ACCOUNT}")


async def test_the_whole_way(billing_service: BillingService) -> None:
    billing = billing_service
    await _begin(billing)
    await billing.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"))
    agreed = await billing.client.put(
        f"/accounts/{ACCOUNT}/due-dates/2024-02",
        json={"due_on": "2024-03-31"},
        headers=writing(),
    )
    assert agreed.status_code == 200, agreed.text

    async def is_heard() -> bool:
        shown = await billing.get(f"/contracts/{CONTRACT}/preview", closing_on="2024-02-29")
        codes = [line["code"] for d in shown.json()["documents"] for line in d["lines"]]
        return "WUTM-OUTAGE" in codes

    await until(is_heard)
    run = await billing.run(closing_on="2024-02-29", issued_on="2024-03-01", scope=[str(ACCOUNT)])
    assert (run["invoices"], run["failed"], run["total"]) == (2, 0, 1951 + 2654)
    outcome = (await billing.get(f"/invoice-runs/{run['run_id']}/outcomes")).json()["items"]
    assert outcome[0]["outcomes"][str(CONTRACT)] == "2 invoices, 4,605 yen"

    listed = (await billing.get("/invoices", account_id=str(ACCOUNT))).json()["items"]
    assert [(one["month"], one["number"]) for one in listed] == [("2024-01", 1), ("2024-02", 2)]
    explained = (await billing.get(f"/invoices/{listed[1]['invoice_id']}/explanation")).json()
    credit = next(line for line in explained["lines"] if line["code"] == "WUTM-OUTAGE")
    assert credit["amount"] == -87
    assert "WUTM-25.2.2" in [clause["id"] for clause in credit["clauses"]]
    assert all(clause["rule"] for clause in credit["clauses"])
    assert "monitoring.outage-recorded.v1" in [event["type"] for event in credit["events"]]
    assert explained["tax"][0]["base"] == 2413
    path = f"/invoices/{listed[1]['invoice_id']}/explanation"
    assert (await billing.get(path, known_on="2999-01-01")).json() == explained
    before = await billing.get(path, known_on="2023-12-31")
    assert (before.status_code, before.json()["code"]) == (404, "document-unknown")

    late = await billing.client.get("/deadlines/next", headers=READS)
    assert late.json() == {"due_at": "2024-04-01T00:00:00+09:00"}
    ran = {"until": "2024-04-01T00:00:00+09:00", "account_ids": [str(ACCOUNT)]}
    met = await billing.client.post("/deadlines/run", json=ran, headers=writing())
    assert met.json() == {"met": 1}

    paid = await billing.client.post(
        f"/accounts/{ACCOUNT}/payments",
        json={"received_on": "2024-07-16", "names": "2024-02"},
        headers=writing(),
    )
    assert paid.status_code == 201, paid.text
    assert paid.json()["types"] == [
        "billing.payment-received.v1",
        "billing.late-interest-charged.v1",
        "billing.arrears-settled.v1",
    ]
    account = (await billing.get(f"/accounts/{ACCOUNT}")).json()
    assert account["open"] == 1951
    assert account["interest"][0]["interest"] == 2654 * 30 * 106 // 365_000

    interest = (await billing.get(f"/accounts/{ACCOUNT}/interest")).json()
    assert interest[0]["arithmetic"].startswith("2,654 x 30/1000 x 106/365 = 23")
    assert interest[0]["clauses"][0]["rule"]

    types = await _published(billing)
    assert types.count("billing.invoice-issued.v1") == 2
    assert types.count("billing.payment-late.v1") == 1


async def _published(billing: BillingService) -> list[str]:
    topic = topic_of("billing", prefix=billing.around.prefix)
    head = await billing.built.log.position()

    async def is_sent() -> bool:
        return len(new_ones(await all_of(topic, bootstrap=billing.around.kafka))) == head

    await until(is_sent)
    return [each.type for each in new_ones(await all_of(topic, bootstrap=billing.around.kafka))]


async def test_a_repeated_payment_is_taken_once_and_a_reversal_opens_it_again(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await _begin(billing)
    await billing.run(
        closing_on="2024-01-31", issued_on="2024-02-01", due_policy="end-of-next-month"
    )
    body = {"received_on": "2024-03-01", "amount": 1951}
    path = f"/accounts/{ACCOUNT}/payments"
    first = await billing.client.post(path, json=body, headers=writing(key="one"))
    again = await billing.client.post(path, json=body, headers=writing(key="one"))
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await billing.get(f"/accounts/{ACCOUNT}")).json()["open"] == 0

    reversal = await billing.client.post(
        f"/payments/{first.json()['id']}/reversal",
        json={"reversed_on": "2024-03-05", "reason": "the debit was returned"},
        headers=writing(**{"Yakkan-At-Least": first.headers["Yakkan-Position"]}),
    )
    assert reversal.status_code == 201, reversal.text
    assert (await billing.get(f"/accounts/{ACCOUNT}")).json()["open"] == 1951


async def test_facts_recorded_here_stand_on_the_invoice_and_can_be_corrected(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await _begin(billing)
    paper = await billing.client.post(
        f"/contracts/{CONTRACT}/qualified-invoices",
        json={"requested_on": "2024-01-20", "postage": 84},
        headers=writing(),
    )
    assert paper.status_code == 201, paper.text
    preview = (await billing.get(f"/contracts/{CONTRACT}/preview", closing_on="2024-01-31")).json()
    lines = {line["code"]: line["amount"] for line in preview["documents"][0]["lines"]}
    assert lines == {"WUTM-MONTHLY": 1774, "WUTM-QINV": 400, "WUTM-QINV-POST": 84}
    corrected = await billing.client.post(
        f"/contracts/{CONTRACT}/corrections",
        json={
            "corrects": paper.json()["events"][0],
            "values": {"postage": 110},
            "reason": "the receipt says so",
        },
        headers=writing(),
    )
    assert corrected.status_code == 201, corrected.text
    preview = (await billing.get(f"/contracts/{CONTRACT}/preview", closing_on="2024-01-31")).json()
    assert 110 in [line["amount"] for line in preview["documents"][0]["lines"]]


async def test_refusals_name_their_clause_and_change_nothing(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await _begin(billing)
    relief = await billing.client.post(
        f"/contracts/{CONTRACT}/relief",
        json={"granted_on": "2024-02-10", "full": True, "percent": 50},
        headers=writing(),
    )
    assert (relief.status_code, relief.json()["clause"]) == (409, "WUTM-33.1")
    unpaid = await billing.client.post(
        f"/contracts/{CONTRACT}/certificates",
        json={"requested_on": "2024-02-10", "month": "2024-01"},
        headers=writing(),
    )
    assert (unpaid.status_code, unpaid.json()["clause"]) == (409, "WUTM-A4.4.1.1")
    unknown = await billing.client.post(
        f"/contracts/{UUID(int=5)}/evasions",
        json={"found_on": "2024-02-10", "evaded": 10},
        headers=writing(),
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "contract-unknown")
    malformed = await billing.client.post(
        "/invoice-runs", json={"closing_on": "soon"}, headers=writing()
    )
    assert malformed.json()["errors"][0]["pointer"] == "/closing_on"
    stale = await billing.client.put(
        f"/accounts/{ACCOUNT}/arrangement",
        json={"payment_method": "credit_card"},
        headers=writing(if_match='"7"'),
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (await billing.get(f"/contracts/{CONTRACT}")).json()["facts"] == []


async def test_a_customer_sees_their_own_and_nothing_else(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await _begin(billing)
    await billing.run(closing_on="2024-01-31", issued_on="2024-02-01")
    own = bearer("billing:read", "billing:write", customer_id=CUSTOMER)
    other = bearer("billing:read", customer_id=uuid5(NAMES, "someone else"))
    invoice = (await billing.get("/invoices")).json()["items"][0]
    for path in (
        f"/accounts/{ACCOUNT}",
        f"/contracts/{CONTRACT}",
        f"/contracts/{CONTRACT}/preview?closing_on=2024-01-31",
        f"/invoices/{invoice['invoice_id']}",
        f"/invoices/{invoice['invoice_id']}/explanation",
        f"/accounts?customer_id={CUSTOMER}",
    ):
        assert (await billing.client.get(path, headers=own)).status_code == 200, path
        assert (await billing.client.get(path, headers=other)).status_code == 404, path
    assert (await billing.client.get("/invoices", headers=other)).json()["items"] == []
    pay = await billing.client.post(
        f"/accounts/{ACCOUNT}/payments",
        json={"received_on": "2024-03-01"},
        headers={**own, "Idempotency-Key": "k"},
    )
    assert pay.status_code == 403


async def test_a_fact_that_comes_after_the_last_invoice_is_credited(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await _begin(billing)
    await billing.tell(terminated("2024-03-01"))

    async def is_ended() -> bool:
        found = (await billing.get(f"/contracts/{CONTRACT}")).json()
        return bool(found["ended_on"] == "2024-03-01")

    await until(is_ended)
    await billing.run(closing_on="2024-02-29", issued_on="2024-03-01")
    await billing.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"))

    async def is_known() -> bool:
        shown = await billing.get(f"/contracts/{CONTRACT}/preview", closing_on="2024-03-31")
        return bool(shown.json()["documents"])

    await until(is_known)
    run = await billing.run(closing_on="2024-03-31", issued_on="2024-04-01")
    assert (run["invoices"], run["credit_notes"], run["total"]) == (0, 1, -95)


async def test_a_contract_that_could_not_be_billed_is_billed_by_a_retry(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    customer, applied, *rest = beginning(content=CONTENT)
    assert isinstance(applied, ContractApplied)
    early = applied.model_copy(update={"applied_on": date(2019, 6, 30)})
    await billing.tell(customer, early, *rest)
    await billing.heard(f"/accounts/{ACCOUNT}")

    async def is_started() -> bool:
        answer = await billing.get(f"/contracts/{CONTRACT}")
        return answer.status_code == 200 and answer.json()["started_on"] is not None

    await until(is_started)
    run = await billing.run(closing_on="2024-01-31", issued_on="2024-02-01")
    assert (run["invoices"], run["failed"]) == (0, 1)
    assert run["failures"][str(CONTRACT)].startswith("not-yet-in-force")

    log = billing.around.logs["contracts"]
    await billing.tell(
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=(await log.load(CONTRACT))[0].envelope.event_id,
            values={"applied_on": "2024-01-05"},
            reason="the day of another application",
        )
    )

    async def is_corrected() -> bool:
        shown = (await billing.get(f"/contracts/{CONTRACT}")).json()
        return bool(shown["applied_on"] == "2024-01-05")

    await until(is_corrected)
    again = await billing.watched(f"/invoice-runs/{run['run_id']}/retry")
    assert (again["accounts"], again["invoices"], again["failed"]) == (1, 1, 0)


async def test_an_end_that_is_only_thought_of_is_priced(billing_service: BillingService) -> None:
    billing = billing_service
    await _begin(billing)
    path = f"/contracts/{CONTRACT}/end-preview"
    shown = (await billing.get(path, terminated_on="2024-03-11")).json()
    assert (shown["closing_on"], shown["demands"]) == ("2024-03-31", [])
    last = shown["documents"][-1]
    assert [(line["code"], line["days"]) for line in last["lines"]] == [("WUTM-MONTHLY", 10)]
    assert shown["total"] < shown["total_without"]
    assert (await billing.get(f"/contracts/{CONTRACT}")).json()["ended_on"] is None
    others = await billing.client.get(
        path,
        params={"terminated_on": "2024-03-11"},
        headers=bearer("billing:read", customer_id=ACCOUNT),
    )
    assert others.status_code == 404
