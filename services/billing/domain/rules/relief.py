"""Disaster relief on a monthly fee: days, a share, or a sum."""

from datetime import date, timedelta
from typing import Literal

from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.words import Prices, Sentence
from services.billing.domain.draft import Draft
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import Relief


class DisasterRelief(Policy):
    """What an operator grants lowers the monthly fee of the month."""

    policy: Literal["disaster-relief"]
    clause: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                "After a disaster the operator may lower the monthly fee by days, by a share or by "
                "a sum, never below zero.",
                self.clause,
            ),
        )


def disaster_relief(draft: Draft, numbers: DisasterRelief) -> None:
    """Lower what is left of the monthly fee after proration and outages, never below zero.

    Relief for days leaves them out of the days of use; of a share, the fee that is left is cut
    off; a sum is taken as it is. Days come first, the others in the order granted.

    Clauses: WUTM-33.1, WUTM-29, WSRV-33a.
    """
    for relief in draft.timeline.reliefs:
        if relief.from_on and relief.to_on:
            _by_days(draft, numbers, relief=relief, first=relief.from_on, last=relief.to_on)
    for relief in draft.timeline.reliefs:
        if relief.from_on is None and draft.contains(relief.on):
            _by_share_or_sum(draft, numbers, relief=relief)


def _by_days(
    draft: Draft, numbers: DisasterRelief, *, relief: Relief, first: date, last: date
) -> None:
    first, last = max(first, draft.month.from_on), min(last, draft.month.to_on)
    days = {first + timedelta(days=each) for each in range((last - first).days + 1)}
    before = sum(each.charged for each in draft.stretches)
    freed = sum(len(each.freed) for each in draft.stretches)
    of = draft.month.whole_days
    lowered = sum(each.recharge(days, of=of) for each in draft.stretches)
    if lowered:
        _line(
            draft,
            numbers,
            relief=relief,
            lowered=lowered,
            left=before - lowered,
            days=sum(len(each.freed) for each in draft.stretches) - freed,
        )


def _by_share_or_sum(draft: Draft, numbers: DisasterRelief, *, relief: Relief) -> None:
    before = sum(each.charged for each in draft.stretches)
    if relief.percent is not None:
        left = before * (100 - relief.percent) // 100
    else:
        left = max(before - (relief.amount or 0), 0)
    if before > left:
        _take(draft, before - left)
        _line(draft, numbers, relief=relief, lowered=before - left, left=left, days=None)


def _take(draft: Draft, yen: int) -> None:
    for stretch in draft.stretches:
        part = min(stretch.charged, yen)
        stretch.charged -= part
        yen -= part


def _line(
    draft: Draft,
    numbers: DisasterRelief,
    *,
    relief: Relief,
    lowered: int,
    left: int,
    days: int | None,
) -> None:
    code = f"{draft.terms.service}-RELIEF"
    draft.add(
        code,
        key=f"{code}:{relief.event}:{draft.month.from_on}",
        clauses=numbers.clause,
        amount=-lowered,
        arithmetic=f"{left:,} - {left + lowered:,} = -{lowered:,}",
        from_on=draft.month.from_on,
        to_on=draft.month.to_on,
        days=days,
        tax_rate=draft.tax_rate(draft.stretches[-1].to_on),
        events=(relief.event,),
    )
