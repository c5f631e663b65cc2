"""Business days of Japan."""

from datetime import date

import pytest

from libs.dates.business_days import (
    Week,
    business_days_after,
    is_business_day,
)


@pytest.mark.clause("WUTM-A1.2.2", "WUTM-A2.2", "WSRV-A1.2.1", "WSRV-A1.2.2")
@pytest.mark.parametrize(
    ("on", "five", "six"),
    [
        pytest.param("2025-06-06", True, True, id="friday"),
        pytest.param("2025-06-07", False, True, id="saturday"),
        pytest.param("2025-06-08", False, False, id="sunday"),
        pytest.param("2025-05-05", False, False, id="holiday"),
        pytest.param("2025-05-06", False, False, id="substitute-holiday"),
        pytest.param("2024-12-28", False, True, id="saturday-before-new-year"),
        pytest.param("2025-12-29", False, False, id="first-closed-day"),
        pytest.param("2024-01-04", False, False, id="last-closed-day"),
        pytest.param("2024-01-05", True, True, id="first-open-day"),
    ],
)
def test_which_days_are_business_days(on: str, *, five: bool, six: bool) -> None:
    day = date.fromisoformat(on)
    assert is_business_day(day, week="monday-friday") == five
    assert is_business_day(day, week="monday-saturday") == six


@pytest.mark.parametrize(
    ("week", "after"), [("monday-friday", "2025-05-12"), ("monday-saturday", "2025-05-10")]
)
def test_counting_skips_closed_days(week: Week, after: str) -> None:
    friday = date(2025, 5, 2)
    expected = date.fromisoformat(after)
    count = 4
    assert business_days_after(friday, count, week=week) == expected
    assert business_days_after(friday, 0, week=week) == friday
