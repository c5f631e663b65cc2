"""Monthly fees that are owed whole: a basic fee, options, and fees by whole billing months."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Flag
from libs.terms.words import Prices, Sentence, in_yen, plain
from services.billing.domain.billing_month import ONE_DAY, billing_month_of
from services.billing.domain.draft import Draft, events_of, prorated, times
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import End, OptionSpan


class BasicFee(Policy):
    """A fee per contract and month, free in the start month, whole in the month of the end."""

    policy: Literal["basic-fee-by-whole-months"]
    code: str
    price: str
    free_start_month: Clauses
    last_month: Clauses
    abolition: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The fee."""
        return (self.price,)

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            Sentence(
                f"The basic fee of {in_yen(prices[self.price])} a calendar month is owed whole "
                f"(line {self.code}, price “{plain(self.price)}”)."
            ),
            Sentence("The calendar month of the start is free.", self.free_start_month),
            Sentence("The month of the end is charged whole.", self.last_month),
            Sentence(
                "Where the service is abolished, only the days before it are charged.",
                self.abolition,
            ),
        )


class Option(BaseModel):
    """An option: its line code, the name of its price, and whether it must be ordered ahead.

    `from_next_month`: it starts on the 1st of the month after its application at the earliest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    price: str
    from_next_month: Flag = False
    clause: Clauses = ()


class Options(Policy):
    """Options by whole months, each free in its own start month unless it ends in it."""

    policy: Literal["options-by-whole-months"]
    options: dict[str, Option]
    free_start_month: Clauses
    ended_in_start_month: Clauses
    last_month: Clauses
    abolition: Clauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The price of every option."""
        return tuple(each.price for each in self.options.values())

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        return (
            *(
                Sentence(
                    f"The option “{plain(name)}” costs {in_yen(prices[each.price])} a calendar month, "
                    f"whole (line {each.code}, price “{plain(each.price)}”)"
                    + (
                        "; it starts at the earliest on the 1st of the month after its application."
                        if each.from_next_month
                        else "."
                    ),
                    each.clause,
                )
                for name, each in self.options.items()
            ),
            Sentence("An option's own start month is free.", self.free_start_month),
            Sentence(
                "An option that ends in its start month is owed whole for it after all.",
                self.ended_in_start_month,
            ),
            Sentence("The month in which an option ends is charged whole.", self.last_month),
            Sentence(
                "Where the service is abolished, only the days before it are charged.",
                self.abolition,
            ),
        )


class AgreedFee(Policy):
    """The contract's own monthly fee by whole billing months, as of the start's version."""

    policy: Literal["agreed-fee-by-whole-billing-months"]
    start_month_free: Flag
    clause: Clauses

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        first = "after the one in which" if self.start_month_free else "in which"
        return (
            Sentence(
                f"The monthly fee agreed in the contract is owed from the billing month {first} the "
                "service starts to the one in which the contract ends, whole; nothing is charged by days.",
                self.clause,
            ),
        )


def basic_fee(draft: Draft, numbers: BasicFee) -> None:
    """Charge the fee of every month after the start month up to that of the end, whole.

    Abolition charges the days up to the day before it; a revocation leaves nothing in its month.

    Clauses: NSEC-A3.N1, NSEC-A3.N4, NSEC-A3.N7, NSEC-A3.T1, NSEC-14.6, NSEC-20.2.
    """
    started = draft.timeline.started
    if started is None or draft.month.from_on <= started.on:
        return
    price = draft.price(numbers.price, on=draft.month.from_on)
    _whole_or_abolished(
        draft,
        code=f"{draft.terms.service}-{numbers.code}",
        yen=price.yen,
        clause=price.clause,
        last_month=numbers.last_month,
        abolition=numbers.abolition,
        end=draft.end,
        key=None,
    )


def options(draft: Draft, numbers: Options) -> None:
    """Charge options from the month after their own start to that of their end, whole.

    The contract's end is theirs. One that ends in its start month is owed whole after all, save
    by abolition of the service or revocation.

    Clauses: NSEC-A3.N2, NSEC-A3.N3, NSEC-A3.N4, NSEC-A3.N8, NSEC-A3.T2, NSEC-A3.T3, NSEC-14.1,
        NSEC-20.2.
    """
    if draft.timeline.started is None:
        return
    for span in draft.timeline.options:
        option = numbers.options.get(span.option)
        if option is not None:
            _option(draft, numbers, option=option, span=span)


