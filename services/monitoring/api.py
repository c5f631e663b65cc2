"""The site of a contract over HTTP: commands by its contract's id, and what is known of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

from libs.dates.clock import Clock
from libs.events.database import Pool
from libs.events.log import Appended, Log
from libs.events.vocabulary.monitoring import Fault
from libs.refusal.refusal import Stale
from libs.web.auth import Principal, requires
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write, at_least, etag, reached, write
from services.monitoring import use_cases
from services.monitoring.domain.devices import Finding, NoSendBack, Replacement
from services.monitoring.domain.facts import NotCorrectable, NothingToCorrect
from services.monitoring.domain.outages import NotYetKnown
from services.monitoring.domain.site import (
    AfterTheEnd,
    AlreadyRecorded,
    BeforeTheSite,
    Closed,
    Device,
    DeviceNotAwaited,
    DeviceNotThere,
    EndBeforeStart,
    NoSuchSite,
    NotYetOverdue,
    SiteNotOpen,
    Unopened,
    opened,
)
from services.monitoring.use_cases import Command, SwapTermsOf
from services.monitoring.views.sites import OutageRow, SiteRow, list_outages, list_sites

READ = "monitoring:read"
WRITE = "monitoring:write"

Metrics = Callable[[], str]

router = APIRouter(tags=["sites"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes work with, at `app.state.site`; `level` is the view's position."""

    log: Log
    pool: Pool
    clock: Clock
    terms_of: SwapTermsOf
    level: Callable[[], Awaitable[int]]


async def parts(request: Request) -> Parts:
    """A dependency: what the routes work with."""
    found: Parts = request.app.state.site
    return found


Working = Annotated[Parts, Depends(parts)]
Asker = Annotated[Principal, Depends(requires(READ))]
AtLeast = Annotated[int | None, Depends(at_least)]


