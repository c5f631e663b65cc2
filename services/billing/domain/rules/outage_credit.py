"""The days of use that an outage takes out of a monthly fee, in full units of hours."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from libs.dates.japan import japan_date, japan_instant
from libs.terms.clause import Clauses
from libs.terms.numbers import Hours
from libs.terms.words import Prices, Sentence, count
from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.draft import Draft, last_used_on, lowered
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import Outage, Suspension, Timeline

Interval = tuple[datetime, datetime]


class OutageCredit(Policy):
    """Full units of hours without a break, or of one incident by gross negligence.

    A unit frees the calendar day in which it begins, so it is no shorter than a day.
    """

    policy: Literal["outage-credit"]
    unit_hours: Annotated[Hours, Field(ge=24)]
    unbroken: Clauses
    gross: Clauses
    days_left: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                f"Every full {count(self.unit_hours, 'hour')} without a break in which the service "
                "could not be used at all, counted from when the operator knew, free a day of the "
                "fee.",
                self.unbroken,
            ),
            Sentence(
                "By gross negligence of the operator, the hours of one incident add up to such "
                "units.",
                self.gross,
            ),
            Sentence(
                "The credit is the fee charged less the fee for the days of use that are left.",
                self.days_left,
            ),
        )


def outage_credit(draft: Draft, numbers: OutageCredit) -> None:
    """Credit the freed days of the month: the fee charged less the fee for the days of use left.

    One line a month; each stretch of days with one price is computed by itself. No claim by the
    customer is needed, and the line is no damages: causes outside the company free days as well.

    Clauses: WUTM-25.2.2, WUTM-28.2.4, WUTM-28.3.2, WUTM-29.
    """
    if not draft.timeline.outages or not draft.stretches:
        return
    credited = credited_days(draft.timeline, unit=timedelta(hours=numbers.unit_hours))
    freed = {on: outage for on, outage in credited if draft.contains(on)}
    counted = [
        on
        for on in sorted(freed)
        if any(each.yen and each.from_on <= on <= each.to_on for each in draft.stretches)
    ]
    if not counted:
        return
    before = sum(each.charged for each in draft.stretches)
    of = draft.month.whole_days
    credit = sum(each.recharge(set(counted), of=of) for each in draft.stretches)
    gross = {freed[on].fault == "provider_gross" for on in counted}
    rows = (
        *(numbers.unbroken if False in gross else ()),
        *(numbers.gross if True in gross else ()),
    )
    draft.add(
        f"{draft.terms.service}-OUTAGE",
        key=f"{draft.terms.service}-OUTAGE:{draft.month.from_on}",
        clauses=(*rows, *numbers.days_left),
        amount=-credit,
        arithmetic=lowered(draft.stretches, before=before, by=credit, of=of),
        from_on=counted[0],
        to_on=counted[-1],
        days=len(counted),
        tax_rate=draft.tax_rate(draft.stretches[-1].to_on),
        events=tuple(dict.fromkeys(freed[on].event for on in counted)),
    )


def credited_days(timeline: Timeline, *, unit: timedelta) -> Iterator[tuple[date, Outage]]:
    """Give every day that an outage frees, and the outage, gross negligence first.

    Time counts from when the company knew. It must be total, not the customer's fault, inside the
    charged period and outside suspensions. By gross negligence the hours of one incident add up;
    else every stretch without a break counts its own units. A `unit` of hours is the calendar
    day in which it begins.

    Clauses: WUTM-25.2.2, WUTM-25.2.2.T1, WUTM-25.2.2.T2, WUTM-28.3.2, WUTM-36.11, WUTM-36.12.
    """
    counting = [each for each in timeline.outages if each.complete and each.fault != "customer"]
    gross = [each for each in counting if each.fault == "provider_gross"]
    seen: set[date] = set()
    for on, outage in _gross_units(gross, timeline=timeline, unit=unit):
        seen.add(on)
        yield on, outage
    for on, outage in _unbroken_units(
        [each for each in counting if each.fault != "provider_gross"],
        timeline=timeline,
        unit=unit,
    ):
        if on not in seen:
            seen.add(on)
            yield on, outage


def _gross_units(
    outages: Sequence[Outage], *, timeline: Timeline, unit: timedelta
) -> Iterator[tuple[date, Outage]]:
    incidents: dict[str, list[Outage]] = {}
    for outage in outages:
        incidents.setdefault(outage.incident or str(outage.event), []).append(outage)
    for stretches in incidents.values():
        intervals = _joined(
            part for each in stretches for part in _countable(each, timeline=timeline)
        )
        for on in _days_of_units(intervals, unit=unit):
            yield on, stretches[0]


def _unbroken_units(
    outages: Sequence[Outage], *, timeline: Timeline, unit: timedelta
) -> Iterator[tuple[date, Outage]]:
    intervals = _joined(part for each in outages for part in _countable(each, timeline=timeline))
    for interval in intervals:
        source = next(each for each in outages if each.to_at > interval[0])
        for on in _days_of_units([interval], unit=unit):
            yield on, source


def _days_of_units(intervals: Iterable[Interval], *, unit: timedelta) -> Iterator[date]:
    """Give the day on which each full unit begins, over intervals taken as one run of hours."""
    gathered = timedelta(0)
    begun: datetime | None = None
    for from_at, to_at in intervals:
        at = from_at
        while at < to_at:
            begun = begun or at
            step = min(unit - gathered, to_at - at)
            gathered += step
            at += step
            if gathered == unit:
                yield japan_date(begun)
                gathered, begun = timedelta(0), None


def _countable(outage: Outage, *, timeline: Timeline) -> Iterator[Interval]:
    """Give the known, charged, unsuspended parts of an outage."""
    from_at, to_at = max(outage.from_at, outage.known_at), outage.to_at
    if timeline.started is None:
        return
    from_at = max(from_at, japan_instant(timeline.started.on))
    last = last_used_on(timeline)
    if last is not None:
        to_at = min(to_at, japan_instant(last + ONE_DAY))
    yield from _outside(timeline.suspensions, from_at=from_at, to_at=to_at)


def _outside(
    suspensions: Iterable[Suspension], *, from_at: datetime, to_at: datetime
) -> Iterator[Interval]:
    for suspension in suspensions:
        begins = japan_instant(suspension.from_on)
        if begins >= to_at:
            break
        if begins > from_at:
            yield from_at, begins
        if suspension.until_on is None:
            return
        from_at = max(from_at, japan_instant(suspension.until_on))
    if from_at < to_at:
        yield from_at, to_at


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Join what overlaps or touches: the state lasted without a break."""
    found: list[Interval] = []
    for from_at, to_at in sorted(intervals):
        if found and from_at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], to_at))
        else:
            found.append((from_at, to_at))
    return found
