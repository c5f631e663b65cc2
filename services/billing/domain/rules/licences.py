"""Licence rows by calendar month: each row of the price table by itself, by days where it changes."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from libs.terms.clause import Clauses
from libs.terms.numbers import Licences
from libs.terms.words import Prices, Sentence, in_yen, listed, plain
from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.draft import Draft, events_of, prorated, times
from services.billing.domain.rules.policy import Policy
from services.billing.domain.timeline import ContentSpan, End

NO_CANCELLATION = frozenset({"abolition", "revoked"})


class LicenceClauses(BaseModel):
    """Which clause a row's line rests on, by what happened in the month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whole: Clauses
    change: Clauses
    termination: Clauses
    abolition: Clauses
    free_start_month: Clauses
    ended_in_start_month: Clauses
    special_price: Clauses


class LicenceRows(Policy):
    """Rows by size, each with the name of its price; the start month is free."""

    policy: Literal["licence-rows"]
    rows: dict[Licences, str]
    clauses: LicenceClauses

    @property
    @override
    def prices_named(self) -> tuple[str, ...]:
        """The price of every row."""
        return tuple(self.rows.values())

    @override
    def in_words(self, prices: Prices) -> tuple[Sentence, ...]:
        rows = listed(
            f"{in_yen(prices[price])} for each {_row_name(size)} (price “{plain(price)}”)"
            for size, price in self.rows.items()
        )
        clauses = self.clauses
        return (
            Sentence(f"A whole calendar month costs {rows}.", clauses.whole),
            Sentence(
                "Where the quantity of a row changes inside a month, each run of days costs its "
                "share of the month's calendar days, cut to whole yen by itself.",
                clauses.change,
            ),
            Sentence(
                "In the month of a cancellation, each row costs its days up to the day before it.",
                clauses.termination,
            ),
            Sentence(
                "Where the service is abolished, each row costs its days up to the day before.",
                clauses.abolition,
            ),
            Sentence("The calendar month of the start is free.", clauses.free_start_month),
            Sentence(
                "A cancellation in the start month makes that month's whole fee owed after all.",
                clauses.ended_in_start_month,
            ),
            Sentence(
                "A price agreed by contract takes the place of the row's.", clauses.special_price
            ),
        )


def _row_name(size: int) -> str:
    return "licence" if size == 1 else f"pack of {size:,} licences"


def licence_rows(draft: Draft, numbers: LicenceRows) -> None:
    """Charge every row of the price table that the contract has in the month.

    A row that does not change costs unit price x quantity; every run of days with one quantity
    else costs its share of the month's calendar days, cut off by itself. The days run to the day
    before the end, and through suspensions. The start month is free, unless the contract is
    cancelled in it: then the whole fee of the content before the cancellation is owed. A
    revocation leaves nothing in its month, an abolition in the start month leaves it free. The
    unit price is that of the month's first day, or the one agreed. Packs are never converted.

    Clauses: NSEC-14.1, NSEC-14.3, NSEC-14.4, NSEC-14.5a, NSEC-14.5b, NSEC-14.5c, NSEC-14.6,
        NSEC-14.8a, NSEC-14.11, NSEC-20.2, NSEC-3.2b, NSEC-28-2, NSEC-A1.N1, NSEC-A1.N2,
        NSEC-A1.N3, NSEC-A1.T3, NSEC-A2.N1, NSEC-A2.N2, NSEC-A2.N3.
    """
    started = draft.timeline.started
    month = draft.month
    if started is None or month.to_on < started.on:
        return
    end = draft.end
    if started.on >= month.from_on:
        if end and end.cause not in NO_CANCELLATION and started.on <= end.on <= month.to_on:
            _whole_fee_after_all(draft, numbers, end=end, started_on=started.on)
        return
    if end is None or end.on > month.to_on:
        _rows(draft, numbers, last_on=month.to_on, end=None)
    elif end.cause != "revoked":
        _rows(draft, numbers, last_on=end.on - ONE_DAY, end=end)


