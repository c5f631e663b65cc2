"""Debts, payments and late interest: which debt a payment settles, and what being late costs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.events.vocabulary.billing import InterestEntry
from services.billing.domain.terms import BillingTerms


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
    """Settle open debts with a payment; `total` of each is what is still open of it."""
    raise NotImplementedError


def late_interest(part: Part, *, terms: BillingTerms) -> InterestEntry | None:
    """Give the interest on a part paid late, None where it is below one yen or nothing is owed."""
    raise NotImplementedError


def charged(
    entry: InterestEntry,
    *,
    invoice_months: Collection[tuple[date, date]],
    terms: BillingTerms,
) -> bool:
    """Tell whether interest is billed when its contract has these invoices (first and last days)."""
    raise NotImplementedError


def late_on(debt: Debt, *, terms: BillingTerms) -> date:
    """Give the first day on which an open debt counts as late."""
    raise NotImplementedError
