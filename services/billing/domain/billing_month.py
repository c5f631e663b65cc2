"""Billing months: spans of a contract's cycle, with the stub where its start day moves."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from services.billing.domain.timeline import CycleStart, Timeline

ONE_DAY = timedelta(days=1)


class BillingMonth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A billing month: `name` as invoices show it, both days included.

    `whole_days` is the length of the month it was cut from, its own length where it is whole.
    """

    name: str
    from_on: date
    to_on: date
    whole_days: int

    @property
    def days(self) -> int:
        """Its length in calendar days."""
        return (self.to_on - self.from_on).days + 1

    @property
    def stub(self) -> bool:
        """Whether a change of the start day cut it short."""
        return self.days < self.whole_days


def billing_month_of(timeline: Timeline, on: date) -> BillingMonth:
    """Give the billing month that contains a day.

    It runs from the contract's start day to the day before the next one. Where the start day
    moves, the running month ends the day before the new cycle. A month is named after its first
    day, by the whole of it where a month before begins in the same calendar month.

    Clauses: WUTM-28.1.1, WUTM-28.4, WSRV-28.1a, WSRV-28.4, NQMS-20.1a, NSEC-14.3.
    """
    cycle, following = _cycle(timeline, on)
    day = cycle.day if cycle else 1
    from_on = on.replace(day=day) if on.day >= day else _month_before(on, day)
    next_on = _month_after(from_on, day)
    to_on = (following.from_on if following and following.from_on < next_on else next_on) - ONE_DAY
    name = from_on.isoformat()[:7]
    if cycle and from_on == cycle.from_on and cycle is not timeline.cycles[0]:
        before = billing_month_of(timeline, from_on - ONE_DAY)
        if before.name[:7] == name:
            name = from_on.isoformat()
    return BillingMonth(
        name=name, from_on=from_on, to_on=to_on, whole_days=(next_on - from_on).days
    )


def month_after(timeline: Timeline, month: BillingMonth) -> BillingMonth:
    """Give the billing month that follows."""
    return billing_month_of(timeline, month.to_on + ONE_DAY)


def billing_months_until(timeline: Timeline, *, until: date) -> Iterator[BillingMonth]:
    """Give every billing month whose first day is on or before `until`, from the first fact on.

    A timeline without a dated fact has none.
    """
    first = _first_day(timeline)
    if first is None:
        return
    month = billing_month_of(timeline, first)
    while month.from_on <= until:
        yield month
        month = month_after(timeline, month)


def _first_day(timeline: Timeline) -> date | None:
    moments = (timeline.applied, timeline.approved, timeline.accepted, timeline.started)
    days = [moment.on for moment in moments if moment]
    days.extend(item.on for item in timeline.items)
    return min(days, default=None)


def _cycle(timeline: Timeline, on: date) -> tuple[CycleStart | None, CycleStart | None]:
    found: CycleStart | None = None
    for cycle in timeline.cycles:
        if cycle.from_on > on and found is not None:
            return found, cycle
        if found is None or cycle.from_on <= on:
            found = cycle
    return found, None


def _month_after(on: date, day: int) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, day)


def _month_before(on: date, day: int) -> date:
    return date(on.year - (on.month == 1), (on.month - 2) % 12 + 1, day)
