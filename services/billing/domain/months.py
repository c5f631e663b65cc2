"""Which billing months are still to bill, and which were billed but have changed since."""

from dataclasses import dataclass, replace
from datetime import timedelta

from libs.events.vocabulary.billing import ChargeLine
from services.billing.domain.account import Account
from services.billing.domain.assessment import (
    Assessment,
    BillingMonth,
    Line,
    assess,
    billing_months,
)
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.document import adjust
from services.billing.domain.timeline import End, Moment, Timeline

TWO_MONTHS = timedelta(days=62)

Change = tuple[Assessment, tuple[Line, ...]]
"""A month as it is owed now, and the lines that its bills lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """The ended months: never billed with something to charge, and billed but changed since."""

    fresh: tuple[Assessment, ...]
    changed: tuple[Change, ...]


def months_to_bill(account: Account, *, contract: ContractBooks, order: Order) -> Months:
    known = billing_months(
        contract.timeline, until=order.closing_on + TWO_MONTHS, terms=contract.terms
    )
    ended = [month for month in known if month.to_on <= order.closing_on]
    waiting = _waiting_for_a_lump(contract.timeline, ended={m.name for m in ended})
    fresh: list[Assessment] = []
    changed: list[Change] = []
    bills = account.bills_of(contract.contract_id)
    for month in ended:
        bill = bills.get(month.name)
        now = assess(
            contract.timeline,
            month=month,
            terms=contract.terms,
            issued_on=order.issued_on if bill is None else bill.issued_on,
        )
        if bill is not None:
            _note_change(changed, account=account, contract=contract, now=now)
        elif now.lines and month.name not in waiting:
            fresh.append(now)
    for gone in _gone(account, contract=contract, known={month.name for month in known}):
        _note_change(changed, account=account, contract=contract, now=gone)
    return Months(fresh=tuple(fresh), changed=tuple(changed))


def _note_change(
    changed: list[Change],
    *,
    account: Account,
    contract: ContractBooks,
    now: Assessment,
) -> None:
    billed = account.billed_lines(contract.contract_id, now.month.name)
    if lines := adjust([line_of(line) for line in billed], now=now):
        changed.append((now, tuple(replace(line, adjusts=now.month.name) for line in lines)))


def _waiting_for_a_lump(timeline: Timeline, *, ended: set[str]) -> frozenset[str]:
    return frozenset(
        name for lump in timeline.lumps if not set(lump.months) <= ended for name in lump.months
    )


def _gone(account: Account, *, contract: ContractBooks, known: set[str]) -> tuple[Assessment, ...]:
    """Months that were billed and, by what is known now, are no billing months at all."""
    billed = {
        line.month: line
        for document in account.issued
        for line in document.lines
        if line.contract_id == contract.contract_id and line.month and not line.adjusts
    }
    return tuple(
        Assessment(
            contract_id=contract.contract_id,
            service=contract.timeline.service,
            month=BillingMonth(
                name=name,
                from_on=line.from_on,
                to_on=line.to_on,
                whole_days=(line.to_on - line.from_on).days + 1,
            ),
            lines=(),
            terms_versions=(),
        )
        for name, line in sorted(billed.items())
        if name not in known
    )


def more_will_come(contract: ContractBooks, *, order: Order) -> bool:
    """Whether one of the next two billing months, or those up to the end, has something to charge.

    A contract may go on without charges (a licensed device): what is to be put right of it does
    not wait for an invoice that never comes.
    """
    timeline = contract.timeline
    end = end_of_contract(timeline)
    until = order.closing_on if end is None else max(end.on, order.closing_on)
    later = billing_months(timeline, until=until + TWO_MONTHS, terms=contract.terms)
    return any(
        assess(timeline, month=month, terms=contract.terms, issued_on=order.issued_on).lines
        for month in later
        if month.to_on > order.closing_on
    )


def end_of_contract(timeline: Timeline) -> End | Moment | None:
    return timeline.ended or timeline.revoked


def line_of(line: ChargeLine) -> Line:
    """A billed line in the shape that assessments have."""
    return Line(
        key=line.key,
        code=line.code,
        clauses=line.clauses,
        quantity=line.quantity,
        days=line.days,
        amount=line.amount,
        tax_rate=line.tax_rate,
        from_on=line.from_on,
        to_on=line.to_on,
        arithmetic=line.arithmetic,
        events=line.events,
        adjusts=line.adjusts,
        due_on=line.due_on,
    )
