"""Amounts demanded by themselves, beside the invoices."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline


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


def demands(timeline: Timeline, *, terms: BillingTerms) -> tuple[Demand, ...]:
    """Give everything demanded beside the invoices, in order of the day it arises."""
    raise NotImplementedError
