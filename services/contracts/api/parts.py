"""What the routes work with, and how they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from libs.dates.clock import Clock
from libs.dates.japan import JAPAN, japan_day_over
from libs.events.complete import complete_until
from libs.events.database import Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Appended, Log
from libs.events.refusals import NotComplete
from libs.events.vocabulary.contracts import PartyForgotten
from libs.web.auth import Principal
from libs.web.writes import Write
from services.contracts import use_cases
from services.contracts.answers import contract_answer, customer_answer
from services.contracts.domain.contract import application_of
from services.contracts.domain.customer import Registered, Unregistered
from services.contracts.domain.facts import facts_of, life_of
from services.contracts.domain.refusals import UnknownCustomer
from services.contracts.domain.terms import Terms
from services.contracts.forgetting import Forgetter
from services.contracts.running import Runner
from services.contracts.use_cases import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every route may use."""

    log: Log
    clock: Clock
    pool: Pool
    terms: Terms
    runner: Runner
    forgetter: Forgetter


async def parts_of(request: Request) -> Parts:
    """A dependency: the parts this application was built with."""
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(parts_of)]


def command(stream_id: UUID, wish: Write, *, status: int = 200) -> Command:
    """The command that a write makes on a stream."""
    return Command(
        stream_id=stream_id,
        cause=wish.cause,
        expected=wish.expected,
        riders=wish.riders(stream_id, status=status),
    )


async def own_contract(parts: Parts, contract_id: UUID, asker: Principal) -> None:
    """Raise `NotFound` when a customer reaches for a contract that is not theirs."""
    if asker.customer_id is not None:
        life, _ = await use_cases.load_life(parts.log, contract_id)
        application = application_of(life.now)
        asker.only_own(application.customer_id if application else None)


async def whole_history(
    parts: Parts, contract_id: UUID, *, known_on: date | None
) -> Sequence[Recorded[Event]]:
    """The events of a contract; raises `NotComplete` while more may be recorded by a day."""
    if known_on is not None:
        told = await complete_until(parts.pool)
        if told is not None and told < japan_day_over(known_on):
            raise NotComplete(
                f"contracts is complete up to {told.astimezone(JAPAN):%Y-%m-%d %H:%M:%S} in Japan,"
                f" not up to the end of {known_on}",
                field="/known_on",
            )
    return await parts.log.load(contract_id)


async def contract_answered(
    parts: Parts, contract_id: UUID, wish: Write, appended: Appended, *, status: int = 200
) -> Response:
    """A contract as the write (or the first of its repeats) left it."""
    kept = wish.kept(appended, contract_id, status=status)
    history = await parts.log.load(kept.stream_id)
    life = life_of(facts_of(history[: kept.version]))
    if application_of(life.now) is None:
        return kept.response(None)
    body = contract_answer(life, version=kept.version, terms=parts.terms)
    location = f"/contracts/{kept.stream_id}" if status == 201 else None  # noqa: PLR2004 - created
    return kept.response(body.model_dump(mode="json"), location=location)


async def customer_answered(
    parts: Parts, customer_id: UUID, wish: Write, appended: Appended, *, status: int = 200
) -> Response:
    """A customer as the write (or the first of its repeats) left it, less what was forgotten since."""
    kept = wish.kept(appended, customer_id, status=status)
    history = await parts.log.load(kept.stream_id)
    shown = (*history[: kept.version], *(e for e in history if isinstance(e.event, PartyForgotten)))
    body = customer_answer(customer_in(shown), version=kept.version)
    location = f"/customers/{kept.stream_id}" if status == 201 else None  # noqa: PLR2004 - created
    return kept.response(body.model_dump(mode="json"), location=location)


def customer_in(history: Sequence[Recorded[Event]]) -> Registered:
    """The customer after these events. Raises `UnknownCustomer`."""
    known = use_cases.customer_of(history)
    if isinstance(known, Unregistered):
        raise UnknownCustomer
    return known
