"""Periods: the longest contract, the longest suspension, the insurance."""

from datetime import date

import pytest

from libs.dates.months import last_day_of_months
from libs.events.vocabulary.contracts import Content
from services.contracts.domain.periods import (
    insurance_period,
    maximum_period_last_day,
    suspension_limit,
)

from .builders import mysec, wutm


@pytest.mark.clause("WUTM-8.1")
@pytest.mark.clause("WUTM-A3")
@pytest.mark.parametrize(
    ("device", "started_on", "last_on"),
    [
        pytest.param(
            "SSB5",
            date(2024, 1, 25),
            date(2031, 1, 24),
            marks=pytest.mark.clause("WUTM-A3.1"),
            id="SSB5",
        ),
        pytest.param(
            "SSB10",
            date(2019, 7, 1),
            date(2024, 6, 30),
            marks=pytest.mark.clause("WUTM-A3.2"),
            id="SSB10",
        ),
        pytest.param(
            "SSB30",
            date(2024, 2, 29),
            date(2029, 2, 28),
            marks=pytest.mark.clause("WUTM-A3.3"),
            id="SSB30 from the leap day",
        ),
        pytest.param(
            "SSB Standard",
            date(2024, 1, 1),
            date(2030, 12, 31),
            marks=pytest.mark.clause("WUTM-A3.4"),
            id="SSB Standard",
        ),
        pytest.param(
            "SSB Professional",
            date(2021, 3, 1),
            date(2028, 2, 29),
            marks=pytest.mark.clause("WUTM-A3.5"),
            id="SSB Professional to the leap day",
        ),
    ],
)
def test_the_longest_contract_goes_by_its_device(
    device: str, started_on: date, last_on: date
) -> None:
    rules = wutm(started_on).maximum_period
    assert rules is not None
    assert maximum_period_last_day(started_on, device=device, terms=rules) == last_on


@pytest.mark.clause("WUTM-18.1")
@pytest.mark.parametrize(
    ("from_on", "limit"),
    [
        (date(2024, 5, 1), date(2024, 11, 1)),
        (date(2024, 8, 31), date(2025, 3, 1)),
        (date(2023, 8, 31), date(2024, 3, 1)),
        (date(2024, 8, 29), date(2025, 3, 1)),
        (date(2024, 8, 28), date(2025, 2, 28)),
    ],
)
def test_six_months_end_before_the_corresponding_day(from_on: date, limit: date) -> None:
    assert suspension_limit(from_on, longest_months=6) == limit


def test_a_month_that_lacks_the_day_ends_with_its_own_last_day() -> None:
    assert last_day_of_months(date(2023, 1, 31), months=1) == date(2023, 2, 28)
    assert last_day_of_months(date(2023, 1, 1), months=1) == date(2023, 1, 31)


SMALL = Content(packs={100: 9, 10: 9, 1: 9}, mac_registered=True)


@pytest.mark.parametrize(
    ("first_used_on", "expected"),
    [
        pytest.param(
            date(2021, 3, 31),
            None,
            marks=pytest.mark.clause("NSEC-S2021-04-01.2.4"),
            id="a day before the first window",
        ),
        pytest.param(
            date(2021, 4, 1),
            (date(2021, 5, 1), date(2022, 4, 30)),
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2"),
                pytest.mark.clause("NSEC-S2021-04-01.2.4"),
            ],
            id="the first day",
        ),
        pytest.param(
            date(2022, 4, 30),
            (date(2022, 5, 1), date(2023, 4, 30)),
            marks=pytest.mark.clause("NSEC-S2021-04-01.2.4"),
            id="the last day",
        ),
        pytest.param(date(2022, 5, 1), None, id="between the windows"),
        pytest.param(date(2022, 7, 31), None, id="a day before the second window"),
        pytest.param(
            date(2022, 8, 1),
            (date(2022, 9, 1), date(2023, 8, 31)),
            marks=[
                pytest.mark.clause("NSEC-S2022-08-01.2"),
                pytest.mark.clause("NSEC-S2022-08-01.2.4"),
            ],
            id="the second window",
        ),
        pytest.param(
            date(2022, 12, 5),
            (date(2023, 1, 1), date(2023, 12, 31)),
            id="over the year's end",
        ),
        pytest.param(
            date(2023, 8, 31), (date(2023, 9, 1), date(2024, 8, 31)), id="the last day of all"
        ),
        pytest.param(
            date(2023, 9, 1),
            None,
            marks=pytest.mark.clause("NSEC-S2022-08-01.2.4"),
            id="a day after",
        ),
    ],
)
def test_the_insurance_goes_by_the_day_of_first_use(
    first_used_on: date, expected: tuple[date, date] | None
) -> None:
    found = insurance_period(
        first_used_on, ordered=SMALL, ended_on=None, terms=mysec(first_used_on).insurance
    )
    assert found == expected


@pytest.mark.parametrize(
    ("ordered", "granted"),
    [
        pytest.param(
            SMALL,
            True,
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2.3"),
                pytest.mark.clause("NSEC-S2022-08-01.2.3"),
            ],
            id="999 licences",
        ),
        pytest.param(
            Content(packs={100: 10}, mac_registered=True),
            False,
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2.3"),
                pytest.mark.clause("NSEC-S2022-08-01.2.3"),
            ],
            id="1000 licences",
        ),
        pytest.param(
            Content(packs={1000: 1}, mac_registered=True),
            False,
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2.2"),
                pytest.mark.clause("NSEC-S2022-08-01.2.2"),
            ],
            id="a pack of 1000",
        ),
        pytest.param(
            Content(packs={1: 5}),
            False,
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2.5"),
                pytest.mark.clause("NSEC-S2022-08-01.2.5"),
            ],
            id="no address registered",
        ),
        pytest.param(
            Content(mac_registered=True),
            False,
            marks=[
                pytest.mark.clause("NSEC-S2021-04-01.2.1"),
                pytest.mark.clause("NSEC-S2022-08-01.2.1"),
            ],
            id="nothing ordered with the application",
        ),
    ],
)
@pytest.mark.parametrize("on", [date(2021, 6, 1), date(2022, 8, 1)])
def test_the_insurance_goes_by_what_was_ordered_with_the_application(
    on: date, ordered: Content, *, granted: bool
) -> None:
    found = insurance_period(on, ordered=ordered, ended_on=None, terms=mysec(on).insurance)
    assert (found is not None) == granted


@pytest.mark.clause("NSEC-S2021-04-01.2")
@pytest.mark.parametrize(
    ("ended_on", "expected"),
    [
        pytest.param(date(2021, 5, 1), None, id="before it begins"),
        pytest.param(date(2021, 5, 2), (date(2021, 5, 1), date(2021, 5, 1)), id="after a day"),
        pytest.param(date(2023, 1, 1), (date(2021, 5, 1), date(2022, 4, 30)), id="after it"),
    ],
)
def test_the_insurance_ends_with_the_contract(
    ended_on: date, expected: tuple[date, date] | None
) -> None:
    terms = mysec(date(2021, 4, 1)).insurance
    found = insurance_period(date(2021, 4, 1), ordered=SMALL, ended_on=ended_on, terms=terms)
    assert found == expected


@pytest.mark.clause("NSEC-S2021-04-01.2")
def test_the_insurance_lasts_the_months_of_the_terms() -> None:
    on = date(2021, 4, 1)
    terms = mysec(on).insurance
    assert terms is not None
    assert terms.months == 12
    shorter = terms.model_copy(update={"months": 6})
    found = insurance_period(on, ordered=SMALL, ended_on=None, terms=shorter)
    assert found == (date(2021, 5, 1), date(2021, 10, 31))
