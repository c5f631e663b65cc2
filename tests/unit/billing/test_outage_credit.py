"""Days of use that an outage takes out of the monthly fee."""

from datetime import timedelta

import pytest

from services.billing.domain.rules.outage_credit import credited_days
from tests.unit.billing.assessed import amounts, fee, lines
from tests.unit.billing.facts import Facts


def wutm(start: str = "2024-01-01", **content: object) -> Facts:
    """A corporation's contract in force."""
    return Facts("WUTM", content=content, applied="2023-12-01").started(start)


@pytest.mark.clause("WUTM-25.2.2.T1", "WUTM-25.2.2", "WUTM-28.2.4")
@pytest.mark.parametrize(
    ("to_at", "credit"),
    [
        pytest.param("2025-04-11T09:59", 0, id="23h59"),
        pytest.param("2025-04-11T10:00", 84, id="24h"),
        pytest.param("2025-04-12T09:59", 84, id="47h59"),
        pytest.param("2025-04-12T10:00", 167, id="48h"),
    ],
)
def test_full_units_of_24_hours_count(to_at: str, credit: int) -> None:
    facts = wutm().outage("2025-04-10T10:00", to_at)
    assert fee(facts, "2025-04") == 2500 - credit


@pytest.mark.clause("WUTM-25.2.2.T1")
def test_hours_count_from_when_the_company_knew() -> None:
    outage = ("2024-06-03T00:00", "2024-06-07T09:29")
    early = wutm().outage(*outage, known_at="2024-06-04T09:29")
    late = wutm().outage(*outage, known_at="2024-06-04T09:30")
    assert amounts(early, "2024-06")[1] == ("OUTAGE", -250)
    assert amounts(late, "2024-06")[1] == ("OUTAGE", -167)


@pytest.mark.clause("WUTM-25.2.2.T1")
def test_known_before_it_began_the_hours_count_from_its_beginning() -> None:
    facts = wutm().outage("2025-04-10T10:00", "2025-04-11T10:00", known_at="2025-04-01T00:00")
    assert lines(facts, "2025-04")[1].days == 1


@pytest.mark.clause("WUTM-25.2.2", "WUTM-36.11", "WUTM-36.12")
@pytest.mark.parametrize(
    ("fault", "complete", "credit"),
    [
        pytest.param("customer", True, 0, id="the-customers-fault"),
        pytest.param("provider", False, 0, id="partial"),
        pytest.param("third_party", True, 84, id="force-majeure"),
        pytest.param("provider", True, 84, id="maintenance"),
    ],
)
def test_what_gives_a_credit(fault: str, *, complete: bool, credit: int) -> None:
    facts = wutm().outage("2025-04-10T10:00", "2025-04-11T16:00", fault=fault, complete=complete)
    assert fee(facts, "2025-04") == 2500 - credit


@pytest.mark.clause("WUTM-25.2.2.T1")
def test_a_recovery_breaks_the_hours() -> None:
    facts = wutm()
    facts.outage("2025-04-10T00:00", "2025-04-10T20:00")
    facts.outage("2025-04-10T20:01", "2025-04-11T16:00")
    assert amounts(facts, "2025-04") == [("MONTHLY", 2500)]


@pytest.mark.clause("WUTM-25.2.2.T1")
def test_what_touches_lasted_without_a_break() -> None:
    facts = wutm()
    facts.outage("2025-04-10T00:00", "2025-04-10T20:00", fault="provider")
    facts.outage("2025-04-10T20:00", "2025-04-11T16:00", fault="third_party")
    assert amounts(facts, "2025-04")[1] == ("OUTAGE", -84)


@pytest.mark.clause("WUTM-25.2.2.T2", "WUTM-25.2.2")
@pytest.mark.parametrize(
    ("second_to", "incidents", "days"),
    [
        pytest.param("2025-04-11T22:00", ("A", "A"), 1, id="26-hours-of-one-incident"),
        pytest.param("2025-04-11T19:59", ("A", "A"), 0, id="a-minute-short"),
        pytest.param("2025-04-11T22:00", ("A", "B"), 0, id="two-incidents"),
        pytest.param("2025-04-11T22:00", (None, None), 0, id="not-joined"),
    ],
)
def test_by_gross_negligence_the_hours_of_one_incident_add_up(
    second_to: str, incidents: tuple[str | None, str | None], days: int
) -> None:
    facts = wutm()
    first, second = incidents
    facts.outage("2025-04-10T08:00", "2025-04-10T18:00", fault="provider_gross", incident=first)
    facts.outage("2025-04-11T06:00", second_to, fault="provider_gross", incident=second)
    credited = [line for line in lines(facts, "2025-04") if line.code == "WUTM-OUTAGE"]
    assert [line.days for line in credited] == ([days] if days else [])
    assert all("WUTM-25.2.2.T2" in line.clauses for line in credited)


