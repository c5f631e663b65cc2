"""Periods of whole months by the civil calendar."""

from calendar import monthrange
from datetime import date, timedelta


def last_day_of_months(first_on: date, *, months: int) -> date:
    """The last day of a period of whole months that begins on `first_on`, that day included.

    The day before the corresponding day; where the last month has no corresponding day, its own
    last day.
    """
    year, month = divmod(first_on.year * 12 + first_on.month - 1 + months, 12)
    days = monthrange(year, month + 1)[1]
    if first_on.day > days:
        return date(year, month + 1, days)
    return date(year, month + 1, first_on.day) - timedelta(days=1)
