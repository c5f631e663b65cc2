"""Notices over HTTP: what was said to whom and why, and the retry of one that failed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from opentelemetry import trace
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.log import Log
from libs.refusal.refusal import Stale
from libs.telemetry.tracing import span_context_of
from libs.web.auth import Principal, requires
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write, at_least, etag, reached, write
from services.notifications import use_cases
from services.notifications.domain.notice import (
    Failed,
    NoSuchNotice,
    NotFailed,
    NothingLeftToSend,
    Notice,
    Queued,
    Sent,
    queued,
)
from services.notifications.views.captured import CapturedMail, list_captured
from services.notifications.views.notices import NoticeRow, list_notices

READ = "notifications:read"
WRITE = "notifications:write"

Metrics = Callable[[], str]

router = APIRouter(tags=["notices"])
captured_router = APIRouter(tags=["rehearsal"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes work with, at `app.state.notices`; `level` is the view's position."""

    log: Log
    pool: Pool
    clock: Clock
    trace_url: str | None
    level: Callable[[], Awaitable[int]]


async def parts(request: Request) -> Parts:
    """A dependency: what the routes work with."""
    found: Parts = request.app.state.notices
    return found


Working = Annotated[Parts, Depends(parts)]
Asker = Annotated[Principal, Depends(requires(READ))]
AtLeast = Annotated[int | None, Depends(at_least)]


class WhyAnswer(BaseModel):
    """Why a notice is: the rule, its clauses, the event, and the trace of it."""

    rule: str
    clauses: list[str]
    because_of: UUID
    correlation_id: UUID
    trace_id: str | None
    trace_link: str | None


class NoticeAnswer(BaseModel):
    """A notice with its words; address and body are null once the recipient was forgotten."""

    notice_id: UUID
    state: Literal["queued", "sent", "failed"]
    channel: str
    service: str | None
    customer_id: UUID
    contract_ids: list[UUID]
    not_before_on: date
    queued_at: AwareDatetime
    sent_at: AwareDatetime | None
    answer: str | None
    address: str | None
    subject_line: str
    body: str | None
    why: WhyAnswer


class RetryBody(BaseModel):
    """Why a failed notice is tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=1000)


class RetryAnswer(BaseModel):
    """The notice that waits to be sent."""

    notice_id: UUID


@router.get("/notices")
async def notices(
    found: Working,
    *,
    asker: Asker,
    page: Annotated[Paging, Depends(paging)],
    wanted: AtLeast,
    request: Request,
    response: Response,
    contract_id: Annotated[UUID | None, Query()] = None,
    customer_id: Annotated[UUID | None, Query()] = None,
) -> Page[NoticeRow]:
    """Notices in the order in which they were queued; a customer sees their own."""
    await reached(found.level, wanted)
    if customer_id is not None:
        asker.only_own(customer_id)
    rows = await list_notices(
        found.pool,
        after=_position(page.after),
        customer_id=customer_id or asker.customer_id,
        contract_id=contract_id,
        limit=page.limit + 1,
    )
    return page_of(rows, page, key=lambda row: [row.position], request=request, response=response)


@router.get("/notices/{notice_id}", responses=refusals(NoSuchNotice))
async def show_notice(
    notice_id: UUID, found: Working, asker: Asker, response: Response
) -> NoticeAnswer:
    """A notice, its words, and why it is; its `ETag` is what `If-Match` takes."""
    notice, history = await use_cases.notice_at(found.log, notice_id)
    told = queued(notice)
    asker.only_own(told.customer_id)
    envelope = history[0].envelope
    response.headers["ETag"] = etag(len(history))
    trace_id = _trace_id(envelope.traceparent)
    return NoticeAnswer(
        notice_id=notice_id,
        state=_state(notice),
        channel=told.channel,
        service=told.service,
        customer_id=told.customer_id,
        contract_ids=list(told.contract_ids),
        not_before_on=told.not_before_on,
        queued_at=envelope.recorded_at,
        sent_at=notice.sent_at if isinstance(notice, Sent) else None,
        answer=notice.answer if isinstance(notice, Failed) else None,
        address=told.address,
        subject_line=told.subject_line,
        body=told.body,
        why=WhyAnswer(
            rule=told.rule,
            clauses=list(told.clauses),
            because_of=told.because_of,
            correlation_id=envelope.correlation_id,
            trace_id=trace_id,
            trace_link=_trace_link(found.trace_url, trace_id),
        ),
    )


@router.post(
    "/notices/{notice_id}/retry",
    status_code=202,
    response_model=RetryAnswer,
    responses=refusals(NoSuchNotice, NotFailed, NothingLeftToSend, Stale),
)
async def retry_notice(
    notice_id: UUID,
    body: RetryBody,
    found: Working,
    wish: Annotated[Write, Depends(write(WRITE, "retry-notice", staff=True))],
) -> Response:
    """Try a failed notice again."""
    appended = await use_cases.retry_notice(
        found.log,
        notice_id,
        requeued_on=japan_date(wish.cause.now or found.clock.now()),
        reason=body.reason,
        cause=wish.cause,
        expected=wish.expected,
        riders=wish.riders(notice_id, status=202),
    )
    kept = wish.kept(appended, notice_id, status=202)
    return kept.response({"notice_id": str(notice_id)})


@captured_router.get("/captured-mails")
async def captured(
    found: Working,
    *,
    _asker: Annotated[Principal, Depends(requires(READ, staff=True))],
    page: Annotated[Paging, Depends(paging)],
    request: Request,
    response: Response,
    contract_id: Annotated[UUID | None, Query()] = None,
) -> Page[CapturedMail]:
    """The mails of a rehearsal, which were kept in place of being sent."""
    mails = await list_captured(
        found.pool,
        contract_id=contract_id,
        after=_captured_place(page.after),
        limit=page.limit + 1,
    )
    return page_of(
        mails,
        page,
        key=lambda mail: [mail.captured_at.isoformat(), mail.notice_id],
        request=request,
        response=response,
    )


def _position(after: list[Any] | None) -> int:
    match after:
        case None:
            return 0
        case [int(position)]:
            return position
        case _:
            raise BadCursor


def _captured_place(after: list[Any] | None) -> tuple[datetime, UUID] | None:
    if after is None:
        return None
    try:
        at, notice_id = after
        return datetime.fromisoformat(at), UUID(notice_id)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadCursor from error


def _state(notice: Notice) -> Literal["queued", "sent", "failed"]:
    match notice:
        case Queued():
            return "queued"
        case Sent():
            return "sent"
        case _:
            return "failed"


def _trace_id(traceparent: str | None) -> str | None:
    context = span_context_of(traceparent)
    return None if context is None else trace.format_trace_id(context.trace_id)


def _trace_link(url: str | None, trace_id: str | None) -> str | None:
    return None if url is None or trace_id is None else f"{url}{trace_id}"
