"""The initial fee and its campaign."""

from datetime import date

import pytest

from tests.unit.billing.assessed import amounts, assessment, lines
from tests.unit.billing.facts import Facts


def applied(on: str, *, service: str = "MYSEC") -> Facts:
    """An application for five licences."""
    return Facts(service, content={"packs": {1: 5}}, applied=on)


@pytest.mark.clause("NSEC-14.2", "NSEC-A1.T1", "NSEC-A2.T1")
@pytest.mark.parametrize("service", ["MYSEC", "CAS"])
def test_it_is_owed_in_the_month_of_acceptance(service: str) -> None:
    facts = applied("2023-03-30", service=service).approved("2023-03-31").started("2023-04-10")
    (line,) = lines(facts, "2023-03")
    assert (line.amount, line.tax_rate, line.days) == (3000, 10, None)
    assert amounts(facts, "2023-04") == []


@pytest.mark.clause("NSEC-14.2", "NSEC-A1.N1")
def test_the_free_start_month_does_not_cover_it() -> None:
    facts = applied("2023-04-01").approved("2023-04-03").started("2023-04-10")
    assert amounts(facts, "2023-04") == [("INIT", 3000)]


@pytest.mark.clause("NSEC-14.2")
def test_it_is_owed_though_the_service_never_starts() -> None:
    facts = applied("2023-04-01").approved("2023-04-03").terminated("2023-04-08")
    assert amounts(facts, "2023-04") == [("INIT", 3000)]


@pytest.mark.clause("NSEC-14.2")
def test_ssd_has_none() -> None:
    facts = Facts("SSD", applied="2023-04-01").approved("2023-04-03").started("2023-04-10")
    assert amounts(facts, "2023-04") == []


@pytest.mark.clause("NSEC-6.4a")
def test_a_revocation_in_the_month_of_acceptance_leaves_nothing() -> None:
    facts = applied("2023-04-01").approved("2023-04-03").revoked("2023-04-20")
    assert amounts(facts, "2023-04") == []


@pytest.mark.clause("NSEC-14.10")
@pytest.mark.parametrize(("on", "rate"), [("2019-09-30", 8), ("2019-10-01", 10)])
def test_its_tax_rate_is_that_of_the_day_of_acceptance(on: str, rate: int) -> None:
    (line,) = lines(applied("2019-09-01").approved(on), on[:7])
    assert line.tax_rate == rate


@pytest.mark.clause("NSEC-S2017-02-01.2")
@pytest.mark.parametrize(
    ("application", "start", "owed"),
    [
        pytest.param("2017-02-01", "2017-06-30", False, id="first-day-and-last-start"),
        pytest.param("2017-05-31", "2017-06-01", False, id="last-day"),
        pytest.param("2017-01-31", "2017-06-01", True, id="a-day-early"),
        pytest.param("2017-06-01", "2017-06-20", True, id="a-day-late"),
        pytest.param("2017-02-01", "2017-07-01", True, id="started-too-late"),
    ],
)
def test_the_campaign_waives_it(application: str, start: str, *, owed: bool) -> None:
    facts = applied(application).approved("2017-06-15").started(start)
    assert amounts(facts, "2017-06") == ([("INIT", 3000)] if owed else [])


@pytest.mark.clause("NSEC-S2017-02-01.2")
def test_the_campaign_is_not_for_cas() -> None:
    facts = applied("2017-02-01", service="CAS").approved("2017-02-10").started("2017-03-01")
    assert amounts(facts, "2017-02") == [("INIT", 3000)]


@pytest.mark.clause("NSEC-S2017-02-01.2")
def test_while_the_start_may_come_in_time_it_is_left_off() -> None:
    facts = applied("2017-02-01").approved("2017-02-10")
    assert assessment(facts, "2017-02", issued_on=date(2017, 6, 30)).lines == ()
    assert len(assessment(facts, "2017-02", issued_on=date(2017, 7, 1)).lines) == 1
    facts.terminated("2017-03-10")
    assert len(assessment(facts, "2017-02", issued_on=date(2017, 4, 1)).lines) == 1
