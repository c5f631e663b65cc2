"""Routes of the end of a service: announced here, carried out by the worker, watched here."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from libs.dates.japan import japan_date
from libs.events.follow import wait_for
from libs.events.refusals import KeyReused
from libs.events.vocabulary.contracts import AbolitionCarriedOut, ServiceAbolished
from libs.terms.in_force import NotYetInForce
from libs.web.auth import requires
from libs.web.problems import refusals
from libs.web.writes import Write, at_least, write
from services.contracts import abolishing
from services.contracts.api.parts import Parts, TheParts, command
from services.contracts.domain import refusals as no
from services.contracts.domain.abolishing import abolitions_of, stream_of
from services.contracts.requests import ServiceAbolition
from services.contracts.views import contracts

router = APIRouter(prefix="/services/{code}", tags=["services"])
_WAIT_SECONDS = 2.0


async def _sold(code: str, parts: TheParts) -> str:
    """A dependency: the code of a service in the path. Raises `NoSuchService`."""
    if code not in parts.terms.services:
        raise no.NoSuchService(
            f"{code} is not one of {', '.join(sorted(parts.terms.services))}", field="/code"
        )
    return code


class AbolitionAnswer(BaseModel):
    """The end of a service or of a plan of it, and how far it is.

    `ended` counts the contracts it has ended so far, those formed since the announcement too.
    `failures` says by contract why one could not be ended when all were met.
    """

    abolition_id: UUID
    plan: str | None
    announced_on: date
    abolished_on: date
    reason: str
    clause: str
    urgent_reason: str | None
    state: Literal["carrying-out", "carried-out"]
    ended: int
    failures: dict[str, str]


class Abolitions(BaseModel):
    """The ends that were announced of a service, the first first."""

    service: str
    abolitions: list[AbolitionAnswer]


@router.post(
    "/abolition",
    status_code=202,
    response_model=Abolitions,
    responses=refusals(
        no.NoSuchService,
        NotYetInForce,
        KeyReused,
        no.NotOfThisService,
        no.NoticeMissing,
        no.TooEarly,
        no.OtherwiseAbolished,
    ),
)
async def abolish(
    body: ServiceAbolition,
    parts: TheParts,
    wish: Annotated[
        Write, Depends(write("contracts:write", "abolish-service", versioned=False, staff=True))
    ],
    code: Annotated[str, Depends(_sold)],
) -> Response:
    """Announce, as of today, that a service or a plan of it ends; its contracts end with it."""
    stream_id = stream_of(code)
    appended = await abolishing.announce(
        parts.log,
        command(stream_id, wish, status=202),
        service=code,
        plan=body.plan,
        announced_on=japan_date(wish.cause.now or parts.clock.now()),
        abolished_on=body.abolished_on,
        reason=body.reason,
        urgent_reason=body.urgent_reason,
        terms=parts.terms,
    )
    kept = wish.kept(appended, stream_id, status=202)
    shown = await _shown(parts, code)
    return kept.response(shown.model_dump(mode="json"), location=f"/services/{code}/abolitions")


@router.get(
    "/abolitions",
    dependencies=[Depends(requires("contracts:read", staff=True))],
    responses=refusals(no.NoSuchService),
)
async def show(
    code: Annotated[str, Depends(_sold)],
    parts: TheParts,
    position: Annotated[int | None, Depends(at_least)],
) -> Abolitions:
    """What was announced of the end of a service, and how far it is."""
    if position is not None:
        await wait_for(parts.pool, contracts.NAME, position=position, seconds=_WAIT_SECONDS)
    return await _shown(parts, code)


async def _shown(parts: Parts, code: str) -> Abolitions:
    """By the stream of the service; how many contracts have ended is by the list of contracts."""
    events = [recorded.event for recorded in await parts.log.load(stream_of(code))]
    done = {event.abolition_id: event for event in events if isinstance(event, AbolitionCarriedOut)}
    return Abolitions(
        service=code,
        abolitions=[
            _answer(
                announced,
                done=done.get(announced.abolition_id),
                ended=await contracts.count_ended(parts.pool, announced.abolition_id),
            )
            for announced in abolitions_of(events)
        ],
    )


def _answer(
    announced: ServiceAbolished, *, done: AbolitionCarriedOut | None, ended: int
) -> AbolitionAnswer:
    return AbolitionAnswer(
        abolition_id=announced.abolition_id,
        plan=announced.plan,
        announced_on=announced.announced_on,
        abolished_on=announced.abolished_on,
        reason=announced.reason,
        clause=announced.clause,
        urgent_reason=announced.urgent_reason,
        state="carried-out" if done else "carrying-out",
        ended=ended,
        failures=done.failures if done else {},
    )
