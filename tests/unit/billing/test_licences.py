"""Licence rows of MYSEC and CAS by calendar month."""

import pytest

from tests.unit.billing.assessed import amounts, fee, lines
from tests.unit.billing.facts import Facts


def mysec(packs: dict[int, int], *, start: str = "2023-04-10", service: str = "MYSEC") -> Facts:
    """A contract in force, its initial fee in an earlier month."""
    return (
        Facts(service, content={"packs": packs}, applied="2022-10-01")
        .approved("2022-10-05")
        .started(start)
    )


@pytest.mark.clause(
    "NSEC-14.3",
    "NSEC-5.2",
    "NSEC-A1.T2",
    "NSEC-A1.T3",
    "NSEC-A1.T4",
    "NSEC-A1.T5",
    "NSEC-A1.T6",
)
@pytest.mark.parametrize(
    ("packs", "start", "month", "expected"),
    [
        pytest.param({1: 5}, "2023-04-10", "2023-05", 1000, id="singles"),
        pytest.param({1: 5}, "2023-01-31", "2023-02", 1000, id="february-is-whole-too"),
        pytest.param({1: 5, 10: 2, 100: 1}, "2023-04-10", "2023-05", 19600, id="rows-add-up"),
        pytest.param({1000: 2, 10000: 1}, "2023-04-10", "2023-05", 1240000, id="big-packs"),
        pytest.param({1: 10}, "2023-04-10", "2023-05", 2000, id="singles-are-never-packed"),
        pytest.param({}, "2023-04-10", "2023-06", 0, id="nothing-ordered-nothing-charged"),
    ],
)
def test_a_whole_month_costs_unit_price_times_quantity(
    packs: dict[int, int], start: str, month: str, expected: int
) -> None:
    assert fee(mysec(packs, start=start), month) == expected


@pytest.mark.clause("NSEC-A2.T2", "NSEC-A2.T3", "NSEC-A2.T4", "NSEC-A2.T5", "NSEC-A2.T6")
def test_cas_costs_the_same_per_licence_in_every_pack() -> None:
    facts = mysec({1: 1, 10: 1, 100: 1, 1000: 1, 10000: 1}, service="CAS")
    assert amounts(facts, "2023-05") == [
        ("LIC1", 300),
        ("LIC10", 3000),
        ("LIC100", 30000),
        ("LIC1000", 300000),
        ("LIC10000", 3000000),
    ]


@pytest.mark.clause("NSEC-14.4", "NSEC-14.1", "NSEC-14.8a", "NSEC-A1.N3")
@pytest.mark.parametrize(
    ("packs", "start", "end", "expected"),
    [
        pytest.param({1: 5}, "2023-04-10", "2023-07-15", 451, id="14-of-31"),
        pytest.param({1: 5}, "2023-04-10", "2023-07-01", 0, id="on-the-first-no-day"),
        pytest.param({1: 5}, "2023-04-10", "2023-07-02", 32, id="one-day"),
        pytest.param({10: 1}, "2023-04-10", "2023-07-31", 1741, id="last-day-of-july"),
        pytest.param({10: 1}, "2023-04-10", "2023-06-30", 1740, id="last-day-of-june"),
        pytest.param({10: 1}, "2022-12-10", "2023-02-28", 1735, id="february"),
        pytest.param({10: 1}, "2023-12-10", "2024-02-29", 1737, id="leap-february"),
        pytest.param({10: 2, 1: 3}, "2023-04-10", "2023-07-15", 1895, id="row-by-row"),
        pytest.param({1: 1}, "2023-04-10", "2023-07-02", 6, id="cut-once"),
        pytest.param({1: 1}, "2023-04-10", "2023-06-16", 100, id="nothing-to-cut"),
        pytest.param({100: 1}, "2023-04-10", "2023-07-31", 14516, id="no-daily-rate"),
    ],
)
def test_the_month_of_cancellation_costs_the_days_before_it(
    packs: dict[int, int], start: str, end: str, expected: int
) -> None:
    facts = mysec(packs, start=start).terminated(end)
    assert fee(facts, end[:7]) == expected
    assert all("NSEC-14.4" in line.clauses for line in lines(facts, end[:7]))


@pytest.mark.clause("NSEC-A2.N3", "NSEC-14.11", "NSEC-14.4")
def test_cas_falls_back_to_article_14() -> None:
    facts = mysec({10: 1, 1: 1}, service="CAS").terminated("2023-09-18")
    assert amounts(facts, "2023-09") == [("LIC1", 170), ("LIC10", 1700)]


@pytest.mark.clause("NSEC-13.2", "NSEC-14.1")
def test_nothing_is_charged_after_the_month_of_the_end() -> None:
    facts = mysec({1: 5}).terminated("2023-07-15")
    assert fee(facts, "2023-06") == 1000
    assert fee(facts, "2023-08") == 0


