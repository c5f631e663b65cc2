"""What billing knows of a contract, what it would bill now, and what is recorded about it here."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from libs.events.envelope import Event
from libs.events.refusals import NotComplete
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued, PenaltyCharged
from libs.refusal.refusal import Refusal, Stale
from libs.web.known import KnownOn
from libs.web.problems import refusals
from libs.web.writes import Write, etag
from services.billing import use_cases
from services.billing.api.parts import (
    MONTH,
    Asker,
    Body,
    Command,
    Recorded,
    Seen,
    Working,
    creating,
    today,
)
from services.billing.domain.books import NoRules
from services.billing.domain.contract_facts import (
    ClaimAssigned,
    CostKind,
    FactUnknown,
    NotAnAmount,
    NotFullyPaid,
    OneRelief,
    WrongCorrection,
)
from services.billing.domain.due_policy import UnknownDuePolicy
from services.billing.drafting import end_of
from services.billing.facts import OWN
from services.billing.runs import preview, whole
from services.billing.stated import evasion_doubts, underbilling_doubts
from services.billing.use_cases import UnknownContract

router = APIRouter(prefix="/contracts/{contract_id}", tags=["contracts"])


class ReliefBody(Body):
    """Disaster relief: exactly one of full, percent, amount (yen before tax), or days."""

    granted_on: date
    full: bool = False
    percent: int | None = None
    amount: int | None = None
    from_on: date | None = None
    to_on: date | None = None
    reason: str = Field(default="", max_length=1000)


class EvasionBody(Body):
    """A charge evaded, in yen before tax; `original_on` says the tax rate (the finding unless said)."""

    found_on: date
    evaded: int
    original_on: date | None = None
    due_on: date | None = None


class UnderbillingBody(Body):
    """The bill of the month of `original_on` was too low; both amounts in yen before tax."""

    found_on: date
    original_on: date
    billed: int = Field(ge=0)
    correct: int = Field(ge=0)
    due_on: date | None = None
    waived: bool = False


class PaperBody(Body):
    """A paper issued on request; postage and other costs in yen as spent."""

    requested_on: date
    issued_on: date | None = None
    copies: int = Field(default=1, ge=1, le=1000)
    postage: int = Field(default=0, ge=0)
    other_costs: int = Field(default=0, ge=0)


class CertificateBody(PaperBody):
    """A payment certificate; `assigned` overrides what the account says of the month's claim."""

    month: str | None = Field(default=None, pattern=MONTH)
    assigned: bool | None = None


class ReissueBody(Body):
    """An invoice issued again."""

    reissued_on: date
    reason: Literal["customer", "company"]


class CostBody(Body):
    """An actual cost in yen that the customer owes."""

    recorded_on: date
    kind: CostKind
    amount: int
    due_on: date | None = None


class CorrectionBody(Body):
    """New values for fields of a recorded fact, or null to withdraw it."""

    corrects: UUID
    values: dict[str, Any] | None
    reason: str = Field(min_length=1, max_length=1000)


class FactAnswer(BaseModel):
    """A fact recorded by billing, by whose id it can be corrected."""

    event_id: UUID
    type: str
    recorded_at: AwareDatetime
    data: dict[str, Any]


class ContractAnswer(BaseModel):
    """A contract as billing knows it; `months` gives the last revision billed of each."""

    contract_id: UUID
    customer_id: UUID | None
    account_id: UUID | None
    service: str
    applied_on: date | None
    approved_on: date | None
    started_on: date | None
    ended_on: date | None
    end_cause: str | None
    months: dict[str, int]
    facts: list[FactAnswer]


class PreviewAnswer(BaseModel):
    """What a run would issue now: documents without number and hash, demands, and that in words."""

    outcome: str
    documents: list[InvoiceIssued | CreditNoteIssued]
    demands: list[PenaltyCharged]


@router.get("", responses=refusals(UnknownContract, NotComplete))
async def show_contract(
    *,
    contract_id: UUID,
    working: Working,
    asker: Asker,
    _seen: Seen,
    response: Response,
    known_on: KnownOn = None,
) -> ContractAnswer:
    """What billing knows of a contract, or knew on a day.

    Its `ETag` is the version of what is recorded here now.
    """
    await whole(working.billing, known_on=known_on)
    until = end_of(known_on)
    timeline = await use_cases.timeline_of(working.billing, contract_id, known_until=until)
    asker.only_own(timeline.customer_id)
    stream = await working.billing.log.load(contract_id)
    response.headers["ETag"] = etag(len(stream))
    stream = tuple(e for e in stream if until is None or e.envelope.recorded_at < until)
    end = timeline.ended or timeline.revoked
    return ContractAnswer(
        contract_id=contract_id,
        customer_id=timeline.customer_id,
        account_id=await working.billing.timelines.account_of(contract_id),
        service=timeline.service,
        applied_on=timeline.applied.on if timeline.applied else None,
        approved_on=timeline.approved.on if timeline.approved else None,
        started_on=timeline.started.on if timeline.started else None,
        ended_on=end.on if end else None,
        end_cause=timeline.ended.cause if timeline.ended else ("revoked" if end else None),
        months=use_cases.revisions_of(stream),
        facts=[
            FactAnswer(
                event_id=each.envelope.event_id,
                type=each.event.type,
                recorded_at=each.envelope.recorded_at,
                data=each.event.model_dump(mode="json", exclude={"type"}),
            )
            for each in stream
            if isinstance(each.event, OWN)
        ],
    )


