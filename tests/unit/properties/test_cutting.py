"""A month in parts comes to the whole within a yen for every cut, where the terms cut by days.

Where they do not, a month is whole or nothing, and that is shown here by clause.
"""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.vocabulary.contracts import WorkAccepted
from services.billing.domain.assessment import assess, billing_months
from services.billing.domain.draft import prorated
from services.billing.domain.line import Line
from tests.unit.billing.assessed import terms_of
from tests.unit.billing.facts import CONTRACT, Facts
from tests.unit.properties.effort import effort

FIRST, LAST = date(2024, 1, 1), date(2024, 4, 30)
ONE_DAY = timedelta(days=1)
PRICES = {1: 200, 10: 1_800, 100: 15_000}
MONTHLY = {"WUTM": 2_500, "WSRV": 1_480}

months = st.sampled_from([date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1)])
packs = st.dictionaries(st.sampled_from([1, 10, 100]), st.integers(0, 9), min_size=1)


def last_of(first: date) -> date:
    """The last day of a calendar month."""
    return (first + timedelta(days=31)).replace(day=1) - ONE_DAY


def days_of(first: date) -> st.SearchStrategy[date]:
    """The days of a month after its first, its second and last most often."""
    last = last_of(first)
    edges = st.sampled_from([first + ONE_DAY, last - ONE_DAY, last])
    return st.one_of(edges, st.dates(min_value=first + ONE_DAY, max_value=last))


def owed(facts: Facts, code: str, *, until: date = LAST) -> list[Line]:
    """The lines of a code, of all months that begin by a day."""
    timeline = facts.timeline
    terms = terms_of(timeline.service)
    return [
        line
        for month in billing_months(timeline, until=until, terms=terms)
        for line in assess(timeline, month=month, terms=terms).lines
        if line.code == f"{timeline.service}-{code}"
    ]


def sums(lines: list[Line]) -> int:
    return sum(line.amount for line in lines)


def within(amount: int, *, exact: Fraction | int, cuts: int) -> bool:
    """Whether an amount lacks less than a yen for every part, and is never too much."""
    return exact - cuts - 1 < amount <= exact


@pytest.mark.clause("NSEC-14.4", "NSEC-14.8a", "WUTM-28.2", "WUTM-28.3.1", "WUTM-29", "WSRV-28.3",
    "WSRV-29")  # fmt: skip
@effort(300)
@given(
    yen=st.integers(min_value=0, max_value=10_000_000),
    parts=st.lists(st.integers(min_value=0, max_value=31), min_size=1, max_size=8).filter(any),
)
def test_shares_of_days_come_to_the_whole_within_a_yen_a_cut(yen: int, parts: list[int]) -> None:
    of = sum(parts)
    shares = sum(prorated(yen, days=days, of=of)[0] for days in parts)
    assert yen - (len(parts) - 1) <= shares <= yen


@pytest.mark.clause("NSEC-14.5a", "NSEC-14.5b", "NSEC-14.5c", "NSEC-14.8a", "NSEC-14.3")
@pytest.mark.parametrize("service", ["MYSEC", "CAS"])
@effort(60)
@given(first=months, before=packs, data=st.data())
def test_rows_that_change_come_to_their_days_within_a_yen_a_run(
    service: str, first: date, before: dict[int, int], data: st.DataObject
) -> None:
    facts = Facts(service, content={"packs": before}, applied="2023-12-01").started("2023-12-05")
    changes = data.draw(st.dictionaries(days_of(first), packs, max_size=4))
    for on, after in sorted(changes.items()):
        facts.changed(on.isoformat(), "replacement", packs=after)
    length = last_of(first).day
    prices = {size: terms_of(service).at(first).prices[name].yen for size, name in
        ((1, "licence"), (10, "pack-of-10"), (100, "pack-of-100"))}  # fmt: skip
    for size, unit in prices.items():
        runs = [(first, before.get(size, 0))]
        runs += [(on, after.get(size, 0)) for on, after in sorted(changes.items())]
        ends = [on for on, _ in runs[1:]] + [last_of(first) + ONE_DAY]
        exact = sum(
            (Fraction(unit * quantity * (end - on).days, length)
             for (on, quantity), end in zip(runs, ends, strict=True)),
            Fraction(0),
        )  # fmt: skip
        charged = [
            each for each in owed(facts, f"LIC{size}") if first <= each.from_on <= last_of(first)
        ]
        assert within(sums(charged), exact=exact, cuts=len(changes))


