"""RRNS: fees on orders from acceptance on, costs, visits and late damages."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import WorkAccepted
from libs.events.vocabulary.monitoring import FaultyDeviceOverdue, VisitMade
from tests.unit.billing.assessed import amounts, fee, lines
from tests.unit.billing.facts import ACCOUNT, CONTRACT, Facts
from tests.unit.billing.test_debts import interest


def order(
    accepted: str | None = "2024-04-10", *, applied: str = "2013-01-10", **more: object
) -> Facts:
    """An order of 200,000 and 12,000 a month."""
    content = {"initial_fee": 200000, "monthly_fee": 12000, **more}
    facts = Facts("RRNS", content=content, applied=applied)
    if accepted:
        facts.add(WorkAccepted(contract_id=CONTRACT, accepted_on=date.fromisoformat(accepted)))
    return facts


@pytest.mark.clause("RRNS-34.2", "RRNS-34.3.S1", "RRNS-3.D5")
@pytest.mark.parametrize(
    ("accepted", "due", "following"),
    [
        pytest.param("2024-04-10", "2024-04-30", "2024-05", id="april"),
        pytest.param("2024-04-30", "2024-04-30", "2024-05", id="last-day"),
        pytest.param("2024-02-01", "2024-02-29", "2024-03", id="leap-february"),
        pytest.param("2024-12-31", "2024-12-31", "2025-01", id="not-into-january"),
    ],
)
def test_the_initial_fee_is_due_at_the_end_of_the_month_of_acceptance(
    accepted: str, due: str, following: str
) -> None:
    facts = order(accepted)
    (initial,) = lines(facts, accepted[:7])
    assert (initial.code, initial.amount, str(initial.due_on)) == ("RRNS-INIT", 200000, due)
    (monthly,) = lines(facts, following)
    assert (monthly.code, monthly.amount, monthly.days) == ("RRNS-MONTHLY", 12000, None)


@pytest.mark.clause("RRNS-34.2", "RRNS-34.3.S1")
def test_without_acceptance_nothing_is_owed() -> None:
    assert fee(order(None), "2024-04") == 0


@pytest.mark.clause("RRNS-34.3.S2", "RRNS-34.3.S3", "RRNS-34.5", "RRNS-13.3")
@pytest.mark.parametrize(
    ("cause", "end", "last", "free"),
    [
        pytest.param("customer", "2025-09-30", "2025-09", "2025-10", id="customer"),
        pytest.param("customer", "2025-10-01", "2025-10", "2025-11", id="on-the-first"),
        pytest.param("provider", "2025-08-10", "2025-09", "2025-10", id="provider"),
        pytest.param("provider", "2024-04-25", "2024-05", "2024-06", id="thirty-days"),
        pytest.param("abolition", "2025-08-15", "2025-08", "2025-09", id="abolition"),
        pytest.param("antisocial", "2025-08-10", "2025-09", "2025-10", id="antisocial"),
    ],
)
def test_the_last_month_depends_on_the_cause_of_the_end(
    cause: str, end: str, last: str, free: str
) -> None:
    facts = order("2024-04-10").terminated(end, cause=cause)
    assert fee(facts, last) == 12000
    assert fee(facts, free) == 0


@pytest.mark.clause("RRNS-9")
def test_a_change_counts_from_the_month_after_its_own_acceptance() -> None:
    facts = order().changed("2024-11-12", "replacement", monthly_fee=15000, initial_fee=30000)
    assert amounts(facts, "2024-11") == [("INIT", 30000), ("MONTHLY", 12000)]
    assert amounts(facts, "2024-12") == [("MONTHLY", 15000)]


@pytest.mark.clause("RRNS-9", "RRNS-13.3")
def test_a_service_added_later_has_its_own_fees_and_end() -> None:
    facts = order().changed(
        "2024-09-27", "option-added", option="vpn", monthly_fee=3000, initial_fee=5000
    )
    facts.changed("2025-08-31", "option-removed", option="vpn")
    assert amounts(facts, "2024-09") == [("MONTHLY", 12000), ("INIT:vpn", 5000)]
    assert amounts(facts, "2025-08") == [("MONTHLY", 12000), ("MONTHLY:vpn", 3000)]
    assert amounts(facts, "2025-09") == [("MONTHLY", 12000)]


@pytest.mark.clause("RRNS-35.S2")
def test_the_tax_rate_is_that_of_the_due_date() -> None:
    facts = order("2013-04-10")
    assert [lines(facts, month)[0].tax_rate for month in ("2014-03", "2014-04")] == [5, 8]
    facts.billing("DueDateAgreed", account_id=ACCOUNT, month="2014-03", due_on="2014-04-10")
    (late,) = lines(facts, "2014-03")
    assert (late.tax_rate, str(late.due_on)) == (8, "2014-04-10")


@pytest.mark.clause("RRNS-34.4")
@pytest.mark.parametrize(
    ("metres", "minutes", "island", "charged"),
    [
        pytest.param(50000, 120, False, True, id="both-exactly"),
        pytest.param(50000, 119, False, False, id="too-quick"),
        pytest.param(49900, 180, False, False, id="too-near"),
        pytest.param(30000, 70, True, True, id="island"),
    ],
)
def test_a_far_visit(metres: int, minutes: int, *, island: bool, charged: bool) -> None:
    facts = order()
    facts.add(
        VisitMade(
            contract_id=CONTRACT,
            visited_on=date(2024, 6, 3),
            distance_metres=metres,
            minutes=minutes,
            remote_island=island,
            surcharge=8000,
        )
    )
    found = [line for line in lines(facts, "2024-06") if line.code == "RRNS-VISIT"]
    assert [(each.amount, each.tax_rate, str(each.due_on)) for each in found] == (
        [(8000, 10, "2024-07-31")] if charged else []
    )


@pytest.mark.clause("RRNS-A1.II.3.4.S3", "RRNS-A1.IV.4.5.S3")
@pytest.mark.parametrize(
    ("plan", "clause"),
    [("utm", "RRNS-A1.II.3.4.S3"), ("wireless", "RRNS-A1.IV.4.5.S3")],
)
def test_a_device_not_back_in_time_is_charged_untaxed(plan: str, clause: str) -> None:
    facts = order(plan=plan)
    facts.add(
        FaultyDeviceOverdue(
            contract_id=CONTRACT,
            device_id=None,
            overdue_on=date(2024, 6, 11),
            replacement_cost=88000,
        )
    )
    device = lines(facts, "2024-06")[-1]
    assert (device.amount, device.tax_rate, device.clauses) == (88000, 0, (clause,))


@pytest.mark.clause("RRNS-19.4", "RRNS-24.1.S2", "RRNS-24.2.S2", "RRNS-30.2")
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("attendance", "ATTENDANCE"),
        ("work", "WORK"),
        ("delivery", "DELIVERY"),
        ("move_repair", "MOVE-REPAIR"),
        ("defect_repair", "DEFECT-REPAIR"),
    ],
)
def test_costs_are_taxed_and_due_at_the_end_of_the_next_month(kind: str, code: str) -> None:
    facts = order().billing(
        "ActualCostRecorded", recorded_on="2024-12-10", kind=kind, amount=5000, due_on=None
    )
    cost = lines(facts, "2024-12")[-1]
    assert (cost.code, cost.tax_rate, str(cost.due_on)) == (f"RRNS-{code}", 10, "2025-01-31")


@pytest.mark.clause("RRNS-36.S1", "RRNS-36.S2")
@pytest.mark.parametrize(
    ("amount", "due", "paid", "expected"),
    [
        pytest.param(110000, "2024-04-30", "2024-05-31", (31, 146, 1364), id="31-days"),
        pytest.param(33000, "2024-04-30", "2024-05-01", (1, 146, 13), id="no-grace"),
        pytest.param(33000, "2024-04-30", "2024-04-30", (0, 0, 0), id="on-the-due-date"),
        pytest.param(2499, "2024-04-30", "2024-05-01", (0, 0, 0), id="below-a-yen"),
        pytest.param(2500, "2024-04-30", "2024-05-01", (1, 146, 1), id="a-yen"),
    ],
)
def test_late_damages_count_the_day_of_payment(
    amount: int, due: str, paid: str, expected: tuple[int, int, int]
) -> None:
    assert interest("RRNS", amount, due, paid) == expected
