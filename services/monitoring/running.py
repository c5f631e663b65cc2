"""Meeting deadlines: asked for over HTTP, or by the clock in production."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

import structlog

from libs.dates.clock import Clock
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.log import Log
from libs.events.weather import is_weather, pause
from services.monitoring import use_cases
from services.monitoring.use_cases import Command
from services.monitoring.views.sites import due_sites

SCHEDULER = "system:monitoring"


async def meet_due(
    log: Log, pool: Pool, *, until: datetime, among: Sequence[UUID] | None, cause: Cause
) -> int:
    """Make the claims due at or before `until`, of these contracts or of all; how many.

    What is met already is not met again, even where the view is behind. Each claim belongs to
    the case of its site.
    """
    met = 0
    for contract_id in await due_sites(pool, until=until, among=among):
        history = await log.load(contract_id)
        case = replace(cause, correlation_id=history[0].envelope.correlation_id)
        appended = await use_cases.meet_deadlines(
            log, Command(contract_id=contract_id, cause=case), until=until
        )
        met += len(appended.events)
    return met


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """Meets what is due, again and again; never in a rehearsal, where who plays does it."""

    log: Log
    pool: Pool
    clock: Clock
    every_seconds: float

    async def run(self, stop: asyncio.Event) -> None:
        """Meet what is due until told to stop."""
        while not stop.is_set():
            try:
                await meet_due(
                    self.log,
                    self.pool,
                    until=self.clock.now(),
                    among=None,
                    cause=Cause(correlation_id=uuid4(), actor=SCHEDULER),
                )
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning(
                    "deadlines wait for better weather", error=type(error).__name__
                )
            await pause(self.every_seconds, stop=stop)
