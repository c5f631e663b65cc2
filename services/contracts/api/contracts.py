"""Routes of contracts from the application to the start, and what is told of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from uuid_utils.compat import uuid7

from libs.events.follow import wait_for
from libs.events.refusals import KeyReused, NotComplete, Reserved
from libs.refusal.refusal import Stale
from libs.terms.in_force import NotYetInForce
from libs.web.auth import Principal, requires
from libs.web.known import KnownOn
from libs.web.paging import Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write, at_least, etag, reached, write
from services.contracts import use_cases
from services.contracts.answers import (
    ContractAnswer,
    EventAnswer,
    contract_answer,
    history_answer,
)
from services.contracts.api.parts import (
    TheParts,
    command,
    contract_answered,
    own_contract,
    whole_history,
)
from services.contracts.domain import refusals as no
from services.contracts.domain.applications import Costs
from services.contracts.domain.terms import UnknownService
from services.contracts.requests import (
    Acceptance,
    Approval,
    Decline,
    InitialWork,
    NewContract,
    Revocation,
    Start,
)
from services.contracts.views import contracts

router = APIRouter(prefix="/contracts", tags=["contracts"])
COMMON = (no.UnknownContract, Stale, KeyReused, no.ImpossibleTimeline, NotYetInForce)
_WAIT_SECONDS = 2.0


def staff(operation: str) -> object:
    """A dependency: a versioned write that customers do not make themselves."""
    return Depends(write("contracts:write", operation, staff=True))


@router.post(
    "",
    status_code=201,
    response_model=ContractAnswer,
    responses=refusals(
        no.UnknownCustomer,
        UnknownService,
        NotYetInForce,
        no.IncompleteApplication,
        no.NotOfThisService,
        no.AlreadyExists,
        Reserved,
        KeyReused,
    ),
)
async def apply(
    body: NewContract,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "apply", versioned=False))],
) -> Response:
    """Apply for a service."""
    wish.asker.only_own(body.customer_id)
    contract_id = body.contract_id or uuid7()
    appended = await use_cases.apply(
        parts.log,
        command(contract_id, wish, status=201),
        service=body.service,
        customer_id=body.customer_id,
        applied_on=body.applied_on,
        content=body.content,
        consents=body.consents,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended, status=201)


@router.get("")
async def find(
    request: Request,
    response: Response,
    *,
    parts: TheParts,
    asker: Annotated[Principal, Depends(requires("contracts:read"))],
    page: Annotated[Paging, Depends(paging)],
    position: Annotated[int | None, Depends(at_least)],
    customer_id: UUID | None = None,
    state: str | None = None,
) -> Page[contracts.ContractRow]:
    """Contracts by id; a customer sees its own only."""
    if position is not None:
        await wait_for(parts.pool, contracts.NAME, position=position, seconds=_WAIT_SECONDS)
    if asker.customer_id is not None:
        asker.only_own(customer_id or asker.customer_id)
    found = await contracts.find(
        parts.pool,
        customer_id=asker.customer_id or customer_id,
        state=state,
        after=page.after_id(),
        limit=page.limit + 1,
    )
    return page_of(
        found, page, key=lambda row: [row.contract_id], request=request, response=response
    )


@router.get("/{contract_id}", responses=refusals(no.UnknownContract, NotComplete))
async def show(
    *,
    contract_id: UUID,
    response: Response,
    parts: TheParts,
    asker: Annotated[Principal, Depends(requires("contracts:read"))],
    position: Annotated[int | None, Depends(at_least)],
    known_on: KnownOn = None,
) -> ContractAnswer:
    """A contract as it is known now, or was known on a day.

    `version` is that of what was known then; the `ETag` is the version of what is recorded now.
    """
    await reached(parts.log.position, position)
    await own_contract(parts, contract_id, asker)
    history = await whole_history(parts, contract_id, known_on=known_on)
    response.headers["ETag"] = etag(len(history))
    known = use_cases.as_known(history, known_on=known_on)
    life = use_cases.life_known(known)
    return contract_answer(life, version=len(known), terms=parts.terms)


@router.get("/{contract_id}/history", responses=refusals(no.UnknownContract))
async def history(
    contract_id: UUID,
    parts: TheParts,
    asker: Annotated[Principal, Depends(requires("contracts:read"))],
    position: Annotated[int | None, Depends(at_least)],
) -> list[EventAnswer]:
    """The events of a contract in order, with who and what caused them."""
    await reached(parts.log.position, position)
    await own_contract(parts, contract_id, asker)
    recorded = await parts.log.load(contract_id)
    if not recorded:
        raise no.UnknownContract
    return history_answer(recorded)


@router.post(
    "/{contract_id}/approval",
    response_model=ContractAnswer,
    responses=refusals(*COMMON, no.NotUnderReview),
)
async def approve(
    contract_id: UUID,
    body: Approval,
    parts: TheParts,
    wish: Annotated[Write, staff("approve")],
) -> Response:
    """Accept the application, which forms the contract."""
    appended = await use_cases.approve(
        parts.log,
        command(contract_id, wish),
        approved_on=body.approved_on,
        document_number=body.document_number,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/{contract_id}/decline",
    response_model=ContractAnswer,
    responses=refusals(*COMMON, no.NotUnderReview, no.NotAGround),
)
async def decline(
    contract_id: UUID,
    body: Decline,
    parts: TheParts,
    wish: Annotated[Write, staff("decline")],
) -> Response:
    """Refuse the application on a ground of the terms."""
    appended = await use_cases.decline(
        parts.log,
        command(contract_id, wish),
        declined_on=body.declined_on,
        ground=body.ground,
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/{contract_id}/revocation",
    response_model=ContractAnswer,
    responses=refusals(*COMMON, no.NotFormed, no.NotAGround, no.AlreadyEnded, no.NotOfThisService),
)
async def revoke(
    contract_id: UUID,
    body: Revocation,
    parts: TheParts,
    wish: Annotated[Write, staff("revoke")],
) -> Response:
    """Take the acceptance back."""
    appended = await use_cases.revoke_approval(
        parts.log,
        command(contract_id, wish),
        revoked_on=body.revoked_on,
        ground=body.ground,
        costs=Costs(amount=body.costs, due_on=body.costs_due_on),
        terms=parts.terms,
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/{contract_id}/initial-work",
    response_model=ContractAnswer,
    responses=refusals(*COMMON, no.NotFormed, no.AlreadyStarted, no.NotOfThisService),
)
async def schedule_initial_work(
    contract_id: UUID,
    body: InitialWork,
    parts: TheParts,
    wish: Annotated[Write, staff("initial-work")],
) -> Response:
    """Set or move the day of the initial work."""
    appended = await use_cases.schedule_initial_work(
        parts.log, command(contract_id, wish), scheduled_on=body.scheduled_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/{contract_id}/start",
    response_model=ContractAnswer,
    responses=refusals(
        *COMMON, no.NotFormed, no.AlreadyStarted, no.AlreadyEnded, no.NotOfThisService
    ),
)
async def start(
    contract_id: UUID,
    body: Start,
    parts: TheParts,
    wish: Annotated[Write, staff("start")],
) -> Response:
    """Provision begins."""
    appended = await use_cases.start(
        parts.log, command(contract_id, wish), started_on=body.started_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)


@router.post(
    "/{contract_id}/acceptance",
    response_model=ContractAnswer,
    responses=refusals(
        *COMMON,
        no.NotFormed,
        no.AlreadyAccepted,
        no.AlreadyEnded,
        no.NotOfThisService,
        no.WorkOnHold,
    ),
)
async def accept_work(
    contract_id: UUID,
    body: Acceptance,
    parts: TheParts,
    wish: Annotated[Write, staff("accept-work")],
) -> Response:
    """The ordered work was finished; with it provision begins."""
    appended = await use_cases.accept_work(
        parts.log, command(contract_id, wish), accepted_on=body.accepted_on, terms=parts.terms
    )
    return await contract_answered(parts, contract_id, wish, appended)
