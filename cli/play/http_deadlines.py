"""Deadlines of cases over the services: the earliest of all, and running it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cli.play.http_operations import HttpCase
from cli.play.plan import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A service has something to do at an instant."""

    at: datetime
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """How a service is asked: the names by which it takes a scope, and where it says when."""

    query: str
    body: str
    scope: Callable[[HttpCase], UUID]
    due_at: Callable[[Mapping[str, Any]], str | None]


def _of_next(answer: Mapping[str, Any]) -> str | None:
    return _of_answer(answer["next"]) if answer["next"] else None


def _of_answer(answer: Mapping[str, Any]) -> str | None:
    due_at: str | None = answer["due_at"]
    return due_at


_ASKING: Mapping[Context, _Asking] = {
    "contracts": _Asking(
        query="scope", body="scope", scope=lambda case: case.contract_id, due_at=_of_next
    ),
    "monitoring": _Asking(
        query="contract_id",
        body="contract_ids",
        scope=lambda case: case.contract_id,
        due_at=_of_answer,
    ),
    "billing": _Asking(
        query="account_id",
        body="account_ids",
        scope=lambda case: case.account_id,
        due_at=_of_answer,
    ),
}


async def earliest(*cases: HttpCase, until: datetime) -> Due | None:
    """The earliest deadline of these cases at or before `until`.

    Of one instant the order is that of the services. All cases are played on the same services.
    """
    found = await asyncio.gather(*(_next(cases, context) for context in _ASKING))
    due = [one for one in found if one is not None and one.at <= until]
    return min(due, key=lambda one: one.at, default=None)


async def run_until(case: HttpCase, due: Due) -> None:
    """Let the service of a deadline run all of this case's that is due by then."""
    asking = _ASKING[due.context]
    body = {"until": due.at, asking.body: [asking.scope(case)]}
    await case.write(due.context, "POST", "/deadlines/run", body, at=due.at, name="run_deadlines")


async def _next(cases: Sequence[HttpCase], context: Context) -> Due | None:
    asking = _ASKING[context]
    answer = await cases[0].services.get(
        context, "/deadlines/next", **{asking.query: [str(asking.scope(case)) for case in cases]}
    )
    due_at = asking.due_at(answer)
    return Due(at=datetime.fromisoformat(due_at), context=context) if due_at else None
