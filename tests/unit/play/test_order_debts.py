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


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1")
async def test_a_ground_lets_everything_that_has_arisen_fall_due_and_later_months_not() -> None:
    result = await an_order(
        paid("2025-03-05", amount=10_000),
        {"type": "ground_arose", "date": "2025-03-15", "ground": 5},
        paid("2025-04-30", amount=100_000 + 110_000),
        paid("2025-05-02", month="2025-04"),
        through="2025-04",
        due_dates={"2025-02": "2025-04-20"},
    )
    rows = [
        (each["month"], each["due"], each["amount"], each["days"], each["interest"])
        for each in result["late_interest"]
    ]
    assert rows == [
        ("2025-02", "2025-03-15", 100_000, 46, 1840),
        ("2025-03", "2025-03-15", 110_000, 46, 2024),
        ("2025-04", "2025-04-30", 110_000, 2, 88),
    ]


@pytest.mark.clause("RRNS-11.3", "RRNS-10.3.S2")
async def test_a_cancellation_fee_falls_due_with_a_ground_that_arises_after_it() -> None:
    cancelled = {
        "type": "cancel_requested",
        "date": "2025-03-01",
        "desired": "2025-03-31",
        "cancellation_fee": 60_000,
    }
    grounds = [{"type": "ground_arose", "date": on, "ground": 2} for on in ("2025-02-27",)]
    before = await an_order(*grounds, cancelled, through="2025-04")
    assert [each["due"] for each in before["penalties"]] == ["2025-04-30"]
    later = {"type": "ground_arose", "date": "2025-03-10", "ground": 2}
    after = await an_order(*grounds, cancelled, later, through="2025-04")
    assert [each["due"] for each in after["penalties"]] == ["2025-03-10"]


@pytest.mark.clause("RRNS-A1.II.3.4.S2", "RRNS-A1.II.3.4.S3", "RRNS-A1.IV.4.5.S2")
@pytest.mark.clause("RRNS-A1.IV.4.5.S3")
@pytest.mark.parametrize(
    ("shipped", "returned", "plan", "billed"),
    [
        pytest.param("2025-05-10", None, "utm", "2025-06", id="never-back"),
        pytest.param("2025-05-10", "2025-06-10", "utm", None, id="back-on-the-last-day"),
        pytest.param("2025-05-10", "2025-06-11", "utm", "2025-06", id="a-day-too-late"),
        pytest.param("2025-01-31", "2025-02-28", "router", None, id="whole-february"),
        pytest.param("2025-01-31", None, "wireless", "2025-03", id="no-such-day"),
    ],
)
async def test_a_device_swapped_and_not_handed_over_in_its_month_is_billed(
    shipped: str, returned: str | None, plan: str, billed: str | None
) -> None:
    swapped = {
        "type": "device_swapped",
        "date": shipped,
        "returned_on": returned,
        "replacement_cost": 80_000,
    }
    contract = {"initial_fee": 0, "monthly_fee": 100_000, "plan": plan}
    result = await an_order(swapped, through="2025-07", contract=contract)
    found = [
        (invoice["month"], line["amount"], line["tax_rate"])
        for invoice in result["invoices"]
        for line in invoice["lines"]
        if line["code"] == "RRNS-DEVICE"
    ]
    assert found == ([] if billed is None else [(billed, 80_000, 0)])
    assert not any("device" in sentence for sentence in result["warnings"])
