"""Routes of deadlines, and of the chains of unpaid debts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from libs.events.follow import wait_for
from libs.web.auth import requires
from libs.web.paging import Page, Paging, page_of, paging
from libs.web.writes import Write, at_least, write
from services.contracts.api.parts import TheParts
from services.contracts.requests import DeadlineRun
from services.contracts.views import dunning
from services.contracts.views.deadlines import DeadlineRow

router = APIRouter(tags=["deadlines"])
_WAIT_SECONDS = 2.0
_READERS = Depends(requires("contracts:read", staff=True))


class NextDeadline(BaseModel):
    """The earliest deadline, null when nothing waits."""

    next: DeadlineRow | None


class DeadlinesRan(BaseModel):
    """What was run, in order, and the position of the log afterwards."""

    ran: list[DeadlineRow]
    position: int


@router.get("/deadlines/next", dependencies=[_READERS])
async def next_deadline(
    parts: TheParts,
    scope: Annotated[list[UUID] | None, Query()] = None,
) -> NextDeadline:
    """The earliest deadline, of these contracts only when `scope` names some."""
    return NextDeadline(next=await parts.runner.earliest(until=None, scope=scope))


@router.post("/deadlines/run")
async def run_deadlines(
    body: DeadlineRun,
    response: Response,
    parts: TheParts,
    wish: Annotated[
        Write, Depends(write("contracts:write", "run-deadlines", versioned=False, staff=True))
    ],
) -> DeadlinesRan:
    """Run what is due, earliest first; again it finds nothing left to run."""
    ran = await parts.runner.run(until=body.until, scope=body.scope, cause=wish.cause)
    position = await parts.log.position()
    response.headers["Yakkan-Position"] = str(position)
    return DeadlinesRan(ran=ran, position=position)


@router.get("/dunning", dependencies=[_READERS])
async def find_dunning(
    request: Request,
    response: Response,
    *,
    parts: TheParts,
    page: Annotated[Paging, Depends(paging)],
    position: Annotated[int | None, Depends(at_least)],
    contract_id: UUID | None = None,
    open_only: bool = True,
) -> Page[dunning.DunningRow]:
    """The chains of unpaid debts; settled ones too when `open_only` is false."""
    if position is not None:
        await wait_for(parts.pool, dunning.NAME, position=position, seconds=_WAIT_SECONDS)
    found = await dunning.find(
        parts.pool,
        contract_id=contract_id,
        open_only=open_only,
        after=page.after_id(),
        limit=page.limit + 1,
    )
    return page_of(found, page, key=lambda row: [row.stream_id], request=request, response=response)
