"""The flat monthly fee of WUTM and WSRV by days of use."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import InitialWorkScheduled
from libs.events.vocabulary.monitoring import DeviceSwapped
from tests.unit.billing.assessed import amounts, assessment, fee, lines
from tests.unit.billing.facts import CONTRACT, CUSTOMER, Facts


def wutm(start: str, *, service: str = "WUTM", **content: object) -> Facts:
    """A corporation's contract in force."""
    return Facts(service, content=content, applied="2020-01-10").started(start)


@pytest.mark.clause("WUTM-28.2.1", "WUTM-28.2", "WUTM-28.3.1", "WUTM-A4.1", "WUTM-24", "WUTM-29")
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param("2025-04-01", 2500, id="first-day-is-no-case"),
        pytest.param("2025-04-02", 2416, id="29-of-30"),
        pytest.param("2025-04-30", 83, id="last-day"),
        pytest.param("2025-02-28", 89, id="1-of-28"),
        pytest.param("2024-02-29", 86, id="1-of-29"),
        pytest.param("2025-01-31", 80, id="1-of-31"),
        pytest.param("2025-02-14", 1339, id="15-of-28"),
        pytest.param("2024-02-15", 1293, id="15-of-29"),
        pytest.param("2025-05-17", 1209, id="15-of-31"),
    ],
)
def test_a_start_inside_the_month_costs_the_days_left(start: str, expected: int) -> None:
    facts = wutm(start)
    (line,) = lines(facts, start[:7])
    assert line.amount == expected
    assert ("WUTM-28.2.1" in line.clauses) == (expected != 2500)


@pytest.mark.clause(
    "WSRV-28.2.1", "WSRV-28.2.0", "WSRV-28.3", "WSRV-25.1a", "WSRV-25.1d", "WSRV-A4.1"
)
@pytest.mark.parametrize(
    ("start", "expected"), [("2024-04-11", 986), ("2024-04-01", 1480), ("2024-04-30", 49)]
)
def test_wsrv_does_the_same_with_its_own_fee(start: str, expected: int) -> None:
    assert fee(wutm(start, service="WSRV"), "2024-04") == expected


@pytest.mark.clause("WUTM-25.1", "WUTM-28.1.1")
def test_a_whole_month_costs_the_fee_whatever_its_length() -> None:
    facts = wutm("2024-05-10")
    assert fee(facts, "2025-02") == fee(facts, "2025-03") == 2500


@pytest.mark.clause("WUTM-28.1.1", "WSRV-28.1a")
@pytest.mark.parametrize(
    ("service", "month", "expected"),
    [("WUTM", "2025-01", 1774), ("WUTM", "2025-02", 2500), ("WSRV", "2025-01", 1050)],
)
def test_the_days_are_those_of_the_billing_month(service: str, month: str, expected: int) -> None:
    assert fee(wutm("2025-01-20", service=service, billing_day=11), month) == expected


@pytest.mark.clause("WUTM-28.2.2", "WUTM-25.1", "WSRV-28.2.2", "WSRV-25.1b")
@pytest.mark.parametrize(
    ("service", "end", "expected"),
    [
        pytest.param("WUTM", "2025-04-02", 83, id="one-day"),
        pytest.param("WUTM", "2025-04-30", 2416, id="the-end-is-no-day"),
        pytest.param("WUTM", "2028-02-29", 2413, id="leap-day"),
        pytest.param("WUTM", "2025-04-01", 0, id="first-day-nothing"),
        pytest.param("WSRV", "2025-04-13", 592, id="wsrv"),
    ],
)
def test_an_end_inside_the_month_costs_the_days_before_it(
    service: str, end: str, expected: int
) -> None:
    facts = wutm("2024-03-10", service=service).terminated(end)
    assert fee(facts, end[:7]) == expected


@pytest.mark.clause("WUTM-28.2.2", "WSRV-25.1b")
def test_an_end_on_the_first_day_leaves_the_month_before_whole() -> None:
    for service, whole in (("WUTM", 2500), ("WSRV", 1480)):
        facts = wutm("2024-03-10", service=service).terminated("2025-04-01")
        assert fee(facts, "2025-03") == whole


@pytest.mark.clause("WUTM-28.2.3", "WUTM-25.1")
@pytest.mark.parametrize(
    ("day", "expected"), [("2025-04-01", 83), ("2025-05-01", 80), ("2025-02-01", 89)]
)
def test_start_and_end_on_the_first_day_are_one_day(day: str, expected: int) -> None:
    (line,) = lines(wutm(day).terminated(day), day[:7])
    assert (line.amount, line.days) == (expected, 1)
    assert "WUTM-28.2.3" in line.clauses


