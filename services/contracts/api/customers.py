"""Routes of customers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from uuid_utils.compat import uuid7

from libs.events.refusals import KeyReused
from libs.refusal.refusal import Stale
from libs.web.auth import Principal, requires
from libs.web.problems import refusals
from libs.web.writes import Write, at_least, etag, reached, write
from services.contracts import use_cases
from services.contracts.answers import CustomerAnswer, customer_answer
from services.contracts.api.parts import TheParts, command, customer_answered, customer_in
from services.contracts.domain.refusals import (
    AlreadyExists,
    NothingChanges,
    PartyIsForgotten,
    StillNeeded,
    UnknownCustomer,
)
from services.contracts.requests import CustomerChange, Forgetting, NewCustomer

router = APIRouter(prefix="/customers", tags=["customers"])


@router.post(
    "", status_code=201, response_model=CustomerAnswer, responses=refusals(AlreadyExists, KeyReused)
)
async def register(
    body: NewCustomer,
    parts: TheParts,
    wish: Annotated[
        Write, Depends(write("contracts:write", "register-customer", versioned=False, staff=True))
    ],
) -> Response:
    """Register a customer."""
    customer_id = body.customer_id or uuid7()
    appended = await use_cases.register_customer(
        parts.log,
        command(customer_id, wish, status=201),
        registered_on=body.registered_on,
        corporate_number=body.corporate_number,
        details=body.details(corporate=body.corporate, payment_method=body.payment_method),
    )
    return await customer_answered(parts, customer_id, wish, appended, status=201)


@router.get("/{customer_id}", responses=refusals(UnknownCustomer))
async def show(
    customer_id: UUID,
    response: Response,
    parts: TheParts,
    asker: Annotated[Principal, Depends(requires("contracts:read"))],
    position: Annotated[int | None, Depends(at_least)],
) -> CustomerAnswer:
    """A customer as registered now."""
    asker.only_own(customer_id)
    await reached(parts.log.position, position)
    history = await parts.log.load(customer_id)
    known = customer_in(history)
    response.headers["ETag"] = etag(len(history))
    return customer_answer(known, version=len(history))


@router.patch(
    "/{customer_id}",
    response_model=CustomerAnswer,
    responses=refusals(UnknownCustomer, NothingChanges, PartyIsForgotten, Stale, KeyReused),
)
async def change(
    customer_id: UUID,
    body: CustomerChange,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "change-customer"))],
) -> Response:
    """Change registered details; what is left out stays."""
    wish.asker.only_own(customer_id)
    appended = await use_cases.change_customer(
        parts.log,
        command(customer_id, wish),
        changed_on=body.changed_on,
        notified_on=body.notified_on,
        details=body.details(corporate=body.corporate, payment_method=body.payment_method),
    )
    return await customer_answered(parts, customer_id, wish, appended)


@router.post(
    "/{customer_id}/forgetting",
    response_model=CustomerAnswer,
    responses=refusals(UnknownCustomer, StillNeeded, Stale, KeyReused),
)
async def forget(
    customer_id: UUID,
    body: Forgetting,
    parts: TheParts,
    wish: Annotated[Write, Depends(write("contracts:write", "forget-customer", staff=True))],
) -> Response:
    """Forget what is registered of a party, today and for good, once nothing needs it any more.

    `contact` (name, address, e-mail, telephone) is needed while a contract stands or a debt is
    late; `invoice` (whom documents are made out to) for the years of tax law after that as well.
    """
    appended = await parts.forgetter.forget(
        command(customer_id, wish), classes=body.classes, reason=body.reason
    )
    return await customer_answered(parts, customer_id, wish, appended)
