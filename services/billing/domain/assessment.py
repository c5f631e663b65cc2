"""What a contract owes for a billing month: a function of its timeline and the terms alone."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.events.vocabulary.billing import ChargeLine
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingMonth:
    """A billing month: `name` as invoices show it, both days included.

    `whole_days` is the length of the month it was cut from, its own length where it is whole.
    """

    name: str
    from_on: date
    to_on: date
    whole_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line before it becomes a `ChargeLine`; fields as there."""

    key: str
    code: str
    clauses: tuple[str, ...]
    quantity: int
    days: int | None
    amount: int
    tax_rate: int
    from_on: date
    to_on: date
    arithmetic: str
    events: tuple[UUID, ...] = ()
    adjusts: str | None = None
    due_on: date | None = None

    def charge_line(self) -> ChargeLine:
        """Give the line as events carry it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All lines of a contract and billing month; lines of 0 yen are left out.

    `terms_versions` are the effective dates of the terms used, as `WUTM 2022-08-01`.
    """

    contract_id: UUID
    service: str
    month: BillingMonth
    lines: tuple[Line, ...]
    terms_versions: tuple[str, ...]


def billing_months(
    timeline: Timeline, *, until: date, terms: BillingTerms
) -> tuple[BillingMonth, ...]:
    """Give every billing month whose first day is on or before `until`, from the first fact on.

    For a run that closes on a day, keep those whose `to_on` is not after it.
    """
    raise NotImplementedError


def assess(
    timeline: Timeline, *, month: BillingMonth, terms: BillingTerms, issued_on: date | None = None
) -> Assessment:
    """Compute all lines of a billing month.

    `issued_on` is the day of the bill where it is about to be issued; without it, the day recorded
    in the timeline, or the day after the month.
    """
    raise NotImplementedError
