"""Amounts demanded by themselves, beside the invoices, each with its own tax."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import msgspec

from services.billing.domain.billing_month import ONE_DAY
from services.billing.domain.draft import end_of, times
from services.billing.domain.rules.demanded import (
    CancellationSums,
    DemandedCosts,
    EarlyTermination,
    Evasion,
    RevocationCosts,
    Underbilling,
)
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import End, Item, Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """An amount with its own tax; `charged_on` is the day it arises. Fields as PenaltyCharged."""

    key: str
    code: str
    clauses: tuple[str, ...]
    quantity: int
    amount: int
    tax_rate: int
    tax: int
    total: int
    arithmetic: str
    events: tuple[UUID, ...]
    charged_on: date
    due_on: date | None
    agreed_due_on: date | None = None
    bears_interest: bool = True


def demands(timeline: Timeline, *, terms: BillingTerms) -> tuple[Demand, ...]:
    """Give everything demanded beside the invoices, in order of the day it arises.

    Each amount has its own tax and due date, and bears no issue or collection fee. What is demanded
    is said by the version of the day on which it arises.
    """
    found: list[Demand] = []
    for item in timeline.items:
        found.extend(_of_item(item, terms=terms))
    end = end_of(timeline)
    if end is not None:
        found.extend(_lump_sum(timeline, end=end, terms=terms))
    if timeline.grounds:
        found = [_falling_due(demand, timeline=timeline) for demand in found]
    return tuple(sorted(found, key=lambda demand: demand.charged_on))


def _falling_due(demand: Demand, *, timeline: Timeline) -> Demand:
    """Let a demand fall due with a ground that arose after it.

    Clauses: RRNS-11.3.
    """
    due_on = timeline.falls_due(demand.due_on, arises_on=demand.charged_on)
    if due_on == demand.due_on:
        return demand
    return replace(demand, due_on=due_on, agreed_due_on=demand.due_on)


def _of_item(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    match item.kind:
        case "revocation":
            yield from _revocation(item, terms=terms)
        case "cost":
            yield from _cost(item, terms=terms)
        case "evasion":
            yield from _evasion(item, terms=terms)
        case "underbilling":
            yield from _underbilling(item, terms=terms)
        case "cancellation_fee" | "cancellation_excess" | "cancellation_loss":
            yield from _cancellation(item, terms=terms)
        case _:
            pass  # goes on an invoice


def _revocation(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    """Demand the costs incurred up to a revocation, as an operator entered them.

    Clauses: NSEC-6.4b.
    """
    numbers = terms.policy(RevocationCosts, on=item.on)
    if numbers is not None:
        yield _demand(
            item,
            code=f"{terms.service}-REVOCATION",
            amount=item.amount,
            tax_rate=terms.tax_rate(item.on) if numbers.taxed else 0,
            clauses=numbers.clause,
            arithmetic=times(item.amount, 1),
        )


def _cost(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    """Demand repair and damages as entered; they are in no price table, so no tax is added.

    Clauses: NSEC-19, NSEC-21.2, WUTM-38.3, WSRV-37.3.
    """
    numbers = terms.policy(DemandedCosts, on=item.on)
    cost = numbers.kinds.get(item.detail) if numbers else None
    if cost is not None and item.amount:
        yield _demand(
            item,
            code=f"{terms.service}-{cost.code}",
            amount=item.amount,
            tax_rate=terms.tax_rate(item.on) if cost.taxed else 0,
            clauses=cost.clause,
            arithmetic=times(item.amount, 1),
            bears_interest=cost.bears_interest,
        )


def _evasion(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    """Demand the evaded amount at the rate of its month, and the surcharge at that of the finding.

    Each is taxed and cut off by itself; where no tax is added to the fee, none is to either.

    Clauses: WUTM-26.1, WUTM-26.2, WUTM-26.3, WSRV-26a, WSRV-26b.
    """
    numbers = terms.policy(Evasion, on=item.on)
    if numbers is None or not item.amount:
        return
    original_on = item.on_b or item.on
    yield _demand(
        item,
        code=f"{terms.service}-EVADED",
        amount=item.amount,
        tax_rate=terms.tax_rate(original_on) if numbers.taxed else 0,
        clauses=numbers.evaded,
        arithmetic=times(item.amount, 1),
    )
    yield _demand(
        item,
        code=f"{terms.service}-SURCHARGE",
        amount=item.amount * numbers.times,
        quantity=numbers.times,
        tax_rate=terms.tax_rate(item.on) if numbers.taxed else 0,
        clauses=numbers.surcharge,
        arithmetic=times(item.amount, numbers.times),
    )


def _underbilling(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    """Demand the correct bill less the one issued, each with its tax at the rate of its month.

    Nothing where an operator left it unbilled, or where the bill was not too low.

    Clauses: WUTM-25.3.1, WUTM-25.3.2, WUTM-A5.1, WSRV-25.2a, WSRV-25.2b, WSRV-A4.3.
    """
    numbers = terms.policy(Underbilling, on=item.on)
    correct, billed = item.amount, item.amount_b
    if numbers is None or item.flag or correct <= billed:
        return
    rate = terms.tax_rate(item.on_b or item.on)
    tax = correct * rate // 100 - billed * rate // 100
    yield _demand(
        item,
        code=f"{terms.service}-UNDERBILLED",
        amount=correct - billed,
        tax_rate=rate,
        tax=tax,
        clauses=numbers.clause,
        arithmetic=f"{correct:,} - {billed:,} = {correct - billed:,}",
    )


def _cancellation(item: Item, *, terms: BillingTerms) -> Iterator[Demand]:
    """Demand what a customer's cancellation costs, as contracts judged it.

    The fee is due at the end of the month after that of the cancellation, without tax; the loss
    before acceptance on the day of the cancellation, with the tax of that day; the damage above
    the fee has neither a date nor tax. Damages bear no late interest.

    Clauses: RRNS-10.2, RRNS-10.3.S2, RRNS-10.4.
    """
    numbers = terms.policy(CancellationSums, on=item.on)
    if numbers is None:
        return
    ends_on = item.on_b or item.on
    match item.kind:
        case "cancellation_fee":
            name, clauses, taxed = "CANCEL", numbers.fee, numbers.fee_taxed
            due_on: date | None = _end_of_next_month(ends_on)
            bears_interest = True
        case "cancellation_excess":
            name, clauses, taxed = "EXCESS", numbers.excess, numbers.excess_taxed
            due_on, bears_interest = None, numbers.excess_bears_interest
        case _:
            name, clauses, taxed = "LOSS", numbers.loss, numbers.loss_taxed
            due_on, bears_interest = ends_on, numbers.loss_bears_interest
    yield _demand(
        msgspec.structs.replace(item, due_on=due_on),
        code=f"{terms.service}-{name}{':' if item.detail else ''}{item.detail}",
        amount=item.amount,
        tax_rate=terms.tax_rate(due_on or item.on) if taxed else 0,
        clauses=clauses,
        arithmetic=times(item.amount, 1),
        bears_interest=bears_interest,
    )


def _end_of_next_month(on: date) -> date:
    number = on.year * 12 + on.month + 1
    return date(number // 12, number % 12 + 1, 1) - ONE_DAY


def _lump_sum(timeline: Timeline, *, end: End, terms: BillingTerms) -> Iterator[Demand]:
    """Demand the months left of the minimum term, and one more, for an end inside it.

    The month of the end is no remaining month; the last day of the term is still inside. An end
    before the start, by abolition or by revocation owes nothing.

    Clauses: NSEC-A3.N6a, NSEC-A3.N6b, NSEC-A3.N6c, NSEC-A3.T1, NSEC-20.2, NSEC-6.4a.
    """
    started = timeline.started
    numbers = terms.policy(EarlyTermination, on=end.on)
    if numbers is None or started is None or end.on < started.on:
        return
    months_since_start = _month_number(end.on) - _month_number(started.on)
    if end.cause in ("abolition", "revoked") or months_since_start > numbers.months:
        return
    count = numbers.months - max(months_since_start, 0) + numbers.plus
    price = terms.at(end.on).prices[numbers.price]
    item = Item("cost", end.on, end.event, due_on=end.penalty_due_on)
    yield _demand(
        item,
        code=f"{terms.service}-PENALTY",
        amount=price.yen * count,
        quantity=count,
        tax_rate=terms.tax_rate(end.on) if numbers.taxed else 0,
        clauses=(*numbers.clause, *price.clause),
        arithmetic=times(price.yen, count),
    )


def _month_number(on: date) -> int:
    return on.year * 12 + on.month


def _demand(
    item: Item,
    *,
    code: str,
    amount: int,
    tax_rate: int,
    clauses: tuple[str, ...],
    arithmetic: str,
    quantity: int = 1,
    tax: int | None = None,
    bears_interest: bool = True,
) -> Demand:
    added = amount * tax_rate // 100 if tax is None else tax
    return Demand(
        key=f"{code}:{item.event}",
        code=code,
        clauses=clauses,
        quantity=quantity,
        amount=amount,
        tax_rate=tax_rate,
        tax=added,
        total=amount + added,
        arithmetic=arithmetic,
        events=(item.event,),
        charged_on=item.on,
        due_on=item.due_on,
        bears_interest=bears_interest,
    )
