"""Business days of Japan: which weekdays count, public holidays, and the days around New Year."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import holidays

Week = Literal["monday-friday", "monday-saturday"]

_WORKDAYS: dict[Week, int] = {"monday-friday": 5, "monday-saturday": 6}
_ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year))


def is_business_day(on: date, *, week: Week) -> bool:
    """Tell whether a day is a business day.

    Public holidays, substitute holidays included, and 29 December to 4 January are none.

    Clauses: WUTM-A1.2.2, WUTM-A2.2, WSRV-A1.2.1, WSRV-A1.2.2.
    """
    if on.weekday() >= _WORKDAYS[week]:
        return False
    if (on.month, on.day) >= (12, 29) or (on.month, on.day) <= (1, 4):
        return False
    return on not in _holidays(on.year)


def business_days_after(on: date, count: int, *, week: Week) -> date:
    """Give the `count`-th business day after a day, which itself does not count; 0 is that day."""
    while count > 0:
        on += _ONE_DAY
        count -= is_business_day(on, week=week)
    return on


def business_days_before(on: date, count: int, *, week: Week) -> date:
    """Give the `count`-th business day before a day, which itself does not count; 0 is that day."""
    while count > 0:
        on -= _ONE_DAY
        count -= is_business_day(on, week=week)
    return on