def _option(draft: Draft, numbers: Options, *, option: Option, span: OptionSpan) -> None:
    month = draft.month
    starts_on = _start_of(span, option=option)
    end = _end_of(span, end=draft.end)
    if starts_on > month.to_on or (end and end.on < month.from_on):
        return
    code = f"{draft.terms.service}-{option.code}"
    price = draft.price(option.price, on=month.from_on)
    key = f"{code}:{span.event}:{month.from_on}"
    if starts_on >= month.from_on:
        cancelled = end and end.cause not in ("abolition", "revoked")
        if end and cancelled and starts_on <= end.on <= month.to_on:
            _whole(
                draft,
                code=code,
                yen=price.yen,
                clauses=(*numbers.ended_in_start_month, *price.clause),
                key=key,
                events=(span.event, end.event),
            )
        return
    _whole_or_abolished(
        draft,
        code=code,
        yen=price.yen,
        clause=price.clause,
        last_month=numbers.last_month,
        abolition=numbers.abolition,
        end=end,
        key=key,
        event=span,
    )


def _start_of(span: OptionSpan, *, option: Option) -> date:
    applied = span.applied_on
    if not option.from_next_month or applied is None:
        return span.from_on
    return max(span.from_on, date(applied.year + applied.month // 12, applied.month % 12 + 1, 1))


def _end_of(span: OptionSpan, *, end: End | None) -> End | None:
    if span.until_on is None or (end and end.on <= span.until_on):
        return end
    return End(span.until_on, "customer", "customer", span.end_event or span.event)


def _whole_or_abolished(
    draft: Draft,
    *,
    code: str,
    yen: int,
    clause: tuple[str, ...],
    last_month: tuple[str, ...],
    abolition: tuple[str, ...],
    end: End | None,
    key: str | None,
    event: OptionSpan | None = None,
) -> None:
    month = draft.month
    started = draft.timeline.started
    source = event.event if event else started.event if started else None
    events = (source,) if source else ()
    if end is None or end.on > month.to_on:
        _whole(draft, code=code, yen=yen, clauses=clause, key=key, events=events)
        return
    events = (*events, end.event)
    if end.on < month.from_on or end.cause == "revoked":
        return
    if end.cause != "abolition":
        _whole(draft, code=code, yen=yen, clauses=(*last_month, *clause), key=key, events=events)
        return
    days = (end.on - month.from_on).days
    amount, arithmetic = prorated(yen, days=days, of=month.days)
    draft.add(
        code,
        key=key,
        clauses=(*abolition, *clause),
        amount=amount,
        arithmetic=arithmetic,
        from_on=month.from_on,
        to_on=end.on - ONE_DAY,
        days=days,
        tax_rate=draft.tax_rate(month.to_on),
        events=events,
    )


def _whole(
    draft: Draft,
    *,
    code: str,
    yen: int,
    clauses: tuple[str, ...],
    key: str | None,
    events: tuple[object, ...],
) -> None:
    draft.add(
        code,
        key=key,
        clauses=clauses,
        amount=yen,
        arithmetic=times(yen, 1),
        from_on=draft.month.from_on,
        to_on=draft.month.to_on,
        tax_rate=draft.tax_rate(draft.month.to_on),
        events=events,  # type: ignore[arg-type]
    )


def agreed_fee(draft: Draft, numbers: AgreedFee) -> None:
    """Charge whole billing months up to the one of the end, from that of the start or the next.

    Which of the two is said by the version in force on the day of the start. Nothing is prorated.

    Clauses: NQMS-20.0, NQMS-20.1.v1, NQMS-20.1.v2, NQMS-20.1b, NQMS-20.1c, NQMS-5.2b.v1,
        NQMS-5.3b.v2.
    """
    started = draft.timeline.started
    if started is None:
        return
    then = draft.terms.policy(AgreedFee, on=started.on) or numbers
    first = billing_month_of(draft.timeline, started.on)
    from_on = first.to_on + ONE_DAY if then.start_month_free else first.from_on
    end = draft.end
    if draft.month.from_on < from_on or (end and end.on < draft.month.from_on):
        return
    content = draft.timeline.content_on(draft.month.from_on)
    _whole(
        draft,
        code=f"{draft.terms.service}-MONTHLY",
        yen=content.fee or 0,
        clauses=then.clause,
        key=None,
        events=events_of(content, started.event),
    )
