"""What the services know of one case, asked over HTTP."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from cli.play.http_operations import HttpCase
from cli.play.plan import last_of_calendar_month
from cli.play.result import Outcome, extra_of, reason_of
from libs.events.vocabulary.billing import (
    CreditNoteIssued,
    InterestEntry,
    InvoiceIssued,
    PenaltyCharged,
)
from libs.events.vocabulary.contracts import BillingMonthChanged, ContractApplied
from services.billing.domain.billing_month import billing_months_until
from services.billing.domain.timeline import CycleStart, Moment, Timeline
from services.contracts.answers import ContractAnswer

Document = InvoiceIssued | CreditNoteIssued

_DOCUMENTS: TypeAdapter[list[Document]] = TypeAdapter(list[Document])
_PENALTIES = TypeAdapter(tuple[PenaltyCharged, ...])
_INTEREST = TypeAdapter(list[InterestEntry])
_APPLIED = ContractApplied.model_fields["type"].default
_MOVED = BillingMonthChanged.model_fields["type"].default


async def outcome_of(case: HttpCase, *, warnings: list[str]) -> Outcome:
    """Everything that a result tells; a contract that nobody knows has nothing."""
    account = await case.services.find("billing", f"/accounts/{case.account_id}")
    known = await case.services.find("contracts", f"/contracts/{case.contract_id}")
    end = ContractAnswer.model_validate(known).end if known else None
    return Outcome(
        documents=await documents_of(case),
        penalties=_PENALTIES.validate_python(account["demands"]) if account else (),
        interest=_INTEREST.validate_python(account["interest"]) if account else (),
        terminated_on=end.terminated_on if end else None,
        termination_reason=reason_of(end) if end else None,
        extra=extra_of(ContractAnswer.model_validate(known)) if known else {},
        warnings=warnings,
    )


async def documents_of(case: HttpCase) -> list[Document]:
    """The documents issued on the account, by number."""
    items = await every(case, "billing", "/invoices", account_id=str(case.account_id))
    return _DOCUMENTS.validate_python(items)


async def every(case: HttpCase, context: str, path: str, **query: str) -> list[Any]:
    """The items of all pages."""
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = await case.services.get(context, path, cursor=cursor, **query)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


async def last_billing_day(case: HttpCase, *, through: str) -> date:
    """The last day of the last billing month that begins in the calendar month `through`."""
    until = last_of_calendar_month(through)
    history = await case.services.find("contracts", f"/contracts/{case.contract_id}/history")
    months = tuple(billing_months_until(_cycles(history or []), until=until))
    return months[-1].to_on if months else until


def _cycles(history: list[dict[str, Any]]) -> Timeline:
    """As much of a timeline as its billing months rest on."""
    applied: Moment | None = None
    cycles: list[CycleStart] = []
    for each in history:
        event_id, data = UUID(each["event_id"]), each["data"]
        if each["type"] == _APPLIED:
            on = date.fromisoformat(data["applied_on"])
            applied = Moment(on, event_id)
            cycles.append(CycleStart(on, data["content"]["billing_day"], event_id))
        elif each["type"] == _MOVED:
            from_on = date.fromisoformat(data["from_on"])
            cycles.append(CycleStart(from_on, data["start_day"], event_id))
    return Timeline(applied=applied, cycles=tuple(sorted(cycles, key=lambda one: one.from_on)))
