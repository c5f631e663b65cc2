"""What every line carries beside its amount: where it came from, its arithmetic, its own name."""

import json
from collections import Counter
from datetime import date

import pytest

from libs.events.vocabulary.contracts import TicketOrdered, WorkAccepted
from services.billing.domain.assessment import assess, billing_months
from services.billing.domain.line import Line
from tests.unit.billing.assessed import all_demands, amounts, fee, lines, terms_of
from tests.unit.billing.facts import CONTRACT, Facts
from tests.unit.billing.golden import facts_of
from tests.unit.billing.test_golden_rules import CASES

SCENARIOS = {path.stem: json.loads(path.read_text("utf-8"))["scenario"] for path in CASES}


def all_lines(facts: Facts) -> list[Line]:
    """The lines of every month up to 2040."""
    timeline = facts.timeline
    terms = terms_of(timeline.service)
    months = billing_months(timeline, until=date(2030, 1, 1), terms=terms)
    return [line for each in months for line in assess(timeline, month=each, terms=terms).lines]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_line_names_its_events_its_days_and_ends_its_arithmetic_with_its_amount(
    name: str,
) -> None:
    facts = facts_of(SCENARIOS[name])
    known = {fact.event_id for fact in facts.facts}
    found = all_lines(facts)
    for line in found:
        assert line.events
        assert set(line.events) <= known
        assert line.from_on <= line.to_on
        assert line.clauses
        assert line.arithmetic.endswith(f"{line.amount:,}")
        assert line.key.startswith(f"{line.code}:")
    assert [key for key, count in Counter(line.key for line in found).items() if count > 1] == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_demand_names_its_events_and_ends_its_arithmetic_with_its_amount(name: str) -> None:
    facts = facts_of(SCENARIOS[name])
    known = {fact.event_id for fact in facts.facts}
    for demand in all_demands(facts):
        assert demand.events
        assert set(demand.events) <= known
        assert demand.clauses
        assert demand.arithmetic.endswith(f"{demand.amount:,}")


def _twice(facts: Facts, kind: str) -> Facts:
    """The same thing twice on one day."""
    for _ in range(2):
        match kind:
            case "certificate" | "qualified":
                name = "CertificateIssued" if kind == "certificate" else "QualifiedInvoiceIssued"
                facts.billing(
                    name,
                    requested_on="2024-03-05",
                    issued_on="2024-03-05",
                    copies=1,
                    postage=100,
                    other_costs=70,
                    **({"month": None} if kind == "certificate" else {}),
                )
            case "relief":
                facts.billing("ReliefGranted", granted_on="2024-03-05", percent=10)
            case "cost":
                facts.billing(
                    "ActualCostRecorded",
                    recorded_on="2024-03-05",
                    kind="attendance",
                    amount=70,
                    due_on=None,
                )
            case _:
                facts.add(
                    TicketOrdered(
                        contract_id=CONTRACT,
                        kind="config",
                        quantity=1,
                        ordered_on=date(2024, 3, 5),
                    )
                )
    return facts


@pytest.mark.parametrize(
    ("service", "kind", "codes"),
    [
        ("WSRV", "certificate", ["CERT", "CERT-POST", "CERT-COST"]),
        ("WUTM", "qualified", ["QINV", "QINV-POST", "QINV-COST"]),
        ("WUTM", "relief", ["RELIEF"]),
        ("RRNS", "cost", ["ATTENDANCE"]),
        ("SSD", "ticket", ["TICKET-CONFIG"]),
    ],
)
def test_what_happens_twice_on_a_day_has_two_lines_with_names_of_their_own(
    service: str, kind: str, codes: list[str]
) -> None:
    facts = Facts(service, content={"monthly_fee": 9_800}, applied="2024-01-05")
    facts.started("2024-01-10")
    found = lines(_twice(facts, kind), "2024-03")
    for code in codes:
        keys = [line.key for line in found if line.code == f"{service}-{code}"]
        assert len(set(keys)) == 2, code