class Body(BaseModel):
    """A request; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceBody(Body):
    """A device that stands at the site from `introduced_on`."""

    device_id: UUID | None = None
    model: str = Field(min_length=1, max_length=100)
    serial: str = Field(min_length=1, max_length=100)
    licensed: bool = False
    introduced_on: date


class OutageBody(Body):
    """The service was unusable from `from_at` (included) to `to_at` (excluded)."""

    outage_id: UUID | None = None
    from_at: AwareDatetime
    to_at: AwareDatetime
    known_at: AwareDatetime
    fault: Fault
    complete: bool = True
    incident: str | None = Field(default=None, max_length=200)


class SwapBody(Body):
    """A replacement by send-back; shipment and delivery default to the day of the exchange.

    `replacement_cost` in yen is the re-procurement price of the old device: with it, a device
    that does not come back is claimed by itself.
    """

    old_device_id: UUID
    new_device_id: UUID | None = None
    model: str = Field(min_length=1, max_length=100)
    serial: str = Field(min_length=1, max_length=100)
    swapped_on: date
    shipped_on: date | None = None
    delivered_on: date | None = None
    replacement_cost: int | None = Field(default=None, ge=0)


class ReturnBody(Body):
    """A replaced device came back; amounts in yen."""

    device_id: UUID | None = None
    returned_on: date
    finding: Finding
    replacement_cost: int | None = Field(default=None, ge=0)
    claim: int | None = Field(default=None, ge=0)


class OverdueBody(Body):
    """A replaced device did not come back in time; its price in yen is claimed."""

    device_id: UUID | None = None
    overdue_on: date
    replacement_cost: int = Field(ge=0)


class VisitBody(Body):
    """A visit to the site: way and time one way; surcharge in yen."""

    visited_on: date
    distance_metres: int = Field(ge=0)
    minutes: int = Field(ge=0)
    remote_island: bool = False
    surcharge: int = Field(default=0, ge=0)


class RepairBody(Body):
    """A repair on site; cost in yen."""

    made_at: AwareDatetime
    urgent: bool = False
    actual_cost: int = Field(ge=0)


class CorrectionBody(Body):
    """New values for fields of a recorded fact, or null to withdraw it."""

    corrects: UUID
    values: dict[str, Any] | None
    reason: str = Field(min_length=1, max_length=1000)


class Recorded(BaseModel):
    """What a command led to; `id` names the device or outage, `events` are empty for no change."""

    contract_id: UUID
    id: UUID | None
    events: list[UUID]


class DeviceAnswer(BaseModel):
    """A device at the site."""

    device_id: UUID
    model: str
    serial: str
    licensed: bool
    introduced_on: date


class AwaitedAnswer(BaseModel):
    """A replaced device that is owed back."""

    device_id: UUID
    swapped_on: date
    due_back_on: date | None
    replacement_cost: int | None
    claimed: bool


class FactAnswer(BaseModel):
    """A recorded event, by whose id it can be corrected."""

    event_id: UUID
    version: int
    type: str
    recorded_at: AwareDatetime
    data: dict[str, Any]


class SiteAnswer(BaseModel):
    """A site as its facts stand, and the facts as recorded."""

    contract_id: UUID
    customer_id: UUID
    service: str
    state: Literal["open", "closed"]
    opened_on: date
    closed_on: date | None
    devices: list[DeviceAnswer]
    awaited: list[AwaitedAnswer]
    outages: list[OutageRow]
    facts: list[FactAnswer]


def _written(operation: str) -> Any:
    return Depends(write(WRITE, operation, staff=True))


def _command(contract_id: UUID, wish: Write, *, named: UUID | None = None) -> Command:
    return Command(
        contract_id=contract_id,
        cause=wish.cause,
        expected=wish.expected,
        riders=wish.riders(contract_id, status=201, body=lambda done: _body(done, named)),
    )


def _body(appended: Appended, named: UUID | None) -> dict[str, Any]:
    return {
        "id": str(named) if named else None,
        "events": [str(each.envelope.event_id) for each in appended.events],
    }


def _answer(
    contract_id: UUID, wish: Write, appended: Appended, *, named: UUID | None = None
) -> Response:
    kept = wish.kept(appended, contract_id, status=201, body=lambda done: _body(done, named))
    return kept.response({"contract_id": str(contract_id), **kept.body})


def _outage_place(after: list[Any] | None) -> tuple[datetime, UUID, UUID] | None:
    if after is None:
        return None
    try:
        from_at, contract_id, outage_id = after
        return datetime.fromisoformat(from_at), UUID(contract_id), UUID(outage_id)
    except (TypeError, ValueError) as error:
        raise BadCursor from error


def _site_place(after: list[Any] | None) -> UUID | None:
    if after is None:
        return None
    try:
        (contract_id,) = after
        return UUID(contract_id)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadCursor from error


_ALWAYS = (SiteNotOpen, Stale)


@router.post(
    "/sites/{contract_id}/devices",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, AlreadyRecorded, AfterTheEnd),
)
async def register_device(
    contract_id: UUID,
    body: DeviceBody,
    site: Working,
    wish: Annotated[Write, _written("register-device")],
) -> Response:
    """A device stands at the site."""
    device_id = body.device_id or uuid7()
    appended = await use_cases.register_device(
        site.log,
        _command(contract_id, wish, named=device_id),
        device=Device(
            device_id=device_id,
            model=body.model,
            serial=body.serial,
            licensed=body.licensed,
            introduced_on=body.introduced_on,
        ),
    )
    return _answer(contract_id, wish, appended, named=device_id)


@router.post(
    "/sites/{contract_id}/outages",
    status_code=201,
    response_model=Recorded,
    responses=refusals(
        *_ALWAYS, AlreadyRecorded, BeforeTheSite, AfterTheEnd, EndBeforeStart, NotYetKnown
    ),
)
async def record_outage(
    contract_id: UUID,
    body: OutageBody,
    site: Working,
    wish: Annotated[Write, _written("record-outage")],
) -> Response:
    """The service was unusable for a while."""
    outage_id = body.outage_id or uuid7()
    appended = await use_cases.record_outage(
        site.log,
        _command(contract_id, wish, named=outage_id),
        outage_id=outage_id,
        from_at=body.from_at,
        to_at=body.to_at,
        known_at=body.known_at,
        fault=body.fault,
        now=wish.cause.now or site.clock.now(),
        complete=body.complete,
        incident=body.incident,
    )
    return _answer(contract_id, wish, appended, named=outage_id)


@router.post(
    "/sites/{contract_id}/swaps",
    status_code=201,
    response_model=Recorded,
    responses=refusals(
        *_ALWAYS,
        AlreadyRecorded,
        BeforeTheSite,
        AfterTheEnd,
        DeviceNotThere,
        EndBeforeStart,
        NoSendBack,
    ),
)
async def swap_device(
    contract_id: UUID,
    body: SwapBody,
    site: Working,
    wish: Annotated[Write, _written("swap-device")],
) -> Response:
    """A device found at fault is replaced; the old one is owed back."""
    device_id = body.new_device_id or uuid7()
    delivered_on = body.delivered_on or body.swapped_on
    appended = await use_cases.swap_device(
        site.log,
        _command(contract_id, wish, named=device_id),
        old_device_id=body.old_device_id,
        new=Replacement(
            device_id=device_id,
            model=body.model,
            serial=body.serial,
            shipped_on=body.shipped_on or delivered_on,
            delivered_on=delivered_on,
            cost=body.replacement_cost,
        ),
        swapped_on=body.swapped_on,
        terms_of=site.terms_of,
    )
    return _answer(contract_id, wish, appended, named=device_id)


@router.post(
    "/sites/{contract_id}/returns",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, DeviceNotAwaited),
)
async def take_back_device(
    contract_id: UUID,
    body: ReturnBody,
    site: Working,
    wish: Annotated[Write, _written("take-back-device")],
) -> Response:
    """A replaced device came back."""
    appended = await use_cases.take_back_device(
        site.log,
        _command(contract_id, wish, named=body.device_id),
        device_id=body.device_id,
        returned_on=body.returned_on,
        finding=body.finding,
        replacement_cost=body.replacement_cost,
        claim=body.claim,
    )
    return _answer(contract_id, wish, appended, named=body.device_id)


@router.post(
    "/sites/{contract_id}/overdue",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, AlreadyRecorded, DeviceNotAwaited, NotYetOverdue),
)
async def claim_overdue_device(
    contract_id: UUID,
    body: OverdueBody,
    site: Working,
    wish: Annotated[Write, _written("claim-overdue-device")],
) -> Response:
    """A replaced device did not come back in time; its price is claimed."""
    appended = await use_cases.claim_overdue_device(
        site.log,
        _command(contract_id, wish, named=body.device_id),
        device_id=body.device_id,
        overdue_on=body.overdue_on,
        replacement_cost=body.replacement_cost,
    )
    return _answer(contract_id, wish, appended, named=body.device_id)


@router.post(
    "/sites/{contract_id}/visits",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, BeforeTheSite, AfterTheEnd),
)
async def record_visit(
    contract_id: UUID,
    body: VisitBody,
    site: Working,
    wish: Annotated[Write, _written("record-visit")],
) -> Response:
    """The site was visited."""
    appended = await use_cases.record_visit(
        site.log, _command(contract_id, wish), **body.model_dump()
    )
    return _answer(contract_id, wish, appended)


@router.post(
    "/sites/{contract_id}/repairs",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, BeforeTheSite, AfterTheEnd),
)
async def record_repair(
    contract_id: UUID,
    body: RepairBody,
    site: Working,
    wish: Annotated[Write, _written("record-repair")],
) -> Response:
    """Something was repaired at the site."""
    appended = await use_cases.record_repair(
        site.log, _command(contract_id, wish), **body.model_dump()
    )
    return _answer(contract_id, wish, appended)


@router.post(
    "/sites/{contract_id}/corrections",
    status_code=201,
    response_model=Recorded,
    responses=refusals(*_ALWAYS, NothingToCorrect, NotCorrectable),
)
async def correct_fact(
    contract_id: UUID,
    body: CorrectionBody,
    site: Working,
    wish: Annotated[Write, _written("correct-fact")],
) -> Response:
    """A recorded fact is put right, or withdrawn."""
    appended = await use_cases.correct_fact(
        site.log,
        _command(contract_id, wish),
        corrects=body.corrects,
        values=body.values,
        reason=body.reason,
    )
    return _answer(contract_id, wish, appended)


@router.get("/sites/{contract_id}", responses=refusals(NoSuchSite))
async def show_site(
    contract_id: UUID, site: Working, asker: Asker, response: Response
) -> SiteAnswer:
    """The site as it stands in the log at this moment; its `ETag` is what `If-Match` takes."""
    found, history = await use_cases.site_at(site.log, contract_id)
    if isinstance(found, Unopened):
        raise NoSuchSite
    content = opened(found)
    asker.only_own(content.customer_id)
    response.headers["ETag"] = etag(len(history))
    return SiteAnswer(
        contract_id=contract_id,
        customer_id=content.customer_id,
        service=content.service,
        state="closed" if isinstance(found, Closed) else "open",
        opened_on=content.opened_on,
        closed_on=found.closed_on if isinstance(found, Closed) else None,
        devices=[
            DeviceAnswer.model_validate(each, from_attributes=True)
            for each in content.standing.values()
        ],
        awaited=[
            AwaitedAnswer.model_validate(each, from_attributes=True)
            for each in content.awaited.values()
        ],
        outages=[
            OutageRow.model_validate(each, from_attributes=True)
            for each in content.outages.values()
        ],
        facts=[
            FactAnswer(
                event_id=each.envelope.event_id,
                version=each.envelope.version,
                type=each.event.type,
                recorded_at=each.envelope.recorded_at,
                data=each.event.model_dump(mode="json", exclude={"type"}),
            )
            for each in history
        ],
    )


@router.get("/sites")
async def board(
    site: Working,
    *,
    asker: Asker,
    page: Annotated[Paging, Depends(paging)],
    wanted: AtLeast,
    request: Request,
    response: Response,
) -> Page[SiteRow]:
    """The board of sites, by contract; a customer sees their own."""
    await reached(site.level, wanted)
    found = await list_sites(
        site.pool,
        after=_site_place(page.after),
        customer_id=asker.customer_id,
        limit=page.limit + 1,
    )
    return page_of(
        found, page, key=lambda row: [row.contract_id], request=request, response=response
    )


@router.get("/outages")
async def outages(
    site: Working,
    *,
    asker: Asker,
    page: Annotated[Paging, Depends(paging)],
    wanted: AtLeast,
    request: Request,
    response: Response,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[OutageRow]:
    """Outages of which some part lies from `from` (included) to `to` (excluded)."""
    await reached(site.level, wanted)
    found = await list_outages(
        site.pool,
        from_at=from_at,
        to_at=to_at,
        customer_id=asker.customer_id,
        after=_outage_place(page.after),
        limit=page.limit + 1,
    )
    return page_of(
        found,
        page,
        key=lambda row: [row.from_at.isoformat(), row.contract_id, row.outage_id],
        request=request,
        response=response,
    )
