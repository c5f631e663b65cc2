"""Fees owed whole: SSD's basic fee and options, NQMS by billing months."""

import pytest

from tests.unit.billing.assessed import all_demands, amounts, fee, lines
from tests.unit.billing.facts import Facts


def ssd(start: str = "2023-04-15") -> Facts:
    """A support desk contract in force."""
    return Facts("SSD", applied="2023-01-10").started(start)


def with_option(option: str, on: str, *, applied: str | None = None) -> Facts:
    """A contract with an option added later."""
    return ssd().changed(on, "option-added", option=option, applied_on=applied)


def nqms(start: str, *, day: int = 1) -> Facts:
    """A monitoring contract at 980 yen."""
    content = {"monthly_fee": 980, "billing_day": day}
    return Facts("NQMS", content=content, applied="2023-01-10").started(start)


@pytest.mark.clause("NSEC-A3.N1", "NSEC-A3.T1", "NSEC-14.6")
@pytest.mark.parametrize("start", ["2023-04-01", "2023-04-15", "2023-04-30"])
def test_the_basic_fee_is_free_in_the_start_month_and_whole_after_it(start: str) -> None:
    facts = ssd(start).suspended("2023-06-01", until="2023-07-01")
    assert fee(facts, "2023-04") == 0
    assert fee(facts, "2023-05") == fee(facts, "2023-06") == 80000


@pytest.mark.clause("NSEC-A3.N4", "NSEC-A3.N7")
@pytest.mark.parametrize("end", ["2023-09-01", "2023-09-18", "2023-09-30"])
def test_the_month_of_the_end_is_owed_whole(end: str) -> None:
    facts = ssd().terminated(end)
    (line,) = lines(facts, "2023-09")
    assert line.amount == 80000
    assert "NSEC-A3.N4" in line.clauses
    assert fee(facts, "2023-10") == 0


@pytest.mark.clause("NSEC-A3.N1")
def test_cancelled_in_the_start_month_the_basic_fee_stays_free() -> None:
    assert fee(ssd().terminated("2023-04-20"), "2023-04") == 0