@pytest.mark.clause("WSRV-25.1c", "WSRV-28.2.3", "WUTM-25.1")
def test_start_and_end_on_one_day_are_one_day() -> None:
    assert fee(wutm("2023-02-10", service="WSRV").terminated("2023-02-10"), "2023-02") == 52
    assert fee(wutm("2023-02-01", service="WSRV").terminated("2023-02-01"), "2023-02") == 52
    assert fee(wutm("2024-02-15").terminated("2024-02-15"), "2024-02") == 86


@pytest.mark.clause("WUTM-25.1")
def test_an_end_before_the_start_charges_nothing() -> None:
    facts = wutm("2024-02-15").terminated("2024-02-10")
    assert fee(facts, "2024-02") == 0


@pytest.mark.clause("WUTM-25.2.1", "WSRV-25.1e")
def test_suspension_keeps_the_fee() -> None:
    for service, whole in (("WUTM", 2500), ("WSRV", 1480)):
        facts = wutm("2024-03-10", service=service).suspended("2025-04-01", until="2025-05-01")
        assert fee(facts, "2025-04") == whole


@pytest.mark.clause("WSRV-25.1e")
def test_wsrv_knows_no_outage_credit() -> None:
    facts = wutm("2024-03-10", service="WSRV").outage("2025-04-03T00:00", "2025-04-09T00:00")
    assert amounts(facts, "2025-04") == [("MONTHLY", 1480)]


@pytest.mark.clause("WUTM-28.2.5", "WUTM-A4.1.N")
def test_a_licensed_device_costs_nothing_from_its_day() -> None:
    facts = wutm("2024-04-10").changed("2025-06-16", "device", licensed=True)
    assert amounts(facts, "2025-06") == [("MONTHLY", 1250)]
    assert fee(facts, "2025-07") == 0


@pytest.mark.clause("WUTM-A4.1.N", "WUTM-41.2")
def test_a_contract_with_a_licensed_device_has_no_monthly_fee() -> None:
    facts = wutm("2025-04-10", licensed=True).outage("2025-06-03T00:00", "2025-06-09T00:00")
    assert fee(facts, "2025-04") == fee(facts, "2025-06") == 0


@pytest.mark.clause("WUTM-28.2.5", "WSRV-28.2.4")
@pytest.mark.parametrize(("service", "expected"), [("WUTM", [806, 1354]), ("WSRV", [477, 663])])
def test_each_stretch_with_one_price_is_cut_off_by_itself(
    service: str, expected: list[int]
) -> None:
    facts = wutm("2024-04-10", service=service)
    facts.changed("2025-07-11", "discount", monthly_discount=500)
    found = lines(facts, "2025-07")
    assert [line.amount for line in found] == expected
    assert [line.days for line in found] == [10, 21]
    facts.changed("2025-08-01", "discount", monthly_discount=0)
    assert len(lines(facts, "2025-08")) == 1


@pytest.mark.clause("WSRV-28.2.4", "WSRV-29", "WUTM-28.2.5", "WUTM-29")
@pytest.mark.parametrize(("service", "expected"), [("WUTM", [2419, 64]), ("WSRV", [1432, 31])])
def test_a_discount_that_begins_on_the_last_day_is_worth_that_day(
    service: str, expected: list[int]
) -> None:
    facts = wutm("2024-04-10", service=service)
    facts.changed("2025-07-31", "discount", monthly_discount=500)
    assert [(line.amount, line.days) for line in lines(facts, "2025-07")] == [
        (expected[0], 30),
        (expected[1], 1),
    ]


@pytest.mark.clause("WUTM-28.2.5")
def test_an_agreed_price_begins_on_its_day() -> None:
    facts = wutm("2024-04-10").changed("2025-07-11", "price", monthly_fee=2000)
    assert amounts(facts, "2025-07") == [("MONTHLY", 806), ("MONTHLY", 1354)]