@router.get("/preview", responses=refusals(UnknownContract, NoRules, UnknownDuePolicy, NotComplete))
async def show_preview(
    *,
    contract_id: UUID,
    working: Working,
    asker: Asker,
    _seen: Seen,
    closing_on: Annotated[date, Query()],
    issued_on: Annotated[date | None, Query()] = None,
    due_policy: Annotated[str | None, Query(max_length=100)] = None,
    known_on: KnownOn = None,
) -> PreviewAnswer:
    """What a run closing on a day would issue; computed by the same functions, changes nothing."""
    timeline = await use_cases.timeline_of(working.billing, contract_id)
    asker.only_own(timeline.customer_id)
    drafted = await preview(
        working.billing,
        contract_id,
        closing_on=closing_on,
        issued_on=issued_on or today(working),
        due_policy=due_policy or working.due_policy,
        known_on=known_on,
    )
    events = cast("Sequence[Event]", drafted.account_events)
    return PreviewAnswer(
        outcome=drafted.outcome,
        documents=[e for e in events if isinstance(e, InvoiceIssued | CreditNoteIssued)],
        demands=[e for e in events if isinstance(e, PenaltyCharged)],
    )


def _made(*kinds: type[Refusal]) -> dict[str, Any]:
    return {
        "status_code": 201,
        "response_model": Recorded,
        "responses": refusals(UnknownContract, Stale, *kinds),
    }


@router.post("/relief", **_made(OneRelief))
async def grant_relief(
    contract_id: UUID,
    body: ReliefBody,
    working: Working,
    wish: Annotated[Write, creating("grant-relief")],
) -> Response:
    """Grant disaster relief."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.grant_relief(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )


@router.post("/evasions", **_made(NotAnAmount))
async def find_evasion(
    contract_id: UUID,
    body: EvasionBody,
    working: Working,
    wish: Annotated[Write, creating("find-evasion")],
) -> Response:
    """A charge was unlawfully evaded: it and its surcharge will be demanded.

    The amount is taken as stated; `warnings` say where an own invoice says otherwise.
    """
    warnings = await evasion_doubts(
        working.billing,
        contract_id,
        found_on=body.found_on,
        original_on=body.original_on or body.found_on,
        evaded=body.evaded,
    )
    command = Command(wish=wish, stream_id=contract_id, status=201, warnings=warnings)
    return command.answer(
        await use_cases.find_evasion(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )


@router.post("/underbillings", **_made())
async def find_underbilling(
    contract_id: UUID,
    body: UnderbillingBody,
    working: Working,
    wish: Annotated[Write, creating("find-underbilling")],
) -> Response:
    """A month was billed too low; a bill that was right changes nothing.

    Both amounts are taken as stated; `warnings` say where an own invoice says otherwise.
    """
    warnings = await underbilling_doubts(
        working.billing,
        contract_id,
        found_on=body.found_on,
        original_on=body.original_on,
        billed=body.billed,
        correct=body.correct,
    )
    command = Command(wish=wish, stream_id=contract_id, status=201, warnings=warnings)
    return command.answer(
        await use_cases.find_underbilling(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )


@router.post("/certificates", **_made(ClaimAssigned, NotFullyPaid))
async def issue_certificate(
    contract_id: UUID,
    body: CertificateBody,
    working: Working,
    wish: Annotated[Write, creating("issue-certificate")],
) -> Response:
    """Certify that a month was paid."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.issue_certificate(
            working.billing,
            contract_id,
            write=command.write,
            **{**body.model_dump(), "issued_on": body.issued_on or body.requested_on},
        )
    )


@router.post("/qualified-invoices", **_made())
async def issue_qualified_invoice(
    contract_id: UUID,
    body: PaperBody,
    working: Working,
    wish: Annotated[Write, creating("issue-qualified-invoice")],
) -> Response:
    """Issue a qualified invoice on request."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.issue_qualified_invoice(
            working.billing,
            contract_id,
            write=command.write,
            **{**body.model_dump(), "issued_on": body.issued_on or body.requested_on},
        )
    )


@router.post("/reissues", **_made())
async def reissue_invoice(
    contract_id: UUID,
    body: ReissueBody,
    working: Working,
    wish: Annotated[Write, creating("reissue-invoice")],
) -> Response:
    """Issue an invoice again."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.reissue_invoice(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )


@router.post("/actual-costs", **_made(NotAnAmount))
async def record_actual_cost(
    contract_id: UUID,
    body: CostBody,
    working: Working,
    wish: Annotated[Write, creating("record-actual-cost")],
) -> Response:
    """Record a cost the customer owes as spent."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.record_actual_cost(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )


@router.post("/corrections", **_made(FactUnknown, WrongCorrection))
async def correct_fact(
    contract_id: UUID,
    body: CorrectionBody,
    working: Working,
    wish: Annotated[Write, creating("correct-fact")],
) -> Response:
    """Put a fact recorded by billing right, or withdraw it."""
    command = Command(wish=wish, stream_id=contract_id, status=201)
    return command.answer(
        await use_cases.correct_fact(
            working.billing, contract_id, write=command.write, **body.model_dump()
        )
    )
