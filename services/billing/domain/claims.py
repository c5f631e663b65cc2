"""Claims: what documents and demands make owed, by due date, and what makes them fall due at once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID, uuid5

from libs.events.vocabulary.billing import (
    ChargeLine,
    DebtsAccelerated,
    InvoiceIssued,
    PenaltyCharged,
    TaxSum,
)

PENALTY = "penalty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something owed: an invoice (or its part with one due date) or a demand by itself.

    `document_id` is the invoice or the demand; `total` with tax, lowered by credit notes. A claim
    without a due date is settled only by what is over.
    """

    claim_id: UUID
    document_id: UUID
    contract_ids: tuple[UUID, ...]
    month: str
    months: tuple[str, ...]
    due_on: date | None
    total: int
    arises_on: date
    interest: bool = False
    bears_interest: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPart:
    """A part of a claim that was paid on a day, by a payment or (None) by what was left over."""

    claim_id: UUID
    payment_id: UUID | None
    paid_on: date
    amount: int


def interest_claim_of(invoice_id: UUID) -> UUID:
    """The claim for the late interest that an invoice shows in its own section."""
    return uuid5(invoice_id, "interest")


def claims_of_invoice(event: InvoiceIssued) -> tuple[Claim, ...]:
    """One claim for every due date of the invoice, and one for its interest.

    Where lines of one invoice fall due on several days its tax is divided over them in order of
    the days, each part cut to yen and the rest with the last.
    """
    arises_on = min(event.issued_on, event.to_on + timedelta(days=1))
    months = tuple(sorted({line.month for line in event.lines if line.month and not line.adjusts}))
    shares = _shares_by_due_date(event)
    claims = [
        Claim(
            claim_id=event.invoice_id if len(shares) == 1 else uuid5(event.invoice_id, str(due_on)),
            document_id=event.invoice_id,
            contract_ids=event.contract_ids,
            month=event.month,
            months=months,
            due_on=due_on,
            total=total,
            arises_on=arises_on,
        )
        for due_on, total in shares
    ]
    if event.payable != event.total:
        claims.append(
            Claim(
                claim_id=interest_claim_of(event.invoice_id),
                document_id=event.invoice_id,
                contract_ids=event.contract_ids,
                month=event.month,
                months=(),
                due_on=None,
                total=event.payable - event.total,
                arises_on=event.issued_on,
                interest=True,
            )
        )
    return tuple(claims)


def _shares_by_due_date(event: InvoiceIssued) -> list[tuple[date | None, int]]:
    days = sorted({line.due_on or event.due_on for line in event.lines} - {None}, key=str)
    if len(days) <= 1:
        return [(days[0] if days else event.due_on, event.total)] if event.lines else []
    shares: list[tuple[date | None, int]] = []
    left = event.total
    for due_on in days[:-1]:
        lines = [line for line in event.lines if (line.due_on or event.due_on) == due_on]
        share = with_tax(lines, tax=event.tax)
        shares.append((due_on, share))
        left -= share
    return [*shares, (days[-1], left)]


def claim_of_demand(event: PenaltyCharged) -> Claim:
    return Claim(
        claim_id=event.penalty_id,
        document_id=event.penalty_id,
        contract_ids=(event.contract_id,),
        month=PENALTY,
        months=(),
        due_on=event.due_on,
        total=event.total,
        arises_on=event.charged_on,
        bears_interest=event.bears_interest,
    )


def with_tax(lines: Iterable[ChargeLine], *, tax: Iterable[TaxSum]) -> int:
    """What some lines of a document come to with their share of its taxes, each cut to yen."""
    some = list(lines)
    return sum(line.amount for line in some) + sum(
        sum(line.amount for line in some if line.tax_rate == each.rate) * each.rate // 100
        for each in tax
    )


def accelerated(
    claims: tuple[Claim, ...], parts: tuple[PaidPart, ...], *, event: DebtsAccelerated
) -> tuple[tuple[Claim, ...], tuple[PaidPart, ...]]:
    """The claims with the debts of the event due on its day, and the parts paid of them.

    A claim of which only some has arisen is divided; what was paid of it counts for that first.

    Clauses: RRNS-11.3.
    """
    amounts = {debt.debt_id: debt.amount for debt in event.debts}
    found: list[Claim] = []
    paid = list(parts)
    for claim in claims:
        amount = amounts.get(claim.claim_id, 0)
        if not amount:
            found.append(claim)
        elif amount >= claim.total:
            found.append(replace(claim, due_on=event.accelerated_on))
        else:
            first = uuid5(claim.claim_id, f"due {event.accelerated_on}")
            found.append(replace(claim, claim_id=first, total=amount, due_on=event.accelerated_on))
            found.append(replace(claim, total=claim.total - amount))
            paid = _moved(paid, of=claim.claim_id, to=first, amount=amount)
    return tuple(found), tuple(paid)


def _moved(parts: list[PaidPart], *, of: UUID, to: UUID, amount: int) -> list[PaidPart]:
    """Let parts paid of one claim count for another, in order, up to an amount."""
    found: list[PaidPart] = []
    for part in parts:
        taken = min(part.amount, amount) if part.claim_id == of else 0
        amount -= taken
        if taken:
            found.append(replace(part, claim_id=to, amount=taken))
        if part.amount > taken:
            found.append(replace(part, amount=part.amount - taken))
    return found
