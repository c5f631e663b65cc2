"""Amounts demanded by themselves."""

from pathlib import Path

import pytest

from services.billing.domain.demands import demands
from services.billing.domain.terms import load_billing_terms
from tests.unit.billing.assessed import TERMS, all_demands, demanded, lines
from tests.unit.billing.facts import Facts


def in_force(service: str = "WUTM") -> Facts:
    """A contract in force before the tax changed."""
    return Facts(service, applied="2019-07-10").started("2019-07-10")


@pytest.mark.clause("WUTM-26.1", "WUTM-26.2", "WSRV-26a")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_an_evaded_amount_and_twice_it_are_taxed_each_by_itself(service: str) -> None:
    facts = in_force(service).billing(
        "EvasionFound",
        found_on="2024-05-10",
        evaded=1005,
        original_on="2019-09-30",
        due_on="2024-06-30",
    )
    assert demanded(facts) == [("EVADED", 1005, 8, 80), ("SURCHARGE", 2010, 10, 201)]
    surcharge = all_demands(facts)[1]
    assert (surcharge.quantity, surcharge.total) == (2, 2211)
    assert str(surcharge.due_on) == "2024-06-30"


@pytest.mark.clause("WUTM-26.3", "WSRV-26b")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_on_an_untaxed_fee_the_surcharge_bears_no_tax(tmp_path: Path, service: str) -> None:
    for name in ("japan.yaml", "clauses"):
        (tmp_path / name).symlink_to(TERMS / name)
    text = (TERMS / f"{service.lower()}.yaml").read_text("utf-8")
    untaxed = text.replace(
        "            times: 2\n", "            times: 2\n            taxed: false\n"
    )
    (tmp_path / f"{service.lower()}.yaml").write_text(untaxed, "utf-8")
    facts = in_force(service).billing(
        "EvasionFound", found_on="2024-05-10", evaded=1005, original_on="2024-01-01", due_on=None
    )
    found = demands(facts.timeline, terms=load_billing_terms(service, folder=tmp_path))
    assert [(each.amount, each.tax_rate, each.tax) for each in found] == [
        (1005, 0, 0),
        (2010, 0, 0),
    ]


@pytest.mark.clause("WUTM-25.3.1", "WSRV-25.2a")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("billed", "correct", "month", "expected"),
    [
        pytest.param(1370, 2500, "2025-03-31", [(1130, 10, 113)], id="difference"),
        pytest.param(1375, 2500, "2025-03-31", [(1125, 10, 113)], id="difference-of-both-taxes"),
        pytest.param(1370, 2500, "2019-09-30", [(1130, 8, 91)], id="rate-of-its-month"),
        pytest.param(2500, 2500, "2025-03-31", [], id="billed-rightly"),
        pytest.param(2600, 2500, "2025-03-31", [], id="billed-too-much"),
    ],
)
def test_an_underbilled_difference(
    service: str, billed: int, correct: int, month: str, expected: list[tuple[int, int, int]]
) -> None:
    facts = in_force(service).billing(
        "UnderbillingFound",
        found_on="2025-05-12",
        original_on=month,
        billed=billed,
        correct=correct,
        due_on=None,
    )
    assert [each[1:] for each in demanded(facts)] == expected


@pytest.mark.clause("WUTM-25.3.2", "WUTM-A5.1", "WSRV-25.2b", "WSRV-A4.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_an_operator_may_leave_it_unbilled(service: str) -> None:
    facts = in_force(service).billing(
        "UnderbillingFound",
        found_on="2025-05-12",
        original_on="2025-03-31",
        billed=2400,
        correct=2500,
        due_on=None,
        waived=True,
    )
    assert demanded(facts) == []


@pytest.mark.clause("NSEC-19", "NSEC-21.2", "WUTM-38.3", "WSRV-37.3")
@pytest.mark.parametrize(
    ("service", "kind", "expected"),
    [
        ("MYSEC", "repair", [("REPAIR", 30000, 0, 0)]),
        ("MYSEC", "damages", [("DAMAGES", 30000, 0, 0)]),
        ("WUTM", "repair", [("REPAIR", 30000, 0, 0)]),
        ("WSRV", "repair", [("REPAIR", 30000, 0, 0)]),
        ("WUTM", "damages", []),
    ],
)
def test_repair_and_damages_are_demanded_untaxed_even_after_the_end(
    service: str, kind: str, expected: list[tuple[str, int, int, int]]
) -> None:
    facts = in_force(service).terminated("2023-01-10")
    facts.billing(
        "ActualCostRecorded",
        recorded_on="2025-03-05",
        kind=kind,
        amount=30000,
        due_on="2025-07-31",
    )
    assert demanded(facts) == expected
    assert lines(facts, "2025-03") == ()


@pytest.mark.clause("NSEC-6.4b")
def test_revocation_costs_are_demanded_with_their_due_date() -> None:
    facts = in_force("MYSEC").revoked("2023-06-10", costs=12000, due="2023-07-31")
    (demand,) = all_demands(facts)
    assert (demand.code, demand.total, str(demand.due_on)) == (
        "MYSEC-REVOCATION",
        12000,
        "2023-07-31",
    )
