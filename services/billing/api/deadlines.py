"""Deadlines over HTTP: a claim that is open after its due date is said to be late.

What is said takes effect on the first day of delay, not at the run.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel

from libs.dates.japan import japan_instant
from libs.web.writes import Write, write
from services.billing.api.parts import WRITE, Body, Seen, Staff, Working
from services.billing.deadlines import meet_due
from services.billing.views.accounts import next_late

router = APIRouter(prefix="/deadlines", tags=["deadlines"])

_MOST_ACCOUNTS = 1_000


class NextDeadline(BaseModel):
    """The earliest deadline, 00:00 of the first day of delay; null while there is none."""

    due_at: AwareDatetime | None


class DeadlineRunBody(Body):
    """Meet everything due at or before `until`, of these accounts or of all."""

    until: AwareDatetime
    account_ids: list[UUID] | None = None


class DeadlinesMet(BaseModel):
    """How many claims were said to be late."""

    met: int


@router.get("/next")
async def earliest(
    working: Working,
    _staff: Staff,
    _seen: Seen,
    account_id: Annotated[list[UUID] | None, Query(max_length=_MOST_ACCOUNTS)] = None,
) -> NextDeadline:
    """When the earliest deadline falls, of the accounts named or of all."""
    found = await next_late(working.pool, account_id or [])
    return NextDeadline(due_at=None if found is None else japan_instant(found[1]))


@router.post("/run")
async def run(
    body: DeadlineRunBody,
    working: Working,
    response: Response,
    wish: Annotated[Write, Depends(write(WRITE, "run-deadlines", versioned=False, staff=True))],
    _seen: Seen,
) -> DeadlinesMet:
    """Meet deadlines; what was said already is not said again, so a repeat is harmless."""
    met = await meet_due(
        working.billing,
        working.pool,
        until=body.until,
        among=body.account_ids or [],
        cause=wish.cause,
    )
    response.headers["Yakkan-Position"] = str(await working.billing.log.position())
    return DeadlinesMet(met=met)