@pytest.mark.clause("WUTM-33.1")
def test_a_second_share_of_relief_is_of_what_the_first_one_left() -> None:
    facts = Facts("WUTM", applied="2023-12-01").started("2023-12-05")
    facts.changed("2024-04-16", "discount", monthly_discount=500)
    for _ in range(2):
        facts.billing("ReliefGranted", granted_on="2024-04-20", percent=50)
    assert amounts(facts, "2024-04") == [
        ("MONTHLY", 1_250),
        ("MONTHLY", 1_000),
        ("RELIEF", -1_125),
        ("RELIEF", -563),
    ]


@pytest.mark.clause("WUTM-33.1")
def test_sums_of_relief_never_take_more_than_is_left() -> None:
    facts = Facts("WUTM", applied="2023-12-01").started("2023-12-05")
    facts.changed("2024-04-16", "discount", monthly_discount=500)
    for yen in (1_500, 1_500):
        facts.billing("ReliefGranted", granted_on="2024-04-20", amount=yen)
    assert fee(facts, "2024-04") == 0
    assert [amount for code, amount in amounts(facts, "2024-04") if code == "RELIEF"] == [
        -1_500,
        -750,
    ]


def rrns(accepted: str = "2024-04-10") -> Facts:
    """An order without an initial fee, at 9,800 a month."""
    facts = Facts("RRNS", content={"monthly_fee": 9_800}, applied="2024-01-10")
    facts.add(WorkAccepted(contract_id=CONTRACT, accepted_on=date.fromisoformat(accepted)))
    return facts


@pytest.mark.clause("RRNS-34.3.S2", "RRNS-34.5")
def test_the_month_after_an_end_by_the_provider_in_december_is_january() -> None:
    facts = rrns().terminated("2024-12-10", cause="provider")
    assert [fee(facts, name) for name in ("2024-12", "2025-01", "2025-02")] == [9_800, 9_800, 0]
    assert fee(facts, "2026-01") == 0


@pytest.mark.clause("RRNS-34.3.S1", "RRNS-9")
def test_what_is_accepted_on_a_1st_costs_from_the_next_month_and_no_more_than_agreed() -> None:
    facts = rrns("2024-04-01")
    facts.changed("2024-06-01", "option-added", option="vpn", monthly_fee=1_000)
    facts.changed("2024-08-01", "replacement", monthly_fee=12_000)
    assert amounts(facts, "2024-04") == []
    assert amounts(facts, "2024-06") == [("MONTHLY", 9_800)]
    assert amounts(facts, "2024-07") == [("MONTHLY", 9_800), ("MONTHLY:vpn", 1_000)]
    assert amounts(facts, "2024-08") == [("MONTHLY", 9_800), ("MONTHLY:vpn", 1_000)]
    assert amounts(facts, "2024-09") == [("MONTHLY", 12_000), ("MONTHLY:vpn", 1_000)]


@pytest.mark.clause("RRNS-34.3.S2")
@pytest.mark.parametrize(
    ("recorded", "due"),
    [("2024-10-31", "2024-11-30"), ("2024-11-05", "2024-12-31"), ("2024-12-01", "2025-01-31")],
)
def test_costs_are_due_at_the_end_of_the_month_after_over_the_turn_of_the_year(
    recorded: str, due: str
) -> None:
    facts = rrns()
    facts.billing("ActualCostRecorded", recorded_on=recorded, kind="work", amount=70, due_on=None)
    (cost,) = [line for line in lines(facts, recorded[:7]) if line.code == "RRNS-WORK"]
    assert (cost.amount, str(cost.due_on)) == (70, due)


@pytest.mark.clause("NSEC-A3.N3", "NSEC-A3.N8")
def test_an_option_that_ends_on_the_day_of_its_start_is_owed_whole() -> None:
    facts = Facts("SSD", applied="2023-11-01").started("2023-11-05")
    facts.changed("2024-01-20", "option-added", option="report", applied_on=date(2024, 1, 20))
    facts.changed("2024-02-01", "option-removed", option="report")
    assert amounts(facts, "2024-01") == [("BASE", 80_000)]
    assert amounts(facts, "2024-02") == [("BASE", 80_000), ("OPT-REPORT", 40_000)]
    assert amounts(facts, "2024-03") == [("BASE", 80_000)]
