"""Periods counted from a first day: months and years by the civil calendar."""

from calendar import monthrange
from datetime import date, timedelta

from libs.dates.months import last_day_of_months
from libs.events.vocabulary.contracts import Content
from services.contracts.domain.terms import Insurance, MaximumPeriod

_DAY = timedelta(days=1)


def first_of_next_month(on: date) -> date:
    """The 1st of the calendar month after that of a day."""
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def months_later(on: date, *, months: int) -> date:
    """The same day of the month, that many months later; the month's last where it has none.

    Clauses: RRNS-10.1.S1 (from one month's end to the next).
    """
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def month_end(on: date) -> date:
    """The last day of the calendar month of a day."""
    return first_of_next_month(on) - _DAY


def following_months(on: date, *, months: int) -> tuple[date, date]:
    """First and last day of so many calendar months after that of a day.

    Clauses: NSEC-A3.N5, RRNS-10.3.S1.
    """
    from_on = first_of_next_month(on)
    return from_on, last_day_of_months(from_on, months=months)


def maximum_period_last_day(started_on: date, *, device: str, terms: MaximumPeriod) -> date:
    """The last day on which a contract may run that was begun with `device`.

    Counts from the first day of use, that day included. What replaces the device restarts
    nothing, and neither suspension nor interruption makes it longer.

    Clauses: WUTM-8.1, WUTM-A3, WUTM-A3.1, WUTM-A3.2, WUTM-A3.3, WUTM-A3.4, WUTM-A3.5, WSRV-8a,
    WSRV-A3.
    """
    return last_day_of_months(started_on, months=12 * terms.years[device])


def suspension_limit(from_on: date, *, longest_months: int) -> date:
    """The first day on which a suspension begun on `from_on` may no longer hold.

    Clauses: WUTM-18.1, WSRV-18.1.0 (at most six months, to the day before the corresponding day).
    """
    return last_day_of_months(from_on, months=longest_months) + _DAY


def insurance_period(
    first_used_on: date, *, ordered: Content, ended_on: date | None, terms: Insurance | None
) -> tuple[date, date] | None:
    """First and last day of the telework insurance of a contract; None where none is granted.

    For licences ordered with the application, in small packs, fewer than the limit together,
    first used in the window, with their devices' addresses registered: the months of the terms
    from the first of the month after first use, ended early with the day before the contract's end. `ended_on`
    is the contract's termination date. Packs count by the licences they hold. Free of charge.

    Clauses: NSEC-S2021-04-01.2, NSEC-S2021-04-01.2.1, NSEC-S2021-04-01.2.2, NSEC-S2021-04-01.2.3,
    NSEC-S2021-04-01.2.4, NSEC-S2021-04-01.2.5, NSEC-S2022-08-01.2, NSEC-S2022-08-01.2.1,
    NSEC-S2022-08-01.2.2, NSEC-S2022-08-01.2.3, NSEC-S2022-08-01.2.4, NSEC-S2022-08-01.2.5.
    """
    if terms is None or not ordered.mac_registered:
        return None
    if not terms.first_used_from <= first_used_on <= terms.first_used_to:
        return None
    if sum(size * count for size, count in ordered.packs.items()) >= terms.below_licences:
        return None
    if not any(count for size, count in ordered.packs.items() if size in terms.pack_sizes):
        return None
    from_on, to_on = following_months(first_used_on, months=terms.months)
    if ended_on is not None:
        to_on = min(to_on, ended_on - _DAY)
    return (from_on, to_on) if from_on <= to_on else None
