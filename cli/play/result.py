"""What came of a play, as JSON without ids, numbers or traces that differ from run to run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cli.play.scenario import Scenario
from libs.events.vocabulary.billing import (
    ChargeLine,
    CreditNoteIssued,
    InterestEntry,
    InvoiceIssued,
    PenaltyCharged,
)
from services.contracts.answers import ContractAnswer, Days, EndAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the services know of one contract at the end of a play.

    `extra` holds the derived dates of the contract that its terms know (minimum term, maximum
    period, insurance, end), as they are printed.
    """

    documents: Sequence[InvoiceIssued | CreditNoteIssued]
    penalties: Sequence[PenaltyCharged]
    interest: Sequence[InterestEntry]
    terminated_on: date | None
    termination_reason: str | None
    extra: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def reason_of(end: EndAnswer) -> str:
    """Why a contract ended, in the words of the scenario format."""
    if end.cause == "antisocial":
        return "customer" if end.by == "customer" else "provider"
    return end.cause


def extra_of(contract: ContractAnswer) -> dict[str, Any]:
    """The dates derived from a contract that its terms know, as they are printed."""
    return {
        "minimum_term": _days(contract.minimum_term),
        "maximum_period_last_day": _day(contract.maximum_period_last_day),
        "insurance": _days(contract.insurance),
        "contract_end": _day(contract.contract_end_on),
    }


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _days(period: Days | None) -> dict[str, str] | None:
    if period is None:
        return None
    return {"from": period.from_on.isoformat(), "to": period.to_on.isoformat()}


def render(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """The result in the format of the cases; months before `show_from` are left out."""
    shown_from = scenario.show_from or ""
    documents = [
        document
        for document in sorted(outcome.documents, key=lambda one: (one.to_on, one.number))
        if document.month >= shown_from and document.lines
    ]
    return {
        "service": scenario.service,
        "termination": _termination(outcome),
        "invoices": [_document(document) for document in documents],
        "penalties": [_penalty(penalty) for penalty in outcome.penalties],
        "late_interest": [_interest(entry) for entry in outcome.interest if entry.interest > 0],
        "extra": {name: value for name, value in outcome.extra.items() if value is not None},
        "warnings": list(outcome.warnings),
    }


def _termination(outcome: Outcome) -> dict[str, str | None] | None:
    if outcome.terminated_on is None:
        return None
    return {
        "date": outcome.terminated_on.isoformat(),
        "reason": outcome.termination_reason,
    }


def _document(document: InvoiceIssued | CreditNoteIssued) -> dict[str, Any]:
    return {
        "month": document.month,
        "from": document.from_on.isoformat(),
        "to": document.to_on.isoformat(),
        "lines": [_line(line) for line in document.lines],
        "subtotal": document.subtotal,
        "tax": [{"rate": one.rate, "base": one.base, "tax": one.tax} for one in document.tax],
        "total": document.total,
    }


def _line(line: ChargeLine) -> dict[str, Any]:
    return {
        "code": line.code,
        "clause": list(line.clauses),
        "quantity": line.quantity,
        "days": line.days,
        "amount": line.amount,
        "tax_rate": line.tax_rate,
        **({"adjusts": line.adjusts} if line.adjusts else {}),
    }


def _penalty(penalty: PenaltyCharged) -> dict[str, Any]:
    return {
        "code": penalty.code,
        "clause": list(penalty.clauses),
        "quantity": penalty.quantity,
        "amount": penalty.amount,
        "tax_rate": penalty.tax_rate,
        "tax": penalty.tax,
        "total": penalty.total,
        "due": penalty.due_on.isoformat() if penalty.due_on else None,
    }


def _interest(entry: InterestEntry) -> dict[str, Any]:
    return {
        "month": entry.month,
        "due": entry.due_on.isoformat(),
        "paid_on": entry.paid_on.isoformat(),
        "amount": entry.amount,
        "days": entry.days,
        "rate_permille": entry.rate_permille,
        "interest": entry.interest,
        "charged": entry.charged,
    }
