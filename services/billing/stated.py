"""Amounts an operator states beside what the system's own invoices say: taken, with a warning."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.billing.domain.assessment import assess
from services.billing.domain.billing_month import billing_month_of
from services.billing.ports import Billing
from services.billing.use_cases import account_for, account_state, timeline_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnInvoice:
    """What this system billed of a billing month, and what it is owed by the terms, before tax."""

    month: str
    billed: int
    assessed: int


async def own_invoice(
    billing: Billing, contract_id: UUID, *, on: date, known_on: date
) -> OwnInvoice | None:
    """The invoice of the billing month of a day; what it will say where a run is still to come.

    None for a month that lies before all that is known, or is not over on `known_on`: such
    amounts come from elsewhere. Raises UnknownContract.
    """
    timeline = await timeline_of(billing, contract_id)
    first = timeline.applied
    month = billing_month_of(timeline, on)
    if first is None or month.to_on < first.on or month.to_on >= known_on:
        return None
    account, _ = await account_state(billing, await account_for(billing, contract_id))
    terms = billing.terms.of(timeline.service)
    assessed = sum(line.amount for line in assess(timeline, month=month, terms=terms).lines)
    lines = account.billed_lines(contract_id, month.name)
    billed = sum(line.amount for line in lines) if lines else assessed
    return OwnInvoice(month=month.name, billed=billed, assessed=assessed)


async def underbilling_doubts(
    billing: Billing,
    contract_id: UUID,
    *,
    found_on: date,
    original_on: date,
    billed: int,
    correct: int,
) -> tuple[str, ...]:
    """What own invoices say against an under-billing as stated; it is taken all the same."""
    own = await own_invoice(billing, contract_id, on=original_on, known_on=found_on)
    if own is None:
        return ()
    doubts = []
    if billed != own.billed:
        doubts.append(f"the invoice of {own.month} bills {own.billed:,} yen, not {billed:,}")
    if correct != own.assessed:
        doubts.append(f"by the terms {own.month} comes to {own.assessed:,} yen, not {correct:,}")
    return tuple(doubts)


async def evasion_doubts(
    billing: Billing, contract_id: UUID, *, found_on: date, original_on: date, evaded: int
) -> tuple[str, ...]:
    """What own invoices say against an evaded charge as stated; it is taken all the same."""
    own = await own_invoice(billing, contract_id, on=original_on, known_on=found_on)
    if own is None or evaded == own.assessed - own.billed:
        return ()
    lacking = own.assessed - own.billed
    return (f"the invoice of {own.month} lacks {lacking:,} yen, not {evaded:,}",)