@pytest.mark.clause("WUTM-28.4", "WUTM-28.1.2", "WSRV-28.4")
@pytest.mark.parametrize(
    ("service", "day", "on", "stub", "expected"),
    [
        pytest.param("WUTM", 1, "2025-06-11", "2025-06", 833, id="from-1-to-11"),
        pytest.param("WUTM", 11, "2025-07-01", "2025-06", 1666, id="from-11-to-1"),
        pytest.param("WSRV", 1, "2025-06-11", "2025-06", 493, id="wsrv"),
    ],
)
def test_a_stub_costs_its_days_of_the_old_month(
    service: str, day: int, on: str, stub: str, expected: int
) -> None:
    facts = wutm("2024-04-10", service=service, billing_day=day).cycle(on)
    (line,) = lines(facts, stub)
    assert line.amount == expected
    assert any(each.endswith("-28.4") for each in line.clauses)
    following = on if on[:7] == stub else on[:7]
    (whole,) = lines(facts, following)
    assert whole.amount == (2500 if service == "WUTM" else 1480)


@pytest.mark.clause("WUTM-28.4")
def test_no_day_is_paid_twice_when_the_start_day_moves() -> None:
    facts = wutm("2025-06-05").cycle("2025-06-11")
    (stub,) = lines(facts, "2025-06")
    assert (stub.days, stub.amount) == (6, 500)


@pytest.mark.clause("WUTM-32.1", "WSRV-32a")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
@pytest.mark.parametrize(
    ("end", "rate"),
    [
        pytest.param(None, 10, id="the-month-ends-after-the-change"),
        pytest.param("2019-10-01", 8, id="the-last-day-of-service-is-before-it"),
        pytest.param("2019-10-02", 10, id="the-last-day-of-service-is-the-change"),
    ],
)
def test_the_rate_is_that_of_the_last_day(service: str, end: str | None, rate: int) -> None:
    facts = Facts(service, content={"billing_day": 20}, applied="2019-07-05").started("2019-07-20")
    if end:
        facts.terminated(end)
    (line,) = lines(facts, "2019-09")
    assert line.tax_rate == rate


def test_a_line_shows_its_arithmetic() -> None:
    (line,) = lines(wutm("2024-04-11"), "2024-04")
    assert line.arithmetic == "2,500 × 20/30 = 1,666.6 → 1,666"
    assert line.key == "WUTM-MONTHLY:2024-04-11"


@pytest.mark.clause("WUTM-24", "WUTM-41.2", "WSRV-24", "WSRV-40.2", "WUTM-A1.T3-3.N2.3")
@pytest.mark.parametrize("service", ["WUTM", "WSRV"])
def test_nothing_is_charged_but_what_the_price_table_says(service: str) -> None:
    facts = wutm("2024-04-10", service=service)
    facts.add(
        DeviceSwapped(
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            old_device_id=CONTRACT,
            new_device_id=CUSTOMER,
            model="SSB10",
            serial="1",
            licensed=False,
            swapped_on=date(2024, 6, 10),
            ownership_moved_on=date(2024, 6, 12),
        )
    )
    facts.add(InitialWorkScheduled(contract_id=CONTRACT, scheduled_on=date(2024, 6, 10)))
    assert [code for code, _ in amounts(facts, "2024-06")] == ["MONTHLY"]


@pytest.mark.clause("WSRV-24")
def test_a_server_costs_its_price_whether_it_can_be_reached_or_not() -> None:
    facts = wutm("2024-04-10", service="WSRV")
    facts.outage("2024-06-03T00:00", "2024-06-08T00:00")
    assert amounts(facts, "2024-06") == [("MONTHLY", 1_480)]


@pytest.mark.clause("WUTM-28.1.2", "WSRV-28.1b")
@pytest.mark.parametrize(("service", "expected"), [("WUTM", 1583), ("WSRV", 937)])
def test_a_final_bill_before_the_month_is_over_is_the_same_bill(
    service: str, expected: int
) -> None:
    facts = wutm("2024-04-10", service=service).terminated("2025-06-20")
    at_once = assessment(facts, "2025-06", issued_on=date(2025, 6, 20)).lines
    assert [line.amount for line in at_once] == [expected]
    assert at_once == lines(facts, "2025-06")


@pytest.mark.clause("WUTM-28.2.5")
@pytest.mark.parametrize(
    ("on", "expected"),
    [("2025-07-01", [2000]), ("2025-07-31", [2419, 64])],
)
def test_a_discount_may_begin_on_the_first_or_the_last_day(on: str, expected: list[int]) -> None:
    facts = wutm("2024-04-10").changed(on, "discount", monthly_discount=500)
    assert [line.amount for line in lines(facts, "2025-07")] == expected
