"""What all routes of billing share: their parts, their askers, how a command is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.log import Appended
from libs.events.view_cursors import level
from libs.web.auth import Principal, requires
from libs.web.writes import Write, at_least, reached, write
from services.billing import use_cases
from services.billing.domain.explanation import ClauseText
from services.billing.ports import Billing
from services.billing.views.timelines import BOOKS

READ = "billing:read"
WRITE = "billing:write"
MONTH = r"^\d{4}-\d{2}(-\d{2})?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the routes work with, at `app.state.billing`."""

    billing: Billing
    pool: Pool
    clock: Clock
    clauses: Callable[[], Mapping[str, ClauseText]]
    due_policy: str
    trace_ui: str | None = None


async def parts(request: Request) -> Parts:
    """A dependency: what the routes work with."""
    found: Parts = request.app.state.billing
    return found


Working = Annotated[Parts, Depends(parts)]
Asker = Annotated[Principal, Depends(requires(READ))]
Staff = Annotated[Principal, Depends(requires(READ, staff=True))]


async def _seen(working: Working, wanted: Annotated[int | None, Depends(at_least)]) -> None:
    await reached(lambda: level(working.pool, BOOKS), wanted)


Seen = Annotated[None, Depends(_seen)]
"""A dependency: the view has come to the position the reader asks for."""


class Body(BaseModel):
    """A request; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Recorded(BaseModel):
    """What a command led to; `id` names what it made, `events` are empty for no change.

    `warnings` say where the own invoices disagree with an amount that was taken as stated.
    """

    id: UUID | None = None
    events: list[UUID]
    types: list[str]
    warnings: list[str] = []


def creating(operation: str) -> Any:
    """A dependency: staff may create something; no version is asked for."""
    return Depends(write(WRITE, operation, versioned=False, staff=True))


def changing(operation: str) -> Any:
    """A dependency: staff may change something of which they saw a version."""
    return Depends(write(WRITE, operation, staff=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A write on one stream: what the use case takes, and how it is answered."""

    wish: Write
    stream_id: UUID
    status: int = 200
    named: UUID | None = None
    warnings: tuple[str, ...] = ()

    @property
    def write(self) -> use_cases.Write:
        """What the use case takes."""
        return use_cases.Write(
            cause=self.wish.cause,
            expected=self.wish.expected,
            riders=self.wish.riders(self.stream_id, status=self.status, body=self._body),
        )

    def answer(self, appended: Appended, *, location: str | None = None) -> Response:
        """The answer, the first one again for a repeat."""
        kept = self.wish.kept(appended, self.stream_id, status=self.status, body=self._body)
        return kept.response(kept.body, location=location)

    def _body(self, appended: Appended) -> dict[str, Any]:
        return {
            "id": str(self.named) if self.named else None,
            "events": [str(each.envelope.event_id) for each in appended.events],
            "types": [each.event.type for each in appended.events],
            "warnings": list(self.warnings),
        }


def today(working: Parts, wish: Write | None = None) -> date:
    """The Japan date of a command; in a rehearsal the one it brings."""
    now = wish.cause.now if wish is not None else None
    return japan_date(now or working.clock.now())