@pytest.mark.clause("NSEC-14.4")
def test_an_end_on_the_first_leaves_the_month_before_whole() -> None:
    facts = mysec({10: 1}, start="2023-12-10").terminated("2024-03-01")
    assert amounts(facts, "2024-02") == [("LIC10", 1800)]
    assert fee(facts, "2024-03") == 0


@pytest.mark.clause("NSEC-14.5a", "NSEC-14.5c")
@pytest.mark.parametrize(
    ("before", "after", "on", "expected"),
    [
        pytest.param({10: 1}, {100: 1}, "2023-06-16", [900, 7500], id="half-and-half"),
        pytest.param({10: 1}, {100: 1}, "2023-07-07", [348, 12096], id="each-cut-by-itself"),
        pytest.param({10: 1}, {100: 1}, "2023-07-01", [15000], id="on-the-first"),
        pytest.param({10: 1}, {100: 1}, "2023-07-31", [1741, 483], id="on-the-last"),
        pytest.param({1: 10}, {10: 1}, "2023-06-11", [666, 1200], id="swap-for-a-pack"),
        pytest.param({1: 7}, {1: 7, 100: 1}, "2023-07-10", [1400, 10645], id="unchanged-row"),
    ],
)
def test_every_run_of_days_with_one_quantity_is_cut_off_by_itself(
    before: dict[int, int], after: dict[int, int], on: str, expected: list[int]
) -> None:
    facts = mysec(before).changed(on, "replacement", packs=after)
    assert [amount for _, amount in amounts(facts, on[:7])] == expected


@pytest.mark.clause("NSEC-14.5a")
def test_several_changes_in_a_month_make_one_run_per_quantity() -> None:
    facts = mysec({1: 5})
    facts.with_packs("2023-07-11", added={10: 1}).with_packs("2023-07-21", added={1: 5})
    assert amounts(facts, "2023-07") == [("LIC1", 645), ("LIC1", 709), ("LIC10", 1219)]


@pytest.mark.clause("NSEC-14.5a", "NSEC-14.4")
def test_a_change_and_an_end_in_one_month_rest_on_both_clauses() -> None:
    facts = mysec({10: 1}).changed("2023-07-11", "replacement", packs={100: 1})
    facts.terminated("2023-07-21")
    first, last = lines(facts, "2023-07")
    assert (first.amount, last.amount) == (580, 4838)
    assert "NSEC-14.5a" in first.clauses
    assert "NSEC-14.4" in last.clauses


@pytest.mark.clause("NSEC-14.5b")
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param("2023-06-20", [3420, 1320], id="june"),
        pytest.param("2023-07-20", [3309, 1393], id="july"),
        pytest.param("2023-06-30", [5220, 120], id="last-day"),
        pytest.param("2023-07-01", [3600], id="first-day"),
    ],
)
def test_the_end_day_of_removed_packs_counts_at_the_new_quantity(
    on: str, expected: list[int]
) -> None:
    facts = mysec({10: 3}).with_packs(on, added={10: -1})
    assert [amount for _, amount in amounts(facts, on[:7])] == expected


@pytest.mark.clause("NSEC-14.6", "NSEC-17.1")
def test_suspension_changes_nothing() -> None:
    suspended = mysec({1: 5}).suspended("2023-06-05", until="2023-07-14").terminated("2023-07-15")
    assert fee(suspended, "2023-06") == 1000
    assert fee(suspended, "2023-07") == 451


@pytest.mark.clause("NSEC-17.1", "NSEC-14.6")
def test_an_outage_gives_no_credit() -> None:
    facts = mysec({1: 1}, service="CAS").outage("2023-06-01T00:00", "2023-06-30T00:00")
    assert amounts(facts, "2023-06") == [("LIC1", 300)]


@pytest.mark.clause("NSEC-A1.N1", "NSEC-A2.N1", "NSEC-14.11")
@pytest.mark.parametrize("service", ["MYSEC", "CAS"])
def test_the_start_month_is_free_whatever_changes_in_it(service: str) -> None:
    facts = mysec({1: 5}, service=service).with_packs("2023-04-20", added={10: 1})
    assert fee(facts, "2023-04") == 0
    assert fee(facts, "2023-05") > 0


@pytest.mark.clause("NSEC-A1.N1")
def test_licences_added_later_are_not_free_in_their_first_month() -> None:
    facts = mysec({10: 1}).with_packs("2023-06-16", added={1: 2})
    assert amounts(facts, "2023-06") == [("LIC1", 200), ("LIC10", 1800)]


