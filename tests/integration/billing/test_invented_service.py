"""A service that no code knows is billed over HTTP: the folder of terms in the settings is enough."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs.events.vocabulary.contracts import ContractTerminated
from tests.integration.billing.conftest import BillingService
from tests.support.way import until
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, CUSTOMER, beginning, outage


@pytest.fixture
def terms() -> Path:
    return Path(__file__).parents[2] / "unit" / "terms" / "invented"


async def _previewed(billing: BillingService, closing_on: str) -> dict[str, Any]:
    """What a run of that closing would issue."""
    shown = await billing.get(f"/contracts/{CONTRACT}/preview", closing_on=closing_on)
    assert shown.status_code == 200, shown.text
    found: dict[str, Any] = shown.json()
    return found


async def test_it_is_assessed_run_and_explained_by_its_own_clauses(
    billing_service: BillingService,
) -> None:
    billing = billing_service
    await billing.tell(
        *beginning(
            service="BKUP",
            applied="2024-03-25",
            started="2024-04-10",
            corporate=False,
            content={},
        ),
        outage("2024-05-10T08:00", "2024-05-11T10:00"),
        ContractTerminated(
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            terminated_on=date(2024, 7, 11),
            by="customer",
            cause="customer",
            clause="BKUP-11.1",
            penalty_due_on=date(2024, 8, 31),
        ),
    )
    await billing.heard(f"/accounts/{ACCOUNT}")

    async def all_is_known() -> bool:
        told = str(await _previewed(billing, "2024-07-31"))
        return "BKUP-OUTAGE" in told and "BKUP-PENALTY" in told

    await until(all_is_known)
    previewed = await _previewed(billing, "2024-07-31")
    # set-up 5,300 + 530; appliance 2,170 + 217; 11,000 + 1,100 with the credit of one unit;
    # 9,000 + 3,100 and the fees of paper, 12,400 + 1,240; 10,300 + 1,030
    totals = [5830, 2387, 12100, 13640, 11330]
    assert [document["total"] for document in previewed["documents"]] == totals
    (demand,) = previewed["demands"]
    assert (demand["code"], demand["amount"], demand["tax"]) == ("BKUP-PENALTY", 3 * 9000, 0)

    run = await billing.run(
        closing_on="2024-07-31", issued_on="2024-08-01", due_policy="end-of-next-month"
    )
    assert (run["failed"], run["invoices"], run["total"]) == (0, len(totals), sum(totals))
    account = (await billing.get(f"/accounts/{ACCOUNT}")).json()
    assert [one["code"] for one in account["demands"]] == ["BKUP-PENALTY"]
    assert account["open"] == sum(totals) + 3 * 9000
    listed = (await billing.get("/invoices", account_id=str(ACCOUNT))).json()["items"]
    may = next(one for one in listed if one["month"] == "2024-05")
    explained = (await billing.get(f"/invoices/{may['invoice_id']}/explanation")).json()
    lines = {line["code"]: line for line in explained["lines"]}
    assert {code: line["amount"] for code, line in lines.items()} == {
        "BKUP-STORAGE": 8000,
        "BKUP-MONTHLY": 3100,
        "BKUP-OUTAGE": -100,
    }
    cited = [clause for line in lines.values() for clause in line["clauses"]]
    assert all(clause["id"].startswith("BKUP-") and clause["rule"] for clause in cited)
