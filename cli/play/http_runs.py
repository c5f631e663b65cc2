"""Invoice runs over HTTP: asked for, and waited for."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from cli.play.http import Unavailable
from cli.play.http_operations import HttpCase
from libs.dates.japan import japan_date

_SECONDS = 120.0
_POLL_SECONDS = 0.02
_FINISHED = "finished"


async def run_invoices(
    case: HttpCase, *, closing_on: date, at: datetime, accounts: Sequence[UUID]
) -> Mapping[str, Any]:
    """Bill these accounts up to `closing_on`, issued on the day of `at`; the finished run.

    Raises `Unavailable` when it does not finish in time.
    """
    body = {
        "closing_on": closing_on,
        "issued_on": japan_date(at),
        "due_policy": "agreed",
        "scope": list(accounts),
    }
    asked = await case.write("billing", "POST", "/invoice-runs", body, at=at, name="run_invoices")
    run: Mapping[str, Any] = asked.body
    deadline = asyncio.get_running_loop().time() + _SECONDS
    while run["state"] != _FINISHED:
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(f"the invoice run is still {run['state']} after {_SECONDS:.0f} s")
        await asyncio.sleep(_POLL_SECONDS)
        run = await case.services.find("billing", f"/invoice-runs/{run['run_id']}") or run
    return run
