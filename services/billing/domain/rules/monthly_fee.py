"""A flat monthly fee by days of use, cut off for every stretch of days with one price."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Flag
from libs.terms.words import Prices, Sentence, in_yen, plain
from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.draft import Draft, Stretch, events_of, last_used_on, prorated, times
from services.billing.domain.rules.policy import Policy


class DailyFeeClauses(BaseModel):
    """Which clause a stretch rests on; `part` stands on every prorated line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whole: Clauses
    part: Clauses
    from_start: Clauses
    to_end: Clauses
    one_day: Clauses
    change: Clauses
    stub: Clauses
    licensed: Clauses = ()


class DailyFee(Policy):
    """A fee for every billing month, by days where it does not count whole."""

    policy: Literal["monthly-fee-by-days"]
    price: str
    licensed_free: Flag = False
    clauses: DailyFeeClauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The fee."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        clauses = self.clauses
        sentences = (
            Sentence(
                f"A whole billing month costs {in_yen(prices[self.price])} "
                f"(price “{plain(self.price)}”).",
                clauses.whole,
            ),
            Sentence(
                "A part of a billing month costs the fee by its days of use over the calendar "
                "days of the month, cut to whole yen.",
                clauses.part,
            ),
            Sentence("Days of use begin with the day of the start.", clauses.from_start),
            Sentence("They end with the day before the contract ends.", clauses.to_end),
            Sentence(
                "A contract that starts and ends on one day has one day of use.", clauses.one_day
            ),
            Sentence(
                "Where the fee changes inside a month, each part is computed by its days.",
                clauses.change,
            ),
            Sentence(
                "Where the first day of the billing month is moved, the short month between costs "
                "its days.",
                clauses.stub,
            ),
        )
        if not self.licensed_free:
            return sentences
        return (
            *sentences,
            Sentence("With a licensed device the fee is not charged.", clauses.licensed),
        )


def monthly_fee_by_days(draft: Draft, numbers: DailyFee) -> None:
    """Charge the days from the start to the day before the end, that day itself if it is one day.

    A whole billing month costs the fee, a part of it fee x days / calendar days of the billing
    month. Where discount, licensed device or price change inside the month, every stretch of days
    with one price is cut off by itself. Days of suspension count. A stub costs its days over those
    of the month it was cut from. The tax rate is that of the month's last day, or of the last day
    of service where that is earlier.

    Clauses: WUTM-25.1, WUTM-25.2.1, WUTM-28.1.1, WUTM-28.1.2, WUTM-28.2, WUTM-28.2.1,
        WUTM-28.2.2, WUTM-28.2.3, WUTM-28.2.5, WUTM-28.3.1, WUTM-28.4, WUTM-2.1.1, WUTM-32.1,
        WUTM-A4.1, WUTM-A4.1.N, WSRV-25.1a, WSRV-25.1b, WSRV-25.1c, WSRV-25.1d, WSRV-25.1e,
        WSRV-28.1a, WSRV-28.2.1, WSRV-28.2.2, WSRV-28.2.3, WSRV-28.2.4, WSRV-28.3, WSRV-28.1b, WSRV-28.4, WSRV-32a.
    """
    started = draft.timeline.started
    month = draft.month
    if started is None or started.on > month.to_on:
        return
    first = max(started.on, month.from_on)
    used = last_used_on(draft.timeline)
    last = month.to_on if used is None or used > month.to_on else used
    if last < first:
        return
    tax_rate = draft.tax_rate(last)
    starts = _price_starts(draft, numbers, first=first, last=last)
    for index, (from_on, yen) in enumerate(starts):
        to_on = starts[index + 1][0] - ONE_DAY if index + 1 < len(starts) else last
        _stretch(draft, numbers, from_on=from_on, to_on=to_on, yen=yen, tax_rate=tax_rate)


def _price_starts(
    draft: Draft, numbers: DailyFee, *, first: date, last: date
) -> list[tuple[date, int]]:
    """Give the days on which a price begins, with it; days between have the price before them."""
    days = {first}
    days.update(each.from_on for each in draft.timeline.contents if first < each.from_on <= last)
    days.update(draft.terms.changes(first, last))
    found: list[tuple[date, int]] = []
    for on in sorted(days):
        yen = _price_on(draft, numbers, on=on)
        if not found or found[-1][1] != yen:
            found.append((on, yen))
    return found


def _price_on(draft: Draft, numbers: DailyFee, *, on: date) -> int:
    content = draft.timeline.content_on(on)
    if content.licensed and numbers.licensed_free:
        return 0
    yen = draft.price(numbers.price, on=on).yen if content.fee is None else content.fee
    return max(yen - content.discount, 0)


def _stretch(
    draft: Draft, numbers: DailyFee, *, from_on: date, to_on: date, yen: int, tax_rate: int
) -> None:
    month = draft.month
    days = (to_on - from_on).days + 1
    whole = days == month.whole_days
    amount, arithmetic = (
        (yen, times(yen, 1)) if whole else prorated(yen, days=days, of=month.whole_days)
    )
    draft.stretches.append(Stretch(from_on=from_on, to_on=to_on, yen=yen, charged=amount))
    if not amount:
        return
    end = draft.end if to_on < month.to_on else None
    started = draft.timeline.started
    price = draft.price(numbers.price, on=from_on)
    draft.add(
        f"{draft.terms.service}-MONTHLY",
        clauses=(*_clauses(draft, numbers, from_on=from_on, to_on=to_on), *price.clause),
        amount=amount,
        arithmetic=arithmetic,
        from_on=from_on,
        to_on=to_on,
        days=days,
        tax_rate=tax_rate,
        events=events_of(
            draft.timeline.content_on(from_on),
            started.event if started else None,
            end.event if end else None,
        ),
    )


def _clauses(draft: Draft, numbers: DailyFee, *, from_on: date, to_on: date) -> tuple[str, ...]:
    """Cite the case: whole, stub, from the start, to the end, one day, or a change of price."""
    clauses = numbers.clauses
    month = draft.month
    if (to_on - from_on).days + 1 == month.whole_days:
        return clauses.whole
    if from_on == month.from_on and to_on == month.to_on:
        return clauses.stub
    cited = (*clauses.stub, *clauses.part) if month.stub else clauses.part
    started, end = draft.timeline.started, draft.end
    at_start = started is not None and from_on == started.on
    at_end = end is not None and to_on in {end.on, end.on - ONE_DAY}
    if at_start and at_end and from_on == to_on == month.from_on:
        return (*cited, *clauses.one_day)
    if at_start and from_on > month.from_on:
        cited = (*cited, *clauses.from_start)
    if at_end and to_on < month.to_on:
        cited = (*cited, *clauses.to_end)
    begins_inside = from_on > month.from_on and not at_start
    ends_inside = to_on < month.to_on and not at_end
    return (*cited, *clauses.change) if begins_inside or ends_inside else cited
