"""An end that comes later never makes the charges of a contract fall, save where the terms say so."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libs.events.vocabulary.contracts import WorkAccepted
from services.billing.domain.assessment import assess, billing_months
from services.billing.domain.demands import demands
from tests.unit.billing.assessed import terms_of
from tests.unit.billing.facts import CONTRACT, Facts
from tests.unit.properties.effort import effort
from tests.unit.properties.lives import SERVICES, days

CONTENT: Mapping[str, Mapping[str, Any]] = {
    "MYSEC": {"packs": {1: 3, 10: 1}},
    "CAS": {"packs": {1: 3, 10: 1}},
    "RRNS": {"monthly_fee": 9_800, "initial_fee": 50_000},
    "NQMS": {"monthly_fee": 3_333},
    "WUTM": {"device": "SSB10", "line": "collab"},
}
FIRST, LAST = date(2024, 1, 1), date(2024, 6, 30)
WHOLE_AFTER_ALL = ("MYSEC", "CAS")
"""A cancellation in the start month costs that month, which is free when the end comes later."""


def begun(service: str, on: date) -> Facts:
    """A contract that has begun, or whose work was accepted, on a day."""
    facts = Facts(service, content=CONTENT.get(service, {}), applied="2023-12-01")
    facts.approved("2023-12-01").started(on.isoformat())
    facts.add(WorkAccepted(contract_id=CONTRACT, accepted_on=on))
    return facts


def charged(facts: Facts) -> int:
    """All lines of all months, before tax."""
    timeline = facts.timeline
    terms = terms_of(timeline.service)
    months = billing_months(timeline, until=date(2024, 12, 31), terms=terms)
    return sum(
        line.amount for month in months for line in assess(timeline, month=month, terms=terms).lines
    )


def ended(service: str, *, started: date, on: date, outage: date | None = None) -> Facts:
    """A contract that ended on a day; the service may have failed for fifty hours before."""
    facts = begun(service, started)
    if outage is not None:
        facts.outage(f"{outage}T10:00", f"{outage + timedelta(days=2)}T12:00")
    return facts.terminated(on.isoformat())


def same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)


@pytest.mark.clause("NSEC-14.1", "NSEC-14.4", "NSEC-A3.N4", "WUTM-25.1", "WSRV-25.1b", "NQMS-20.1b",
    "RRNS-34.3.S2")  # fmt: skip
@pytest.mark.parametrize("service", SERVICES)
@effort(60)
@given(three=st.tuples(*[days(FIRST, LAST)] * 3), failed=st.booleans(), data=st.data())
def test_charges_never_fall_when_the_end_moves_later(
    service: str, three: tuple[date, date, date], failed: bool, data: st.DataObject
) -> None:
    started, earlier, later = sorted(three)
    assume(service not in WHOLE_AFTER_ALL or not same_month(started, earlier))
    outage = data.draw(days(started, LAST)) if failed else None
    sooner = charged(ended(service, started=started, on=earlier, outage=outage))
    assert sooner <= charged(ended(service, started=started, on=later, outage=outage))


@pytest.mark.clause("NSEC-A1.N2", "NSEC-A2.N2", "NSEC-A1.N1", "NSEC-A2.N1")
@pytest.mark.parametrize("service", WHOLE_AFTER_ALL)
@effort(40)
@given(two=st.tuples(*[days(FIRST, date(2024, 5, 31))] * 2))
def test_but_a_cancellation_in_the_start_month_costs_more_than_one_on_the_next_1st(
    service: str, two: tuple[date, date]
) -> None:
    started, on = sorted(two)
    assume(same_month(started, on))
    next_first = (started.replace(day=1) + timedelta(days=31)).replace(day=1)
    after_all = charged(ended(service, started=started, on=on))
    free = charged(ended(service, started=started, on=next_first))
    prices = terms_of(service).at(started).prices
    assert after_all - free == 3 * prices["licence"].yen + prices["pack-of-10"].yen


@pytest.mark.clause("NSEC-A3.N6a", "NSEC-A3.N5")
@effort(40)
@given(two=st.tuples(*[days(date(2024, 2, 1), date(2025, 3, 31))] * 2))
def test_but_the_sum_for_leaving_early_falls_month_by_month_to_nothing(
    two: tuple[date, date],
) -> None:
    started = date(2024, 1, 15)
    earlier, later = sorted(two)

    def sum_for_leaving(on: date) -> int:
        timeline = ended("SSD", started=started, on=on).timeline
        return sum(each.amount for each in demands(timeline, terms=terms_of("SSD")))

    assert sum_for_leaving(earlier) >= sum_for_leaving(later)
    assert (sum_for_leaving(later) == 0) == (later > date(2024, 12, 31))