@pytest.mark.clause("NSEC-A1.N2", "NSEC-A2.N2", "NSEC-14.11")
@pytest.mark.parametrize(("service", "expected"), [("MYSEC", 1000), ("CAS", 1500)])
@pytest.mark.parametrize("end", ["2023-04-10", "2023-04-25", "2023-04-30"])
def test_cancelled_in_the_start_month_the_whole_fee_is_owed(
    service: str, expected: int, end: str
) -> None:
    (line,) = lines(mysec({1: 5}, service=service).terminated(end), "2023-04")
    assert (line.amount, line.days) == (expected, None)


@pytest.mark.clause("NSEC-A1.N2")
def test_cancelled_on_the_first_of_the_next_month_nothing_is_owed() -> None:
    facts = mysec({1: 5}).terminated("2023-05-01")
    assert fee(facts, "2023-04") == fee(facts, "2023-05") == 0


@pytest.mark.clause("NSEC-A1.N2")
def test_the_whole_fee_is_that_of_the_day_before_the_cancellation() -> None:
    changed = mysec({1: 5}).with_packs("2023-04-25", added={1: 5})
    assert fee(changed.terminated("2023-04-26"), "2023-04") == 2000
    same_day = mysec({1: 5}).with_packs("2023-04-25", added={1: 5})
    assert fee(same_day.terminated("2023-04-25"), "2023-04") == 1000


@pytest.mark.clause("NSEC-20.2")
def test_abolition_prorates_and_leaves_the_start_month_free() -> None:
    abolished = mysec({1: 5}).terminated("2023-07-15", cause="abolition")
    (line,) = lines(abolished, "2023-07")
    assert line.amount == 451
    assert "NSEC-20.2" in line.clauses
    assert fee(mysec({1: 5}).terminated("2023-04-20", cause="abolition"), "2023-04") == 0


@pytest.mark.clause("NSEC-6.4a")
def test_a_revocation_leaves_earlier_months_and_nothing_in_its_own() -> None:
    facts = mysec({1: 5}).revoked("2023-07-15")
    assert fee(facts, "2023-06") == 1000
    assert fee(facts, "2023-07") == 0


@pytest.mark.clause("NSEC-28-2")
def test_an_agreed_price_takes_the_place_of_the_tables() -> None:
    content = {"packs": {1: 5, 10: 1}, "special_prices": {1: 150}}
    facts = Facts("MYSEC", content=content, applied="2023-01-01").started("2023-04-10")
    singles, pack = lines(facts, "2023-05")
    assert (singles.amount, pack.amount) == (750, 1800)
    assert "NSEC-28-2" in singles.clauses
    assert "NSEC-28-2" not in pack.clauses


@pytest.mark.clause("NSEC-14.3", "NSEC-14.5a")
def test_a_row_that_does_not_change_stays_one_line_beside_one_that_does() -> None:
    facts = mysec({1: 5, 10: 1}).with_packs("2023-07-11", added={10: 1})
    assert [(line.amount, line.days) for line in lines(facts, "2023-07")] == [
        (1000, 31),
        (580, 10),
        (2438, 21),
    ]


@pytest.mark.clause("NSEC-S2019-10-01.2", "NSEC-14.10")
@pytest.mark.parametrize(("approved", "rate"), [("2019-09-30", 8), ("2019-10-01", 10)])
def test_what_arises_once_has_the_rate_of_its_day(approved: str, rate: int) -> None:
    facts = Facts("MYSEC", content={"packs": {1: 5}}, applied="2019-09-01").approved(approved)
    (line,) = lines(facts, approved[:7])
    assert (line.amount, line.tax_rate) == (3000, rate)


@pytest.mark.clause("NSEC-14.10", "NSEC-S2019-10-01.2")
@pytest.mark.parametrize(("month", "rate"), [("2019-09", 8), ("2019-10", 10)])
def test_the_rate_is_that_of_the_closing_day(month: str, rate: int) -> None:
    facts = Facts("MYSEC", content={"packs": {1: 5}}, applied="2019-01-10").started("2019-01-20")
    (line,) = lines(facts, month)
    assert line.tax_rate == rate


def test_a_line_shows_its_arithmetic_and_its_events() -> None:
    facts = mysec({10: 2}).terminated("2023-07-15")
    (line,) = lines(facts, "2023-07")
    assert line.arithmetic == "1,800 × 2 × 14/31 = 1,625.8 → 1,625"
    assert facts.facts[-1].event_id in line.events


@pytest.mark.clause("NSEC-A1.N1", "NSEC-A1.N2")
@pytest.mark.parametrize("start", ["2023-04-01", "2023-04-30"])
def test_the_first_and_the_last_day_of_a_month_make_it_the_start_month(start: str) -> None:
    assert fee(mysec({1: 5}, start=start), "2023-04") == 0
    assert fee(mysec({1: 5}, start=start), "2023-05") == 1000
    assert fee(mysec({1: 5}, start=start).terminated("2023-04-30"), "2023-04") == 1000
