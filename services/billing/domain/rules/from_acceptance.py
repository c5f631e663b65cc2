"""Fees on orders: owed from the acceptance of the work on, whole months, each line with its due date."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Metres, Minutes, MonthsOrNone
from libs.terms.words import Prices, Sentence, capital, count, listed, plain
from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.draft import Draft, times
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import End, OptionSpan

_CAUSES = {
    "customer": "the customer",
    "provider": "the operator",
    "abolition": "abolition of the service",
    "antisocial-by-operator": "the operator over antisocial relations of the customer",
    "antisocial-by-customer": "the customer over antisocial relations of the operator",
}
_PLANS = {"default": "any other plan"}


class OrderFees(Policy):
    """Initial fees in the month of acceptance, monthly fees from the next month on.

    `months_after_end` says, by cause of the end, how many months after that of the end are still
    charged; a cause that it does not name charges none.
    """

    policy: Literal["order-fees-from-acceptance"]
    months_after_end: dict[str, MonthsOrNone]
    initial: Clauses
    monthly: Clauses
    tax: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        ends = listed(
            f"{count(months, 'month') if months else 'no month'} after an end by {_CAUSES.get(cause, plain(cause))}"
            for cause, months in self.months_after_end.items()
        )
        return (
            Sentence(
                "The initial fee of an order is owed in the month in which its work is accepted.",
                self.initial,
            ),
            Sentence(
                "The monthly fee of an order is owed whole from the month after its acceptance to "
                f"the month of the end; it goes on for {ends}.",
                self.monthly,
            ),
            Sentence("The tax rate is that of the day on which a fee falls due.", self.tax),
        )


class OrderCost(BaseModel):
    """A cost on an order's invoice: its line code and clause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    clause: Clauses


class OrderCosts(Policy):
    """Costs by kind, due with the other charges of their month."""

    policy: Literal["order-costs"]
    kinds: dict[str, OrderCost]
    tax: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        named = (
            Sentence(
                f"{capital(plain(name))}: passed on at what it cost, due with the other charges "
                f"of its month (line {kind.code}).",
                kind.clause,
            )
            for name, kind in self.kinds.items()
        )
        return (
            *named,
            Sentence("Consumption tax of the due date is added to these costs.", self.tax),
        )


class VisitSurcharge(Policy):
    """A surcharge for far places, both limits reached, and for outlying islands."""

    policy: Literal["visit-surcharge"]
    metres: Metres
    minutes: Minutes
    clause: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                f"A visit to a place at least {self.metres / 1000:g} km away that also takes at "
                f"least {count(self.minutes, 'minute')}, or to an outlying island, bears a "
                "surcharge, once a visit.",
                self.clause,
            ),
        )


class OverdueDevice(Policy):
    """The price of a broken device that did not come back in its return period, untaxed."""

    policy: Literal["overdue-device"]
    clauses: dict[str, Clauses]

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return tuple(
            Sentence(
                f"The price of a broken device of {_PLANS.get(plan, f'the {plan} plan')} that is "
                "not back in its return period is charged, without consumption tax.",
                clauses,
            )
            for plan, clauses in self.clauses.items()
        )


def order_fees(draft: Draft, numbers: OrderFees) -> None:
    """Charge what the order names: initial fees once, monthly fees for whole months.

    An initial fee falls due at the end of the month of its acceptance. Monthly fees run from the
    month after acceptance to the month of the end, or as many more as the cause of the end says,
    through suspensions. A changed fee holds from the month after its own acceptance. Every line has
    the tax rate of its due date, also where a ground lets it fall due before.

    Clauses: RRNS-34.2, RRNS-34.3.S1, RRNS-34.3.S2, RRNS-34.3.S3, RRNS-34.5, RRNS-35.S2, RRNS-9,
        RRNS-13.3, RRNS-3.D5, RRNS-11.3.
    """
    timeline = draft.timeline
    if timeline.accepted is None:
        return
    code = f"{draft.terms.service}-"
    if draft.contains(timeline.accepted.on):
        yen, event = timeline.initial_fee or 0, timeline.accepted.event
        _initial(draft, numbers, code=f"{code}INIT", yen=yen, on=timeline.accepted.on, event=event)
    for item in draft.items("change_accepted"):
        _initial(draft, numbers, code=f"{code}INIT", yen=item.amount, on=item.on, event=item.event)
    content = timeline.content_on(draft.month.from_on - ONE_DAY)
    if timeline.accepted.on < draft.month.from_on and _runs(draft, numbers, end=draft.end):
        fee, source = content.fee or 0, content.events[-1]
        _monthly(draft, numbers, code=f"{code}MONTHLY", yen=fee, event=source)
    for option in timeline.options:
        _option(draft, numbers, option=option)