@pytest.mark.clause("NSEC-20.2")
def test_abolition_charges_the_days_before_it() -> None:
    facts = with_option("config", "2023-05-10").terminated("2023-07-15", cause="abolition")
    base, option = lines(facts, "2023-07")
    assert (base.amount, base.days) == (80000 * 14 // 31, 14)
    assert (option.amount, option.days) == (30000 * 14 // 31, 14)
    early = with_option("config", "2023-07-05").terminated("2023-07-15", cause="abolition")
    assert amounts(early, "2023-07") == [("BASE", 80000 * 14 // 31)]


@pytest.mark.clause("NSEC-A3.N2", "NSEC-A3.T2", "NSEC-A3.T3")
@pytest.mark.parametrize(
    ("option", "code", "yen"),
    [("report", "OPT-REPORT", 40000), ("config", "OPT-CONFIG", 30000)],
)
def test_every_option_has_its_own_free_month(option: str, code: str, yen: int) -> None:
    facts = with_option(option, "2023-07-01", applied="2023-06-10")
    assert amounts(facts, "2023-07") == [("BASE", 80000)]
    assert amounts(facts, "2023-08") == [("BASE", 80000), (code, yen)]


@pytest.mark.clause("NSEC-A3.N3")
def test_an_option_ended_in_its_first_month_is_owed_whole() -> None:
    facts = with_option("config", "2023-07-05").changed(
        "2023-07-20", "option-removed", option="config"
    )
    assert amounts(facts, "2023-07") == [("BASE", 80000), ("OPT-CONFIG", 30000)]
    assert amounts(facts, "2023-08") == [("BASE", 80000)]


@pytest.mark.clause("NSEC-A3.N3")
def test_the_contracts_end_is_the_options_end() -> None:
    facts = with_option("config", "2023-07-05").terminated("2023-07-20")
    assert amounts(facts, "2023-07") == [("BASE", 80000), ("OPT-CONFIG", 30000)]


@pytest.mark.clause("NSEC-A3.N4")
def test_an_option_ended_on_the_first_is_owed_for_that_month() -> None:
    facts = with_option("config", "2023-05-10").changed(
        "2023-07-01", "option-removed", option="config"
    )
    assert amounts(facts, "2023-07") == [("BASE", 80000), ("OPT-CONFIG", 30000)]
    assert amounts(facts, "2023-08") == [("BASE", 80000)]


@pytest.mark.clause("NSEC-A3.N2")
def test_an_option_taken_again_is_free_again_in_its_first_month() -> None:
    facts = with_option("config", "2023-05-10")
    facts.changed("2023-07-10", "option-removed", option="config")
    facts.changed("2023-09-10", "option-added", option="config")
    months = ["2023-07", "2023-08", "2023-09", "2023-10"]
    assert [fee(facts, month) for month in months] == [110000, 80000, 80000, 110000]


@pytest.mark.clause("NSEC-A3.N8")
def test_the_report_starts_in_the_month_after_its_application_at_the_earliest() -> None:
    facts = with_option("report", "2023-07-20", applied="2023-07-10")
    assert amounts(facts, "2023-08") == [("BASE", 80000)]
    assert amounts(facts, "2023-09") == [("BASE", 80000), ("OPT-REPORT", 40000)]


@pytest.mark.clause("NSEC-A3.N6a", "NSEC-A3.N6b", "NSEC-A3.N6c")
@pytest.mark.parametrize(
    ("end", "months"),
    [
        pytest.param("2023-04-15", 12, id="on-the-day-of-the-start"),
        pytest.param("2023-04-20", 12, id="in-the-start-month"),
        pytest.param("2023-05-01", 11, id="first-month-of-the-term"),
        pytest.param("2024-02-29", 2, id="a-month-left"),
        pytest.param("2024-03-31", 1, id="last-day"),
        pytest.param("2024-04-01", 0, id="the-day-after"),
        pytest.param("2023-04-10", 0, id="before-the-start"),
    ],
)
def test_the_lump_sum_is_the_months_left_and_one_more(end: str, months: int) -> None:
    found = all_demands(ssd().terminated(end, due="2023-12-31"))
    assert [(each.quantity, each.amount, each.tax) for each in found] == (
        [(months, 80000 * months, 0)] if months else []
    )
    assert all(str(each.due_on) == "2023-12-31" for each in found)


@pytest.mark.clause("NSEC-20.2", "NSEC-6.4a", "NSEC-A3.N6a")
def test_abolition_and_revocation_owe_no_lump_sum() -> None:
    assert all_demands(ssd().terminated("2023-06-10", cause="abolition")) == ()
    assert all_demands(ssd().revoked("2023-06-10")) == ()
    assert len(all_demands(ssd().terminated("2023-06-10", cause="provider"))) == 1


@pytest.mark.clause("NQMS-20.1.v1", "NQMS-20.1.v2", "NQMS-V.1")
@pytest.mark.parametrize(("start", "first"), [("2023-07-31", "2023-07"), ("2023-08-01", "2023-09")])
def test_the_start_decides_which_terms_hold(start: str, first: str) -> None:
    facts = nqms(start)
    before = {"2023-07": "2023-06", "2023-09": "2023-08"}[first]
    assert fee(facts, before) == 0
    assert fee(facts, first) == 980


@pytest.mark.clause("NQMS-20.1b", "NQMS-20.1.v2")
@pytest.mark.parametrize(
    ("end", "last", "following"),
    [("2024-04-01", "2024-04", "2024-05"), ("2024-03-31", "2024-03", "2024-04")],
)
def test_the_billing_month_of_the_end_is_whole(end: str, last: str, following: str) -> None:
    facts = nqms("2024-01-10").terminated(end)
    assert fee(facts, last) == 980
    assert fee(facts, following) == 0


@pytest.mark.clause("NQMS-20.1.v2")
def test_started_and_ended_in_one_billing_month_nothing_is_owed() -> None:
    facts = nqms("2023-09-05").terminated("2023-09-25")
    assert fee(facts, "2023-09") == fee(facts, "2023-10") == 0


@pytest.mark.clause("NQMS-20.1a", "NQMS-20.1c")
def test_billing_months_follow_the_anchor_day() -> None:
    facts = nqms("2024-01-20", day=20)
    assert fee(facts, "2024-01") == 0
    (line,) = lines(facts, "2024-02")
    assert (line.from_on.isoformat(), line.to_on.isoformat()) == ("2024-02-20", "2024-03-19")
    assert (line.amount, line.days, line.tax_rate) == (980, None, 10)
