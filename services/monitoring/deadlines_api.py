"""Deadlines over HTTP: the earliest is asked for, and all up to an instant are met.

What follows takes effect at the deadline, not at the run. A scheduler calls this in production;
a play calls it in the order of all services' deadlines.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from libs.web.auth import Principal, requires
from libs.web.writes import Write, reached, write
from services.monitoring.api import READ, WRITE, AtLeast, Working
from services.monitoring.running import meet_due
from services.monitoring.views.sites import next_deadline

router = APIRouter(prefix="/deadlines", tags=["deadlines"])

_MOST_CONTRACTS = 1_000


class NextDeadline(BaseModel):
    """The earliest deadline; null while there is none."""

    due_at: AwareDatetime | None


class RunBody(BaseModel):
    """Meet everything due at or before `until`, of these contracts or of all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    until: AwareDatetime
    contract_ids: list[UUID] | None = None


class RunAnswer(BaseModel):
    """How many claims were made."""

    met: int


@router.get("/next")
async def earliest(
    site: Working,
    wanted: AtLeast,
    _asker: Annotated[Principal, Depends(requires(READ, staff=True))],
    contract_id: Annotated[list[UUID] | None, Query(max_length=_MOST_CONTRACTS)] = None,
) -> NextDeadline:
    """When the earliest deadline falls, of the contracts named or of all."""
    await reached(site.level, wanted)
    return NextDeadline(due_at=await next_deadline(site.pool, among=contract_id))


@router.post("/run")
async def run(
    body: RunBody,
    site: Working,
    wanted: AtLeast,
    response: Response,
    wish: Annotated[Write, Depends(write(WRITE, "run-deadlines", versioned=False, staff=True))],
) -> RunAnswer:
    """Meet deadlines; what is met already is not met again, so a repeat is harmless."""
    await reached(site.level, wanted)
    met = await meet_due(
        site.log, site.pool, until=body.until, among=body.contract_ids, cause=wish.cause
    )
    response.headers["Yakkan-Position"] = str(await site.log.position())
    return RunAnswer(met=met)