def _option(draft: Draft, numbers: OrderFees, *, option: OptionSpan) -> None:
    service = draft.terms.service
    if draft.contains(option.from_on):
        code = f"{service}-INIT:{option.option}"
        yen, on = option.initial_fee or 0, option.from_on
        _initial(draft, numbers, code=code, yen=yen, on=on, event=option.event)
    runs_itself = option.until_on is None or option.until_on >= draft.month.from_on
    if (
        option.from_on < draft.month.from_on
        and runs_itself
        and _runs(draft, numbers, end=draft.end)
    ):
        code = f"{service}-MONTHLY:{option.option}"
        _monthly(draft, numbers, code=code, yen=option.fee or 0, event=option.event)


def _runs(draft: Draft, numbers: OrderFees, *, end: End | None) -> bool:
    """Tell whether the month is not after the last one charged."""
    if end is None:
        return True
    after = numbers.months_after_end.get(
        f"{end.cause}-by-{end.by}", numbers.months_after_end.get(end.cause, 0)
    )
    month = draft.month.from_on
    return (month.year - end.on.year) * 12 + month.month - end.on.month <= after


def _initial(
    draft: Draft, numbers: OrderFees, *, code: str, yen: int, on: date, event: UUID
) -> None:
    due_on = draft.month.to_on
    draft.add(
        code,
        key=f"{code}:{event}",
        clauses=(*numbers.initial, *numbers.tax),
        amount=yen,
        arithmetic=times(yen, 1),
        from_on=on,
        to_on=on,
        tax_rate=draft.tax_rate(due_on),
        events=(event,),
        due_on=due_on,
    )


def _monthly(draft: Draft, numbers: OrderFees, *, code: str, yen: int, event: UUID) -> None:
    month = draft.month
    due_on = draft.timeline.due_on(month.name) or month.to_on
    draft.add(
        code,
        clauses=(*numbers.monthly, *numbers.tax),
        amount=yen,
        arithmetic=times(yen, 1),
        from_on=month.from_on,
        to_on=month.to_on,
        tax_rate=draft.tax_rate(due_on),
        events=(event,),
        due_on=due_on,
    )


def order_costs(draft: Draft, numbers: OrderCosts) -> None:
    """Charge costs as entered, due at the end of the next month unless a date was agreed.

    Clauses: RRNS-19.4, RRNS-24.1.S2, RRNS-24.2.S2, RRNS-30.2, RRNS-35.S2.
    """
    for item in draft.items("cost"):
        cost = numbers.kinds.get(item.detail)
        if cost is not None:
            code = f"{draft.terms.service}-{cost.code}"
            clauses = (*cost.clause, *numbers.tax)
            _other(draft, code, yen=item.amount, on=item.on, event=item.event, clauses=clauses)


def visit_surcharge(draft: Draft, numbers: VisitSurcharge) -> None:
    """Charge a visit to a far place, both limits reached, or to an outlying island; once a visit.

    Clauses: RRNS-34.4.
    """
    for item in draft.items("visit"):
        far = item.quantity >= numbers.metres and item.amount_b >= numbers.minutes
        if far or item.flag:
            code = f"{draft.terms.service}-VISIT"
            clauses = numbers.clause
            _other(draft, code, yen=item.amount, on=item.on, event=item.event, clauses=clauses)


def overdue_device(draft: Draft, numbers: OverdueDevice) -> None:
    """Charge the price of a device that did not come back in time, in the month it was overdue.

    Clauses: RRNS-A1.II.3.4.S3, RRNS-A1.IV.4.5.S3.
    """
    for item in draft.items("device_overdue"):
        plan = draft.timeline.content_on(item.on).plan or ""
        clauses = numbers.clauses.get(plan, numbers.clauses["default"])
        code = f"{draft.terms.service}-DEVICE"
        _other(draft, code, yen=item.amount, on=item.on, event=item.event, clauses=clauses, tax=0)


def _other(
    draft: Draft,
    code: str,
    *,
    yen: int,
    on: date,
    event: UUID,
    clauses: tuple[str, ...],
    tax: int | None = None,
) -> None:
    month = draft.month
    following = month.to_on + ONE_DAY
    next_end = date(following.year + following.month // 12, following.month % 12 + 1, 1) - ONE_DAY
    due_on = draft.timeline.due_on(month.name) or next_end
    draft.add(
        code,
        key=f"{code}:{event}",
        clauses=clauses,
        amount=yen,
        arithmetic=times(yen, 1),
        from_on=on,
        to_on=on,
        tax_rate=draft.tax_rate(due_on) if tax is None else tax,
        events=(event,),
        due_on=due_on,
    )