@pytest.mark.clause("WUTM-28.3.2")
@pytest.mark.parametrize(
    ("known_at", "to_at", "april", "may"),
    [
        pytest.param("2025-04-30T22:00", "2025-05-03T00:00", 2416, 2419, id="one-each"),
        pytest.param("2025-04-29T23:30", "2025-05-02T01:00", 2333, 2500, id="both-april"),
        pytest.param("2025-05-01T00:00", "2025-05-02T00:00", 2500, 2419, id="midnight"),
    ],
)
def test_a_unit_is_the_day_on_which_it_begins(
    known_at: str, to_at: str, april: int, may: int
) -> None:
    facts = wutm().outage("2025-04-29T00:00", to_at, known_at=known_at)
    assert (fee(facts, "2025-04"), fee(facts, "2025-05")) == (april, may)


@pytest.mark.clause("WUTM-28.3.2", "WUTM-25.2.2.T2")
def test_a_gathered_unit_is_dated_by_its_beginning() -> None:
    facts = wutm()
    facts.outage("2025-04-30T08:00", "2025-04-30T18:00", fault="provider_gross", incident="A")
    facts.outage("2025-05-01T06:00", "2025-05-01T22:00", fault="provider_gross", incident="A")
    assert fee(facts, "2025-04") == 2416
    assert fee(facts, "2025-05") == 2500


@pytest.mark.clause("WUTM-28.2.4", "WUTM-28.2")
def test_the_fee_left_is_cut_off_once() -> None:
    assert fee(wutm().outage("2025-04-10T00:00", "2025-04-12T01:00"), "2025-04") == 2333
    partial = wutm("2025-04-10").outage("2025-04-15T00:00", "2025-04-17T01:00")
    assert fee(partial, "2025-04") == 1583


@pytest.mark.clause("WUTM-28.2.4")
def test_several_outages_are_one_line() -> None:
    facts = wutm()
    facts.outage("2025-04-03T00:00", "2025-04-04T00:00")
    facts.outage("2025-04-20T00:00", "2025-04-21T00:00")
    (line,) = [each for each in lines(facts, "2025-04") if each.code == "WUTM-OUTAGE"]
    assert (line.amount, line.days, len(line.events)) == (-167, 2, 2)


@pytest.mark.clause("WUTM-28.2.4")
def test_a_whole_month_out_leaves_nothing() -> None:
    facts = wutm().outage("2025-07-01T00:00", "2025-08-01T00:00")
    assert fee(facts, "2025-07") == 0


@pytest.mark.clause("WUTM-28.2.5")
def test_freed_days_leave_their_own_stretch() -> None:
    facts = wutm().changed("2025-07-11", "discount", monthly_discount=500)
    facts.outage("2025-07-09T00:00", "2025-07-12T00:00")
    assert fee(facts, "2025-07") == 2500 * 8 // 31 + 2000 * 20 // 31


@pytest.mark.clause("WUTM-25.2.2.T1", "WUTM-25.2.1")
def test_time_in_a_suspension_breaks_the_hours() -> None:
    def facts(until: str) -> Facts:
        return wutm().suspended("2025-04-11", until="2025-04-13").outage("2025-04-10T12:00", until)

    assert amounts(facts("2025-04-13T23:00"), "2025-04") == [("MONTHLY", 2500)]
    (_, credit) = lines(facts("2025-04-14T00:00"), "2025-04")
    assert (credit.days, credit.from_on.day) == (1, 13)


@pytest.mark.clause("WUTM-25.2.2.T1", "WUTM-25.1")
def test_time_after_the_last_charged_day_does_not_count() -> None:
    facts = wutm().outage("2025-04-08T12:00", "2025-04-20T00:00").terminated("2025-04-10")
    assert fee(facts, "2025-04") == 2500 * 8 // 30
    assert lines(facts, "2025-04")[1].days == 1


@pytest.mark.clause("WUTM-A4.1.N")
def test_a_licensed_device_has_nothing_to_credit() -> None:
    facts = wutm(licensed=True).outage("2025-04-03T00:00", "2025-04-09T00:00")
    assert lines(facts, "2025-04") == ()


@pytest.mark.clause("WUTM-28.2.4")
def test_the_arithmetic_shows_the_cut_and_the_difference() -> None:
    facts = wutm().outage("2024-05-20T08:40", "2024-05-21T11:00")
    assert lines(facts, "2024-05")[1].arithmetic == (
        "2,500 × 30/31 = 2,419.3 → 2,419; 2,419 - 2,500 = -81"
    )


@pytest.mark.clause("WUTM-25.2.2.T1")
def test_the_hours_of_a_unit_come_from_the_terms() -> None:
    facts = wutm().outage("2025-04-10T10:00", "2025-04-12T10:00")
    for hours, days in ((24, [10, 11]), (36, [10]), (49, [])):
        freed = credited_days(facts.timeline, unit=timedelta(hours=hours))
        assert [on.day for on, _ in freed] == days
