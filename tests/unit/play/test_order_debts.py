"""Being late with the debts of an order, played to the yen."""

from typing import Any

import pytest

from cli.play.offline import play_offline
from cli.play.scenario import read_scenario


async def an_order(*events: dict[str, Any], through: str, **more: Any) -> dict[str, Any]:
    """An order accepted on 2025-01-20, of 100,000 a month."""
    document = {
        "service": "RRNS",
        "customer": {"corporate": True, "payment_method": "invoice"},
        "contract": {"initial_fee": 0, "monthly_fee": 100_000},
        "events": [{"type": "accepted", "date": "2025-01-20"}, *events],
        "through": through,
        **more,
    }
    return await play_offline(read_scenario(document))


def paid(on: str, **more: Any) -> dict[str, Any]:
    return {"type": "payment", "date": on, **more}


@pytest.mark.clause("RRNS-44.2", "RRNS-11.4", "RRNS-36.S2")
async def test_damages_paid_late_bear_nothing_and_a_fee_paid_as_late_does() -> None:
    damages = {"type": "actual_cost", "date": "2025-03-10", "kind": "damages"}
    result = await an_order(
        {**damages, "amount": 500_000, "due": "2025-04-30"},
        paid("2025-05-20"),
        through="2025-02",
        due_dates={"2025-02": "2025-04-30", "2025-03": "2025-06-30", "2025-04": "2025-06-30"},
    )
    assert [each["total"] for each in result["penalties"]] == [500_000]
    assert [(each["month"], each["interest"]) for each in result["late_interest"]] == [
        ("2025-02", 110_000 * 146 * 20 // 365_000)
    ]
