"""Debts, payments and late interest: which debt a payment settles, and what being late costs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from libs.events.vocabulary.billing import InterestEntry
from services.billing.domain.terms import BillingTerms, LateInterest

_YEAR_DAYS = 365
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """An invoice or demand with a due date; `month` is `penalty` for a demand by itself.

    `total` is with tax, what is open of it; `arises_on` the first day on which money can settle it.
    """

    debt_id: UUID
    month: str
    due_on: date
    total: int
    arises_on: date
    bears_interest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money received; without an amount it is all that is open of what it names."""

    payment_id: UUID
    received_on: date
    settled_on: date
    amount: int | None
    names: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a payment that settles (a part of) a debt."""

    payment_id: UUID
    debt: Debt
    paid_on: date
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How one payment was used: `amount` in all, `unapplied` what no debt took."""

    amount: int
    parts: tuple[Part, ...]
    unapplied: int


def allocate(payment: Payment, *, open_debts: Sequence[Debt], terms: BillingTerms) -> Allocation:
    """Settle open debts with a payment; `total` of each is what is still open of it.

    By the terms either the earliest due date comes first, whatever is named, or what is named and
    then the earliest due date. Equal due dates keep the order in which the debts are given: by
    issue. What is over goes to the next debt. Without an amount the payment is all that is open of
    what it names, of everything where it names nothing.

    Clauses: WUTM-30.2, WSRV-30.2, NSEC-14-2.1a, RRNS-36.S2.
    """
    named = [debt for debt in open_debts if payment.names in (None, debt.month)]
    amount = sum(debt.total for debt in named) if payment.amount is None else payment.amount
    named_first = terms.at(max(payment.received_on, terms.first_on)).payments == "named-first"
    in_order = sorted(
        open_debts,
        key=lambda debt: (named_first and payment.names not in (None, debt.month), debt.due_on),
    )
    left = amount
    parts: list[Part] = []
    for debt in in_order:
        part = min(left, debt.total)
        if part > 0:
            parts.append(
                Part(
                    payment_id=payment.payment_id,
                    debt=debt,
                    paid_on=payment.settled_on,
                    amount=part,
                )
            )
            left -= part
    return Allocation(amount=amount, parts=tuple(parts), unapplied=left)


def late_interest(part: Part, *, terms: BillingTerms) -> InterestEntry | None:
    """Give the interest on a part paid late, None where it is below one yen or nothing is owed.

    Interest on the amount with tax, from the day after the due date to the day before payment, or
    to the day itself where the terms count it, over 365 days even in a leap year, cut off for every
    part. A part paid within the days of grace owes nothing; one paid later owes them too. The
    statutory rate is that of the first day of delay and stays for the debt. No tax is added, and
    interest bears none.

    Clauses: NSEC-14-2.1a, NSEC-14-2.1b, NSEC-14-2.N, NSEC-14.8a, NSEC-S2019-07-24.1b,
        WUTM-27.1.1, WUTM-27.1.2, WUTM-27.2, WUTM-29, WUTM-S2022-08-01.2, WSRV-27.1a,
        WSRV-27.1b, WSRV-27.2, WSRV-S2022-08-01.2, RRNS-36.S1, RRNS-36.S2.
    """
    debt = part.debt
    regime = _regime(debt.due_on, terms=terms) if debt.bears_interest else None
    if regime is None:
        return None
    permille, grace_days = _numbers(regime, debt=debt, terms=terms)
    days_late = (part.paid_on - debt.due_on).days
    if days_late <= grace_days:
        return None
    days = days_late if regime.counts_payment_day else days_late - 1
    interest = part.amount * permille * days // (1000 * _YEAR_DAYS)
    if interest < 1:
        return None
    return InterestEntry(
        debt_id=debt.debt_id,
        month=debt.month,
        due_on=debt.due_on,
        paid_on=part.paid_on,
        amount=part.amount,
        days=days,
        rate_permille=permille,
        interest=interest,
        charged=True,
        clauses=regime.clause,
    )


def _regime(due_on: date, *, terms: BillingTerms) -> LateInterest | None:
    """Give the rule for debts due on a day, by the version of the first day of delay.

    None where former terms would hold that nobody entered, or the table of the law begins later.
    """
    version = terms.at(max(due_on + _ONE_DAY, terms.first_on))
    found: LateInterest | None = None
    for regime in version.late_interest:
        if regime.due_from is None or regime.due_from <= due_on:
            found = regime
    if found is None:
        return None
    former_unknown = found.permille == "former" and terms.settings.former_interest is None
    law_unknown = found.permille == "statutory" and not terms.statutory_interest.covers(
        due_on + _ONE_DAY
    )
    return None if former_unknown or law_unknown else found


def _numbers(regime: LateInterest, *, debt: Debt, terms: BillingTerms) -> tuple[int, int]:
    former = terms.settings.former_interest
    if regime.permille == "former":
        return (former.permille, former.grace_days) if former else (0, 0)
    if regime.permille == "statutory":
        return terms.statutory_interest.at(debt.due_on + _ONE_DAY), regime.grace_days
    return regime.permille, regime.grace_days


def charged(
    entry: InterestEntry,
    *,
    invoice_months: Collection[tuple[date, date]],
    terms: BillingTerms,
) -> bool:
    """Tell whether interest is billed when its contract has these invoices (first and last days).

    Where the terms let interest alone go unbilled, it waits for the invoice of the billing month of
    the payment, or a later one; an operator may set that it is billed alone.

    Clauses: WUTM-27.3, WSRV-27.3.
    """
    may_wait = terms.at(max(entry.paid_on, terms.first_on)).lone_interest is not None
    if not may_wait or terms.settings.lone_interest == "bill":
        return True
    return any(to_on >= entry.paid_on for _, to_on in invoice_months)


def late_on(debt: Debt, *, terms: BillingTerms) -> date:
    """Give the first day on which an open debt counts as late: the day after its due date.

    Days of grace free from interest only; due dates on closed days are not moved.

    Clauses: NSEC-14-2.1b, WUTM-30.1, WSRV-30.1.
    """
    return max(debt.due_on, terms.first_on - _ONE_DAY) + _ONE_DAY
