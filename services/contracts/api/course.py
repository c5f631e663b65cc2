"""Routes of a contract's course: changes, suspension, its line, its end, corrections."""

from typing import Annotated, assert_never
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from libs.dates.japan import japan_date
from libs.events.log import Appended
from libs.web.auth import Forbidden, Principal, requires
from libs.web.problems import refusals
from libs.web.writes import Write, write
from services.contracts import declining, previewing, use_cases
from services.contracts.answers import ContractAnswer
from services.contracts.api.contracts import COMMON, staff
from services.contracts.api.parts import (
    Parts,
    TheParts,
    command,
    contract_answered,
    own_contract,
)
from services.contracts.domain import refusals as no
from services.contracts.domain.cancelling import CancellationNotice
from services.contracts.domain.changes import Change
from services.contracts.domain.correcting import WrongValues
from services.contracts.domain.ending import Judgement
from services.contracts.domain.foreseeing import EndWish
from services.contracts.domain.use import Notice, Period
from services.contracts.previewing import TerminationPreview
from services.contracts.requests import (
    Abolition,
    BillingDay,
    CancellationRequest,
    ChangeDecline,
    ContentChange,
    Correction,
    CustomerTermination,
    EndQuery,
    GroundArose,
    LineConverted,
    LineEnded,
    OperatorTermination,
    Resume,
    Suspend,
    Termination,
    TerminationConfirmation,
    TerminationRequest,
    TicketOrder,
)

router = APIRouter(prefix="/contracts/{contract_id}", tags=["contracts"])
_RUNNING = (*COMMON, no.NotFormed, no.AlreadyEnded, no.NotOfThisService)


