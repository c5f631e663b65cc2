"""Claims: what documents and demands make owed, by due date, and what makes them fall due at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID, uuid5

from libs.events.vocabulary.billing import (
    AccelerationWithdrawn,
    ChargeLine,
    DebtsAccelerated,
    InvoiceIssued,
    PenaltyCharged,
    TaxSum,
)

PENALTY = "penalty"

LinesDue = tuple[date | None, date | None]
"""When lines fall due as issued; and, where a ground let them, when they would without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something owed: an invoice (or its part with one due date) or a demand by itself.

    `document_id` is the invoice or the demand; `total` with tax, lowered by credit notes. A claim
    without a due date is settled only by what is over. `lines_due` are the due dates of its lines as
    issued, and `agreed_on` when it would be due without the ground that was known when it was.
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
    agreed_on: date | None = None
    lines_due: LinesDue | None = None


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
            claim_id=_share_id(event.invoice_id, lines_due=lines_due, only=len(shares) == 1),
            document_id=event.invoice_id,
            contract_ids=event.contract_ids,
            month=event.month,
            months=months,
            due_on=lines_due[0],
            total=total,
            arises_on=arises_on,
            agreed_on=lines_due[1],
            lines_due=lines_due,
        )
        for lines_due, total in shares
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


def _share_id(invoice_id: UUID, *, lines_due: LinesDue, only: bool) -> UUID:
    due_on, agreed_on = lines_due
    if only:
        return invoice_id
    return uuid5(invoice_id, f"{due_on}" if agreed_on is None else f"{due_on} for {agreed_on}")


def _shares_by_due_date(event: InvoiceIssued) -> list[tuple[LinesDue, int]]:
    days = sorted({lines_due(line, document=event) for line in event.lines}, key=str)
    days = [day for day in days if day[0] is not None] or days
    if len(days) <= 1:
        return [(days[0], event.total)] if event.lines else []
    shares: list[tuple[LinesDue, int]] = []
    left = event.total
    for day in days[:-1]:
        lines = [line for line in event.lines if lines_due(line, document=event) == day]
        share = with_tax(lines, tax=event.tax)
        shares.append((day, share))
        left -= share
    return [*shares, (days[-1], left)]


class DueDates(Protocol):
    """When a document is due, and when lines would be that a ground let fall due."""

    @property
    def due_on(self) -> date | None:
        """When lines without a due date of their own are due."""

    @property
    def agreed_due_on(self) -> Mapping[str, date]:
        """By the keys of the lines."""


def lines_due(line: ChargeLine, *, document: DueDates) -> LinesDue:
    """When a line of a document falls due; and when it would without the ground that let it."""
    return (line.due_on or document.due_on, document.agreed_due_on.get(line.key))


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
        agreed_on=event.agreed_due_on,
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


def restored(
    claims: tuple[Claim, ...], parts: tuple[PaidPart, ...], *, event: AccelerationWithdrawn
) -> tuple[tuple[Claim, ...], tuple[PaidPart, ...]]:
    """The claims with the debts of the event due again when they were, and the parts paid of them.

    What was divided is one claim again, and so is what a payment paid of it. It undoes the last
    acceleration of these debts, or the ground that was known when they were issued.

    Clauses: RRNS-11.3.
    """
    due = {debt.debt_id: debt.due_on for debt in event.debts}
    halves = {uuid5(debt_id, f"due {event.accelerated_on}"): debt_id for debt_id in due}
    back = {halves[c.claim_id]: c.total for c in claims if c.claim_id in halves}
    found = tuple(
        replace(claim, total=claim.total + back[claim.claim_id])
        if claim.claim_id in back
        else replace(claim, due_on=due[claim.claim_id], agreed_on=None)
        if claim.claim_id in due
        else claim
        for claim in claims
        if claim.claim_id not in halves
    )
    paid = [replace(part, claim_id=halves.get(part.claim_id, part.claim_id)) for part in parts]
    return found, _joined(paid, of=back.keys())


def _joined(parts: list[PaidPart], *, of: Collection[UUID]) -> tuple[PaidPart, ...]:
    """Let what one payment paid of a claim on a day be one part: interest on it is cut once."""
    found: dict[tuple[object, ...], PaidPart] = {}
    for number, part in enumerate(parts):
        key = (
            part.claim_id,
            part.payment_id,
            part.paid_on,
            None if part.claim_id in of else number,
        )
        before = found[key].amount if key in found else 0
        found[key] = replace(part, amount=before + part.amount)
    return tuple(found.values())


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
