"""What a service's readers could not take, over HTTP: listed, told, retried, given up.

For staff with the scope `operator`. Who makes an application with this router gives it the
database's pool as `app.state.parked`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from libs.events import parking
from libs.events.answers import Named, once
from libs.events.database import Connection, Pool, transaction
from libs.events.parked_story import Skipped, Story, list_skipped, tell
from libs.events.parking import NotFirst, ParkedStream, StreamParked
from libs.events.refusals import KeyReused
from libs.refusal.refusal import NotFound
from libs.web.auth import OPERATOR, requires
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write, write

router = APIRouter(tags=["parked"])

_STAFF = [Depends(requires(OPERATOR, staff=True))]
Retrying = Annotated[
    Write, Depends(write(OPERATOR, "retry a parked stream", versioned=False, staff=True))
]
Skipping = Annotated[
    Write, Depends(write(OPERATOR, "skip a parked event", versioned=False, staff=True))
]
Asked = Annotated[Paging, Depends(paging)]

_STREAM_KEY = 3
_SKIPPED_KEY = 4


class GiveUp(BaseModel):
    """Give up the event that stands first: its id as you saw it, and why, kept for ever."""

    model_config = ConfigDict(extra="forbid")

    event_id: UUID
    because: str = Field(min_length=1, max_length=1_000)


class Answer(BaseModel):
    """What was done to a parked stream, and the event that it was about."""

    stream_id: UUID
    event_id: UUID
    done: str


@router.get("/parked", dependencies=_STAFF)
async def list_parked(
    request: Request,
    response: Response,
    *,
    asked: Asked,
    consumer: str | None = None,
    stream_id: UUID | None = None,
) -> Page[StreamParked]:
    """The parked streams, each by its first event, by reader, topic and stream."""
    found = await parking.list_streams(
        _pool(request),
        after=_stream_after(asked),
        limit=asked.limit + 1,
        consumer=consumer,
        stream_id=stream_id,
    )
    return page_of(found, asked, key=_key, request=request, response=response)


@router.get(
    "/parked/{consumer}/{topic}/{stream_id}", dependencies=_STAFF, responses=refusals(NotFound)
)
async def tell_parked(request: Request, consumer: str, topic: str, stream_id: UUID) -> Story:
    """Why a stream is parked: the event, the reason and its clause, the case, what is behind."""
    stream = ParkedStream(consumer=consumer, topic=topic, stream_id=stream_id)
    return await tell(_pool(request), stream)


@router.post(
    "/parked/{consumer}/{topic}/{stream_id}/retry",
    status_code=202,
    response_model=Answer,
    responses=refusals(NotFound, KeyReused),
)
async def retry(
    request: Request, consumer: str, topic: str, stream_id: UUID, *, asked: Retrying
) -> Response:
    """Have the reader's worker try the stream again, within a second or so."""
    stream = ParkedStream(consumer=consumer, topic=topic, stream_id=stream_id)

    async def work(connection: Connection) -> Answer:
        story = await tell(connection, stream)
        await parking.ask_retry(connection, stream)
        return Answer(stream_id=stream_id, event_id=story.first.event_id, done="retry")

    return await _done_once(_pool(request), asked, work=work, status=202)


@router.post(
    "/parked/{consumer}/{topic}/{stream_id}/skip",
    response_model=Answer,
    responses=refusals(NotFound, NotFirst, KeyReused),
)
async def skip(
    request: Request,
    consumer: str,
    topic: str,
    stream_id: UUID,
    body: GiveUp,
    *,
    asked: Skipping,
) -> Response:
    """Give up the event at which the stream stopped; what is behind it is tried next."""
    stream = ParkedStream(consumer=consumer, topic=topic, stream_id=stream_id)

    async def work(connection: Connection) -> Answer:
        event_id = await parking.skip(
            connection, stream, because=body.because, by=asked.cause.actor, event_id=body.event_id
        )
        return Answer(stream_id=stream_id, event_id=event_id, done="skip")

    return await _done_once(_pool(request), asked, work=work, status=200)


@router.get("/skipped", dependencies=_STAFF)
async def skipped(request: Request, response: Response, asked: Asked) -> Page[Skipped]:
    """What was given up: which event, why it had been parked, who gave it up and why."""
    found = await list_skipped(_pool(request), after=_skipped_after(asked), limit=asked.limit + 1)
    return page_of(
        found,
        asked,
        key=lambda one: (one.consumer, one.topic, one.partition, one.sequence),
        request=request,
        response=response,
    )


async def _done_once(
    pool: Pool, asked: Write, *, work: Callable[[Connection], Awaitable[Answer]], status: int
) -> Response:
    """Do the work and keep its answer in one transaction; a repeat gets the first's."""
    assert asked.key is not None, "a POST has a key"

    async with transaction(pool) as connection:

        async def answer() -> bytes:
            return (await work(connection)).model_dump_json().encode()

        named = Named(asked.scope, asked.key, asked.fingerprint)
        body, replayed = await once(connection, named, work=answer)
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return JSONResponse(orjson.loads(body), status_code=status, headers=headers)


def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.parked
    return pool


def _key(found: StreamParked) -> tuple[Any, ...]:
    return found.first.consumer, found.first.topic, found.first.stream_id


def _stream_after(asked: Paging) -> ParkedStream | None:
    if asked.after is None:
        return None
    if len(asked.after) != _STREAM_KEY:
        raise BadCursor
    consumer, topic, stream_id = asked.after
    try:
        return ParkedStream(consumer=str(consumer), topic=str(topic), stream_id=UUID(stream_id))
    except (AttributeError, TypeError, ValueError) as error:
        raise BadCursor from error


def _skipped_after(asked: Paging) -> tuple[str, str, int, int] | None:
    if asked.after is None:
        return None
    if len(asked.after) != _SKIPPED_KEY:
        raise BadCursor
    consumer, topic, partition, sequence = asked.after
    if not (isinstance(partition, int) and isinstance(sequence, int)):
        raise BadCursor
    return str(consumer), str(topic), partition, sequence