@pytest.mark.clause("WUTM-28.2.1", "WUTM-28.2.2", "WUTM-28.3.1", "WSRV-28.2.1", "WSRV-28.2.2",
    "WSRV-28.3")  # fmt: skip
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@effort(60)
@given(first=months, data=st.data())
def test_a_month_shared_by_one_contract_and_the_next_costs_the_whole_within_a_yen(
    service: str, first: date, data: st.DataObject
) -> None:
    handed_over = data.draw(days_of(first)).isoformat()
    leaving = Facts(service, applied="2023-12-01").started("2023-12-05").terminated(handed_over)
    coming = Facts(service, applied="2023-12-01").started(handed_over)
    shares = [
        line
        for facts in (leaving, coming)
        for line in owed(facts, "MONTHLY")
        if first <= line.from_on <= last_of(first)
    ]
    assert within(sums(shares), exact=MONTHLY[service], cuts=1)


@pytest.mark.clause("WUTM-28.2.3", "WSRV-28.2.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@effort(20)
@given(first=months, data=st.data())
def test_but_a_contract_of_one_day_costs_a_day_that_the_next_one_costs_too(
    service: str, first: date, data: st.DataObject
) -> None:
    on = data.draw(days_of(first)).isoformat()
    one_day = Facts(service, applied="2023-12-01").started(on).terminated(on)
    (line,) = owed(one_day, "MONTHLY")
    assert (line.days, line.amount) == (1, MONTHLY[service] // last_of(first).day)


@pytest.mark.clause("WUTM-28.2.5", "WSRV-28.2.4")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@effort(60)
@given(first=months, data=st.data())
def test_a_month_with_other_discounts_comes_to_its_days_within_a_yen_a_change(
    service: str, first: date, data: st.DataObject
) -> None:
    facts = Facts(service, applied="2023-12-01").started("2023-12-05")
    discounts = data.draw(st.dictionaries(days_of(first), st.integers(0, 3_000), max_size=4))
    for on, yen in sorted(discounts.items()):
        facts.changed(on.isoformat(), "discount", monthly_discount=yen)
    runs = [(first, 0), *sorted(discounts.items())]
    ends = [on for on, _ in runs[1:]] + [last_of(first) + ONE_DAY]
    exact = sum(
        (Fraction(max(MONTHLY[service] - yen, 0) * (end - on).days, last_of(first).day)
         for (on, yen), end in zip(runs, ends, strict=True)),
        Fraction(0),
    )  # fmt: skip
    charged = [each for each in owed(facts, "MONTHLY") if first <= each.from_on <= last_of(first)]
    assert within(sums(charged), exact=exact, cuts=len(discounts))


@pytest.mark.clause("WUTM-28.4", "WSRV-28.4")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@effort(40)
@given(first=months, day=st.integers(min_value=2, max_value=28))
def test_a_stub_costs_its_days_within_a_yen(service: str, first: date, day: int) -> None:
    moved = first.replace(day=day)
    facts = Facts(service, applied="2023-12-01").started("2023-12-05").cycle(moved.isoformat())
    (stub,) = [each for each in owed(facts, "MONTHLY") if each.from_on == first]
    exact = Fraction(MONTHLY[service] * (day - 1), last_of(first).day)
    assert within(stub.amount, exact=exact, cuts=0)
    (whole,) = [each for each in owed(facts, "MONTHLY") if each.from_on == moved]
    assert whole.amount == MONTHLY[service]


@pytest.mark.clause("WUTM-28.2.4", "WUTM-28.3.2", "WUTM-33.1", "WSRV-33a")
@effort(60)
@given(first=months, outage=st.integers(1, 10), relieved=st.integers(0, 10), data=st.data())
def test_credited_and_relieved_days_leave_the_other_days_within_a_yen_a_stretch(
    first: date, outage: int, relieved: int, data: st.DataObject
) -> None:
    facts = Facts("WUTM", applied="2023-12-01").started("2023-12-05")
    begins = data.draw(st.integers(1, 9))
    down = first.replace(day=begins)
    facts.outage(f"{down}T00:00", f"{down + timedelta(days=outage)}T00:00")
    freed = {down + timedelta(days=each) for each in range(outage)}
    if relieved:
        from_on = first.replace(day=data.draw(st.integers(1, 18)))
        to_on = from_on + timedelta(days=relieved - 1)
        facts.billing("ReliefGranted", granted_on=from_on, from_on=from_on, to_on=to_on)
        freed |= {from_on + timedelta(days=each) for each in range(relieved)}
    lines = [
        line
        for code in ("MONTHLY", "OUTAGE", "RELIEF")
        for line in owed(facts, code)
        if first <= line.from_on <= last_of(first)
    ]
    length = last_of(first).day
    exact = Fraction(2_500 * (length - len(freed)), length)
    assert within(sums(lines), exact=exact, cuts=0)


@pytest.mark.clause("NSEC-20.2")
@effort(40)
@given(first=months, data=st.data())
def test_the_days_before_an_abolition_come_to_their_share_within_a_yen(
    first: date, data: st.DataObject
) -> None:
    on = data.draw(days_of(first))
    facts = Facts("SSD", applied="2023-11-01").started("2023-11-05")
    facts.terminated(on.isoformat(), cause="abolition")
    (part,) = [each for each in owed(facts, "BASE") if each.from_on == first]
    assert within(part.amount, exact=Fraction(80_000 * (on.day - 1), last_of(first).day), cuts=0)


@pytest.mark.clause("NSEC-A1.N1", "NSEC-A2.N1", "NSEC-A1.N2", "NSEC-A2.N2")
@pytest.mark.parametrize("service", ["MYSEC", "CAS"])
@effort(30)
@given(first=months, data=st.data())
def test_but_a_start_month_is_never_cut_it_is_free_or_owed_whole(
    service: str, first: date, data: st.DataObject
) -> None:
    started, ended = sorted(data.draw(st.tuples(days_of(first), days_of(first))))

    def in_its_month(facts: Facts) -> list[int]:
        return [each.amount for each in owed(facts, "LIC1") if each.from_on <= last_of(first)]

    facts = Facts(service, content={"packs": {1: 1}}, applied="2023-12-01")
    facts.started(started.isoformat())
    assert in_its_month(facts) == []
    facts.terminated(ended.isoformat())
    assert in_its_month(facts) == [terms_of(service).at(first).prices["licence"].yen]


@pytest.mark.clause("NSEC-A3.N4", "NQMS-20.1b", "RRNS-34.3.S2", "RRNS-34.5")
@pytest.mark.parametrize(
    ("service", "code", "fee"),
    [("SSD", "BASE", 80_000), ("NQMS", "MONTHLY", 3_333), ("RRNS", "MONTHLY", 3_333)],
)
@effort(30)
@given(ended=st.dates(min_value=date(2024, 1, 1), max_value=LAST))
def test_but_fees_by_whole_months_are_never_cut(
    service: str, code: str, fee: int, ended: date
) -> None:
    facts = Facts(service, content={"monthly_fee": 3_333}, applied="2023-12-01")
    facts.started("2023-12-05")
    facts.add(WorkAccepted(contract_id=CONTRACT, accepted_on=date(2023, 12, 5)))
    facts.terminated(ended.isoformat())
    assert [each.amount for each in owed(facts, code)] == [fee] * ended.month
