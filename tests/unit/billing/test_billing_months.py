"""Billing months: spans, names, and the stub where the start day moves."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.terms.in_force import NotYetInForce
from services.billing.domain.assessment import billing_months
from services.billing.domain.billing_month import billing_month_of
from tests.unit.billing.assessed import terms_of
from tests.unit.billing.facts import Facts


def months(facts: Facts, *, until: str) -> list[tuple[str, str, str]]:
    """Name, first and last day of every billing month."""
    timeline = facts.timeline
    found = billing_months(
        timeline, until=date.fromisoformat(until), terms=terms_of(timeline.service)
    )
    return [(each.name, str(each.from_on), str(each.to_on)) for each in found]


@pytest.mark.clause("NSEC-14.3", "WUTM-28.1.1", "WSRV-28.1a", "NQMS-20.1a")
@pytest.mark.parametrize("service", ["WUTM", "WSRV", "NQMS"])
def test_a_month_runs_from_the_start_day_and_is_named_after_it(service: str) -> None:
    facts = Facts(service, content={"billing_day": 20}, applied="2024-01-05")
    assert months(facts, until="2024-02-20") == [
        ("2023-12", "2023-12-20", "2024-01-19"),
        ("2024-01", "2024-01-20", "2024-02-19"),
        ("2024-02", "2024-02-20", "2024-03-19"),
    ]


@pytest.mark.clause("NSEC-14.7", "NSEC-14.3")
def test_usage_months_close_on_the_last_day_of_the_calendar_month() -> None:
    facts = Facts("MYSEC", applied="2023-12-31")
    assert [to_on for _, _, to_on in months(facts, until="2024-02-01")] == [
        "2023-12-31",
        "2024-01-31",
        "2024-02-29",
    ]


@pytest.mark.clause("WUTM-28.4", "WSRV-28.4")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_a_moved_start_day_leaves_a_stub_and_names_the_second_by_its_day(service: str) -> None:
    facts = Facts(service, applied="2025-05-10").cycle("2025-06-11")
    assert months(facts, until="2025-07-31") == [
        ("2025-05", "2025-05-01", "2025-05-31"),
        ("2025-06", "2025-06-01", "2025-06-10"),
        ("2025-06-11", "2025-06-11", "2025-07-10"),
        ("2025-07", "2025-07-11", "2025-08-10"),
    ]


@pytest.mark.clause("WUTM-28.4")
def test_a_stub_knows_the_month_it_was_cut_from() -> None:
    facts = Facts("WUTM", content={"billing_day": 11}, applied="2025-05-12").cycle("2025-07-01")
    stub = billing_month_of(facts.timeline, date(2025, 6, 20))
    assert (stub.stub, stub.days, stub.whole_days) == (True, 20, 30)
    assert not billing_month_of(facts.timeline, date(2025, 7, 1)).stub


@given(
    first=st.integers(1, 28),
    moves=st.lists(st.integers(20, 400), max_size=3),
    on=st.integers(0, 1500),
)
def test_every_day_lies_in_exactly_one_month(first: int, moves: list[int], on: int) -> None:
    facts = Facts("WUTM", content={"billing_day": first}, applied="2020-01-01")
    day = date(2020, 1, 1)
    for gap in moves:
        day += timedelta(days=gap)
        if day.day <= 28:
            facts.cycle(day.isoformat())
    timeline = facts.timeline
    wanted = date(2020, 1, 1) + timedelta(days=on)
    month = billing_month_of(timeline, wanted)
    assert month.from_on <= wanted <= month.to_on
    assert billing_month_of(timeline, month.to_on) == month
    following = billing_month_of(timeline, month.to_on + timedelta(days=1))
    assert following.from_on == month.to_on + timedelta(days=1)
    assert following.name != month.name


@pytest.mark.clause("NSEC-S2016-10-24.1")
def test_nothing_is_assessed_before_the_terms_were_in_force() -> None:
    terms = terms_of("MYSEC")
    early = Facts("MYSEC", applied="2016-10-23").timeline
    with pytest.raises(NotYetInForce):
        billing_months(early, until=date(2016, 12, 1), terms=terms)
    first = Facts("MYSEC", applied="2016-10-24").timeline
    assert len(billing_months(first, until=date(2016, 12, 1), terms=terms)) == 3
