"""What the end of a service costs a customer, by the event that ends their contract with it."""

from typing import Any
from uuid import uuid5

import pytest

from libs.events.vocabulary.contracts import ContractTerminated, WorkAccepted
from tests.unit.billing_service.world import CONTRACT, CUSTOMER, NAMES, World, beginning, day


def end(on: str) -> ContractTerminated:
    return ContractTerminated(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        terminated_on=day(on),
        by="operator",
        cause="abolition",
        clause="NSEC-20.2",
        abolition_id=uuid5(NAMES, "abolition"),
        reason="事業の終了のため",
    )


@pytest.mark.parametrize(
    ("service", "content", "started", "on", "fee"),
    [
        pytest.param(
            *("MYSEC", {"packs": {1: 5}}, "2023-04-10", "2023-07-15", 451),
            id="MYSEC by days: 1,000 x 14/31",
            marks=pytest.mark.clause("NSEC-20.2"),
        ),
        pytest.param(
            *("SSD", {}, "2023-04-10", "2023-09-15", 37_333),
            id="SSD by days, without the lump sum: 80,000 x 14/30",
            marks=pytest.mark.clause("NSEC-20.2"),
        ),
        pytest.param(
            *("WUTM", {"device": "SSB10", "line": "flets"}, "2025-04-10", "2027-03-31", 2_419),
            id="WUTM to the day before: 2,500 x 30/31",
            marks=pytest.mark.clause("WUTM-20.2.2"),
        ),
        pytest.param(
            *("WSRV", {"device": "OS2", "line": "flets"}, "2024-04-10", "2026-03-31", 1_432),
            id="WSRV to the day before: 1,480 x 30/31",
            marks=pytest.mark.clause("WSRV-20.2c"),
        ),
        pytest.param(
            *(
                "RRNS",
                {"monthly_fee": 12_000, "initial_fee": 0},
                "2025-01-10",
                "2025-08-15",
                12_000,
            ),
            id="RRNS the whole month, inside the 12 months without a fee",
            marks=pytest.mark.clause("RRNS-13.3"),
        ),
    ],
)
async def test_the_last_month_is_billed_by_the_terms_and_nothing_after_it(
    service: str, content: dict[str, Any], started: str, on: str, fee: int
) -> None:
    world = World()
    order = service == "RRNS"
    for event in beginning(
        service=service,
        applied=started,
        started=None if order else started,
        content=content,
    ):
        await world.tell(event)
    if order:
        await world.tell(WorkAccepted(contract_id=CONTRACT, accepted_on=day(started)))
    await world.run(f"{on[:7]}-01")
    before = len(await world.documents())
    await world.tell(end(on), on=f"{on[:7]}-02")
    await world.run(f"{int(on[:4]) + 1}-{on[5:7]}-28")
    last = [document for document in (await world.documents())[before:] if document.lines]
    assert [(document.month, document.subtotal) for document in last] == [(on[:7], fee)]
    assert (await world.account()).demands == ()
