"""After a month of a contract billing agrees with all it rests on; what is doctored is told."""

from uuid import UUID

import orjson
import pytest

from cli.reconcile.facts import FactsOfLog
from libs.events.reconcile import Check, whole_round
from libs.events.rest import Standing
from tests.integration.billing.conftest import BillingService
from tests.support.way import until
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, beginning, outage


@pytest.fixture
async def after_a_month(billing_service: BillingService) -> BillingService:
    """Two invoices, with an outage, and everything at rest."""
    billing = billing_service
    await billing.tell(*beginning(content={"device": "SSB10", "line": "flets"}))
    await billing.heard(f"/accounts/{ACCOUNT}")
    await billing.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"))

    async def is_heard() -> bool:
        shown = await billing.get(f"/contracts/{CONTRACT}/preview", closing_on="2024-02-29")
        if shown.status_code != 200:
            return False
        codes = [line["code"] for d in shown.json()["documents"] for line in d["lines"]]
        return "WUTM-OUTAGE" in codes

    await until(is_heard)
    await billing.run(closing_on="2024-02-29", issued_on="2024-03-01", scope=[str(ACCOUNT)])

    async def at_rest() -> bool:
        found: Standing = await billing.built.standing()
        return found.sent == found.head == found.views["books"]

    await until(at_rest)
    return billing


def check_of(billing: BillingService, name: str) -> Check:
    (found,) = (each for each in billing.built.checks() if each.name == name)
    return found


async def words(check: Check) -> list[str]:
    return [f"{d.place}: {d.what}" for d in (await whole_round(check, limit=100)).drift]


async def test_all_agrees_and_each_thing_that_is_doctored_is_told(
    after_a_month: BillingService,
) -> None:
    billing, pool = after_a_month, after_a_month.built.pool
    rounds = [await whole_round(check, limit=5) for check in billing.built.checks()]
    assert [drift for found in rounds for drift in found.drift] == []
    looked = {found.check: found.looked for found in rounds}
    facts_of = f"billing-facts of {billing.around.prefix}contracts"
    assert looked["documents"] == 2
    assert looked[accounts_of(billing)] == looked[facts_of]
    assert looked[facts_of] >= 4
    assert looked["view books"] >= 3

    await pool.execute("UPDATE billing_account SET late_on = '2031-01-01'")
    (told,) = await words(check_of(billing, "view books"))
    assert told.startswith(f"billing_account of account_id {ACCOUNT}: late_on is 2031-01-01")
    await pool.execute("UPDATE billing_account SET late_on = NULL")
    assert await words(check_of(billing, "view books")) == []

    gone = await pool.fetchrow(
        "DELETE FROM fact WHERE type = 'contracts.service-started.v1' RETURNING *"
    )
    assert gone is not None
    (told,) = await words(check_of(billing, facts_of))
    assert told.endswith(f"service-started.v1 {gone['event_id']}: the fact is missing")
    (told,) = await words(check_of(billing, "timelines"))
    assert told.startswith(f"contract {CONTRACT}: the timeline was folded from")

    document = await pool.fetchval("SELECT document FROM document WHERE number = 2")
    invoice = orjson.loads(document)
    invoice["lines"][0]["amount"] += 1
    await pool.execute("UPDATE document SET document = $1 WHERE number = 2", orjson.dumps(invoice))
    changed = await words(check_of(billing, "documents"))
    assert (
        "document 2: its hash is not of what it says: it was changed after it was issued" in changed
    )
    assert any("its lines sum to" in line for line in changed)
    assert any(
        "document is not what the events say" in line
        for line in await words(check_of(billing, "view books"))
    )

    del invoice["interest"]
    invoice["lines"][0]["amount"] -= 1
    older = orjson.dumps(invoice)
    assert older != document
    await pool.execute("UPDATE document SET document = $1 WHERE number = 2", older)
    assert await words(check_of(billing, "view books")) == [], "an empty field, not known then"
    await pool.execute("DELETE FROM document WHERE number = 1")
    assert any(
        "the numbers 1 to 1 are missing" in line
        for line in await words(check_of(billing, "documents"))
    )
    assert any(
        "the row is missing" in line for line in await words(check_of(billing, "view books"))
    )


