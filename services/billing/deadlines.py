"""Meeting deadlines: asked for over HTTP, or by the clock in production."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

import structlog

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.weather import is_weather, pause
from services.billing import use_cases
from services.billing.ports import Billing
from services.billing.views.accounts import late_by

SCHEDULER = "system:billing"


async def meet_due(
    billing: Billing, pool: Pool, *, until: datetime, among: Sequence[UUID], cause: Cause
) -> int:
    """Say which claims are late at `until`, of these accounts or of all for none named; how many.

    What was said is not said again, even where the view is behind. Each belongs to the case in
    which its account was opened.
    """
    met = 0
    day = japan_date(until)
    for account_id in await late_by(pool, day, scope=among):
        history = await billing.log.load(account_id)
        case = replace(cause, correlation_id=history[0].envelope.correlation_id)
        appended = await use_cases.notice_late(
            billing, account_id, until=day, write=use_cases.Write(cause=case)
        )
        met += len(appended.events) if appended else 0
    return met


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Meets what is due, again and again; never in a rehearsal, where who plays does it."""

    billing: Billing
    pool: Pool
    clock: Clock
    every_seconds: float

    async def run(self, stop: asyncio.Event) -> None:
        """Meet what is due until told to stop."""
        while not stop.is_set():
            try:
                await meet_due(
                    self.billing,
                    self.pool,
                    until=self.clock.now(),
                    among=[],
                    cause=Cause(correlation_id=uuid4(), actor=SCHEDULER),
                )
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning(
                    "deadlines wait for better weather", error=type(error).__name__
                )
            await pause(self.every_seconds, stop=stop)