def _whole_fee_after_all(draft: Draft, numbers: LicenceRows, *, end: End, started_on: date) -> None:
    content = draft.timeline.content_on(max(end.on - ONE_DAY, started_on))
    for size, quantity in content.packs:
        unit, clause = _unit_price(draft, numbers, size=size, content=content)
        draft.add(
            f"{draft.terms.service}-LIC{size}",
            clauses=(*numbers.clauses.ended_in_start_month, *clause),
            amount=unit * quantity,
            arithmetic=times(unit, quantity),
            from_on=draft.month.from_on,
            to_on=draft.month.to_on,
            quantity=quantity,
            tax_rate=draft.tax_rate(draft.month.to_on),
            events=events_of(content, end.event),
        )


def _rows(draft: Draft, numbers: LicenceRows, *, last_on: date, end: End | None) -> None:
    from_on = draft.month.from_on
    spans = [draft.timeline.content_on(from_on)]
    spans.extend(each for each in draft.timeline.contents if from_on < each.from_on <= last_on)
    if last_on < from_on:
        return
    for size in sorted({size for span in spans for size, _ in span.packs}):
        for run in _runs(spans, size=size, from_on=from_on, last_on=last_on):
            _row(draft, numbers, size=size, run=run, end=end if run[1] == last_on else None)


_Run = tuple[date, date, int, ContentSpan]


def _runs(spans: list[ContentSpan], *, size: int, from_on: date, last_on: date) -> list[_Run]:
    """Give the runs of days with one quantity at one agreed price, both days included."""
    found: list[tuple[date, int, ContentSpan]] = []
    for span in spans:
        quantity = dict(span.packs).get(size, 0)
        same = bool(found) and found[-1][1] == quantity
        if same and _agreed(found[-1][2], size) == _agreed(span, size):
            continue
        found.append((max(span.from_on, from_on), quantity, span))
    ends = [each[0] - ONE_DAY for each in found[1:]] + [last_on]
    return [
        (first, last, quantity, span)
        for (first, quantity, span), last in zip(found, ends, strict=True)
        if quantity
    ]


def _row(draft: Draft, numbers: LicenceRows, *, size: int, run: _Run, end: End | None) -> None:
    first, last, quantity, content = run
    month = draft.month
    unit, price_clause = _unit_price(draft, numbers, size=size, content=content)
    days = (last - first).days + 1
    if days == month.days:
        clause = numbers.clauses.whole
        amount, arithmetic = unit * quantity, times(unit, quantity)
    else:
        clause = _clause_of_part(numbers, end=end)
        text = None if quantity == 1 else f"{unit:,} × {quantity}"
        amount, arithmetic = prorated(unit * quantity, days=days, of=month.days, text=text)
    more: tuple[UUID, ...] = () if end is None else (end.event,)
    draft.add(
        f"{draft.terms.service}-LIC{size}",
        clauses=(*clause, *price_clause),
        amount=amount,
        arithmetic=arithmetic,
        from_on=first,
        to_on=last,
        quantity=quantity,
        days=days,
        tax_rate=draft.tax_rate(month.to_on),
        events=events_of(content, *more),
    )


def _clause_of_part(numbers: LicenceRows, *, end: End | None) -> tuple[str, ...]:
    if end is None:
        return numbers.clauses.change
    return numbers.clauses.abolition if end.cause == "abolition" else numbers.clauses.termination


def _agreed(content: ContentSpan, size: int) -> int | None:
    return next((yen for each, yen in content.special_prices if each == size), None)


def _unit_price(
    draft: Draft, numbers: LicenceRows, *, size: int, content: ContentSpan
) -> tuple[int, tuple[str, ...]]:
    agreed = _agreed(content, size)
    price = draft.price(numbers.rows[size], on=draft.month.from_on)
    if agreed is not None:
        return agreed, (*price.clause, *numbers.clauses.special_price)
    return price.yen, price.clause