def accounts_of(billing: BillingService) -> str:
    return f"billing-accounts of {billing.around.prefix}contracts"


async def test_an_application_whose_account_is_not_there_is_told(
    after_a_month: BillingService,
) -> None:
    billing, pool = after_a_month, after_a_month.built.pool
    check = check_of(billing, accounts_of(billing))
    opened = await pool.fetchrow(
        "DELETE FROM event WHERE type = 'billing.account-opened.v1' RETURNING causation_id"
    )
    assert opened is not None
    (told,) = await words(check)
    assert told.endswith(
        f"contracts.contract-applied.v1 {opened['causation_id']}: it asks for a reaction on stream"
        f" {ACCOUNT}, and the log has none"
    )


async def test_an_invoice_line_that_was_changed_in_the_log_is_told_by_charges_and_topic(
    after_a_month: BillingService,
) -> None:
    billing, pool = after_a_month, after_a_month.built.pool
    row = await pool.fetchrow(
        "SELECT position, data FROM event WHERE type = 'billing.invoice-issued.v1'"
        " ORDER BY position LIMIT 1"
    )
    assert row is not None
    invoice = orjson.loads(row["data"])
    line = invoice["lines"][0]
    line["amount"] += 7
    await pool.execute(
        "UPDATE event SET data = $2 WHERE position = $1", row["position"], orjson.dumps(invoice)
    )
    assert await words(check_of(billing, "charges billed")) == [
        (
            f"contract {CONTRACT}, month 2024-01: the line {line['key']} is assessed at"
            f" {line['amount'] - 7} yen, and {line['amount']} yen are billed"
        )
    ]
    (told,) = await words(check_of(billing, f"topic {billing.built.topic('billing')}"))
    assert told.endswith("has other data than the log")


async def test_a_view_behind_its_log_is_no_drift_and_one_that_invents_rows_is(
    after_a_month: BillingService,
) -> None:
    pool = after_a_month.built.pool
    check = check_of(after_a_month, "view books")
    await pool.execute(
        "INSERT INTO billing_account (account_id, customer_id, contract_ids)"
        " VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff', gen_random_uuid(), '{}')"
    )
    assert await words(check) == [
        (
            "billing_account of account_id ffffffff-ffff-ffff-ffff-ffffffffffff:"
            " the row is there, and no event says so"
        )
    ]
    await pool.execute("DELETE FROM billing_account WHERE contract_ids = '{}'")
    await pool.execute("INSERT INTO payment VALUES ($1, $2)", UUID(int=9), ACCOUNT)
    assert await words(check) == [
        f"payment of payment_id {UUID(int=9)}: the row is there, and no event says so"
    ]


async def test_the_command_line_sees_facts_that_no_log_knows(
    after_a_month: BillingService,
) -> None:
    billing = after_a_month
    topic = billing.built.topic("contracts")
    source = billing.around.pools["contracts"]
    check = FactsOfLog(
        "contracts",
        source=source,
        billing=billing.built.pool,
        keys=billing.around.keys,
        topic=topic,
    )
    assert await words(check) == []
    await billing.built.pool.execute(
        "UPDATE fact SET position = 900, event_id = gen_random_uuid()"
        " WHERE type = 'contracts.service-started.v1'"
    )
    missing, invented = sorted(await words(check), key=len, reverse=True)
    found = {missing.rpartition(": ")[2], invented.rpartition(": ")[2]}
    assert found == {"the fact is missing", "no such event is there"}
    await billing.built.pool.execute(
        "UPDATE fact SET log_epoch = $1 WHERE position = 900", UUID(int=77)
    )
    assert f"contracts, log {UUID(int=77)}: 1 facts are of a log that is no more" in await words(
        check
    )