@router.post(
    "/content-changes",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NotEnoughToRemove, no.NothingChanges),
)
async def change_content(
    contract_id: UUID,
    body: ContentChange,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "change-content"))],
) -> Response:
    """Change what the contract is for."""
    await own_contract(parts, contract_id, wish.asker)
    appended = await use_cases.change_content(
        parts.log,
        command(contract_id, wish),
        change=Change(**{name: getattr(body, name) for name in ContentChange.model_fields}),
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/content-changes/decline",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NotAGround, no.TooEarly),
)
async def decline_change(
    contract_id: UUID,
    body: ChangeDecline,
    parts: TheParts,
    wish: Annotated[Write, staff("decline-change")],
) -> Response:
    """Refuse a change that was asked for; the content stays as it is."""
    appended = await declining.decline_change(
        parts.log,
        command(contract_id, wish),
        kind=body.kind,
        applied_on=body.applied_on,
        declined_on=body.declined_on,
        ground=body.ground,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/tickets", response_model=ContractAnswer, responses=refusals(*_RUNNING, no.NotInForce)
)
async def order_tickets(
    contract_id: UUID,
    body: TicketOrder,
    parts: TheParts,
    wish: Annotated[Write, staff("order-tickets")],
) -> Response:
    """Accept an order of tickets."""
    appended = await use_cases.order_tickets(
        parts.log,
        command(contract_id, wish),
        kind=body.kind,
        quantity=body.quantity,
        ordered_on=body.ordered_on,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post("/billing-day", response_model=ContractAnswer, responses=refusals(*_RUNNING))
async def change_billing_day(
    contract_id: UUID,
    body: BillingDay,
    parts: TheParts,
    wish: Annotated[Write, staff("billing-day")],
) -> Response:
    """Let billing months start on another day."""
    appended = await use_cases.change_billing_day(
        parts.log,
        command(contract_id, wish),
        start_day=body.start_day,
        from_on=body.from_on,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/suspension",
    response_model=ContractAnswer,
    responses=refusals(
        *_RUNNING,
        no.NotAGround,
        no.NoticeMissing,
        no.NotInForce,
        no.AlreadySuspended,
        no.SuspensionTooLong,
        no.SuspensionNotRenewed,
        no.TooEarly,
    ),
)
async def suspend(
    contract_id: UUID,
    body: Suspend,
    parts: TheParts,
    wish: Annotated[Write, staff("suspend")],
) -> Response:
    """Suspend use on a ground of the terms."""
    appended = await use_cases.suspend(
        parts.log,
        command(contract_id, wish),
        period=Period(from_on=body.from_on, until_on=body.until_on),
        ground=body.ground,
        notice=Notice(notified_on=body.notified_on, urgent_reason=body.urgent_reason),
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/resumption",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NotInForce, no.NotSuspended, no.TooEarly),
)
async def resume(
    contract_id: UUID,
    body: Resume,
    parts: TheParts,
    wish: Annotated[Write, staff("resume")],
) -> Response:
    """End the suspension."""
    appended = await use_cases.resume(
        parts.log, command(contract_id, wish), resumed_on=body.resumed_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post("/line-end", response_model=ContractAnswer, responses=refusals(*_RUNNING))
async def line_ended(
    contract_id: UUID,
    body: LineEnded,
    parts: TheParts,
    wish: Annotated[Write, staff("line-end")],
) -> Response:
    """The line contract ended; its termination ends this contract too."""
    appended = await use_cases.line_ended(
        parts.log,
        command(contract_id, wish),
        ended_on=body.ended_on,
        reason=body.reason,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post("/line-conversion", response_model=ContractAnswer, responses=refusals(*_RUNNING))
async def line_converted(
    contract_id: UUID,
    body: LineConverted,
    parts: TheParts,
    wish: Annotated[Write, staff("line-conversion")],
) -> Response:
    """The line became a collaboration line."""
    appended = await use_cases.line_converted(
        parts.log, command(contract_id, wish), converted_on=body.converted_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/termination-requests",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.BeyondMaximumPeriod),
)
async def request_termination(
    contract_id: UUID,
    body: TerminationRequest,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "request-termination"))],
) -> Response:
    """Ask for the end on a desired day; it waits for confirmation."""
    await own_contract(parts, contract_id, wish.asker)
    appended = await use_cases.request_termination(
        parts.log,
        command(contract_id, wish),
        requested_on=body.requested_on,
        desired_on=body.desired_on,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/termination-confirmation",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NoRequest, no.TooEarly, no.BeyondMaximumPeriod),
)
async def confirm_termination(
    contract_id: UUID,
    body: TerminationConfirmation,
    parts: TheParts,
    wish: Annotated[Write, staff("confirm-termination")],
) -> Response:
    """Confirm the pending request, which fixes the termination date."""
    appended = await use_cases.confirm_termination(
        parts.log, command(contract_id, wish), confirmed_on=body.confirmed_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/cancellation-requests",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NotEnoughToRemove),
)
async def cancel(
    contract_id: UUID,
    body: CancellationRequest,
    parts: TheParts,
    wish: Annotated[Write, staff("cancel")],
) -> Response:
    """The customer's notice arrived: it fixes the end, and what it costs."""
    appended = await use_cases.cancel(
        parts.log,
        command(contract_id, wish),
        notice=CancellationNotice(
            requested_on=body.requested_on,
            desired_on=body.desired_on,
            fee=body.cancellation_fee,
            damage=body.actual_damage,
            loss=body.loss_amount,
            option=body.option,
        ),
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.get(
    "/termination-preview",
    responses=refusals(
        *_RUNNING, no.TooEarly, no.BeyondMaximumPeriod, no.NoRequest, no.NotEnoughToRemove
    ),
)
async def preview_termination(
    contract_id: UUID,
    query: Annotated[EndQuery, Query()],
    parts: TheParts,
    asker: Annotated[Principal, Depends(requires("contracts:read"))],
) -> TerminationPreview:
    """Say which end would result if the customer asked for one, and why; changes nothing.

    What it would cost is told by billing, under the path in `charges`. Where the commands would be
    refused, so is this, with the same problem.
    """
    await own_contract(parts, contract_id, asker)
    requested_on = query.requested_on or japan_date(parts.clock.now())
    wish = EndWish(
        on=query.on,
        requested_on=requested_on,
        confirmed_on=query.confirmed_on or requested_on,
        option=query.option,
        fee=query.cancellation_fee,
        damage=query.actual_damage,
        loss=query.loss_amount,
        penalty_due_on=query.penalty_due_on,
    )
    return await previewing.preview_termination(
        parts.log, contract_id, wish=wish, terms=parts.terms
    )


@router.post(
    "/termination-grounds",
    response_model=ContractAnswer,
    responses=refusals(*_RUNNING, no.NotAGround),
)
async def record_ground(
    contract_id: UUID,
    body: GroundArose,
    parts: TheParts,
    wish: Annotated[Write, staff("record-ground")],
) -> Response:
    """A ground of ending the contract arose; nothing ends by itself."""
    appended = await use_cases.record_ground(
        parts.log,
        command(contract_id, wish),
        ground=body.ground,
        arose_on=body.arose_on,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/termination",
    response_model=ContractAnswer,
    responses=refusals(
        *_RUNNING, no.NotAGround, no.NoticeMissing, no.DemandMissing, no.TooEarly, no.TooLate
    ),
)
async def terminate(
    contract_id: UUID,
    body: Termination,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "terminate"))],
) -> Response:
    """End the contract: by the customer's form, by the operator, or with its service."""
    if wish.asker.customer_id is not None and body.by != "customer":
        raise Forbidden("a customer ends a contract as customer only")
    await own_contract(parts, contract_id, wish.asker)
    appended = await _terminated(parts, contract_id, wish, body)
    return await contract_answered(parts, contract_id, wish, appended)


async def _terminated(
    parts: Parts,
    contract_id: UUID,
    wish: Write,
    body: CustomerTermination | OperatorTermination | Abolition,
) -> Appended:
    on, terms = body.terminated_on, parts.terms
    match body:
        case CustomerTermination():
            return await use_cases.terminate_by_customer(
                parts.log,
                command(contract_id, wish),
                terminated_on=on,
                received_on=body.received_on or on,
                ground=body.ground,
                penalty_due_on=body.penalty_due_on,
                terms=terms,
            )
        case OperatorTermination():
            notice = Notice(notified_on=body.notified_on, urgent_reason=body.urgent_reason)
            return await use_cases.terminate_by_operator(
                parts.log,
                command(contract_id, wish),
                terminated_on=on,
                judgement=Judgement(ground=body.ground, notice=notice, cure_by_on=body.cure_by_on),
                penalty_due_on=body.penalty_due_on,
                terms=terms,
            )
        case Abolition():
            return await use_cases.abolish(
                parts.log, command(contract_id, wish), abolished_on=on, terms=terms
            )
        case _:
            assert_never(body)


@router.post(
    "/corrections",
    response_model=ContractAnswer,
    responses=refusals(*COMMON, no.UnknownFact, WrongValues),
)
async def correct(
    contract_id: UUID,
    body: Correction,
    parts: TheParts,
    wish: Annotated[Write, staff("correct")],
) -> Response:
    """Put a recorded fact right, or withdraw it."""
    appended = await use_cases.correct(
        parts.log,
        command(contract_id, wish),
        corrects=body.corrects,
        values=body.values,
        reason=body.reason,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)
