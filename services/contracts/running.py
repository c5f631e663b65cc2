"""Running what is due: the earliest deadline first, one after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from libs.dates.clock import Clock
from libs.dates.japan import japan_date
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.follow import Follower
from libs.events.log import Log
from libs.events.weather import is_weather, pause
from services.contracts import use_cases
from services.contracts.domain.deadlines import Deadline
from services.contracts.domain.terms import Terms
from services.contracts.use_cases import Command
from services.contracts.views import deadlines
from services.contracts.views.deadlines import DeadlineRow

SCHEDULER = "contracts-scheduler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs deadlines by the view of them, which it brings level before it looks."""

    log: Log
    pool: Pool
    terms: Terms
    view: Follower
    rehearsal: bool

    async def earliest(
        self, *, until: datetime | None, scope: Sequence[UUID] | None
    ) -> DeadlineRow | None:
        """The earliest deadline of all that is recorded."""
        await self.view.catch_up()
        return await deadlines.earliest(self.pool, until=until, scope=scope)

    async def run(
        self, *, until: datetime, scope: Sequence[UUID] | None, cause: Cause
    ) -> list[DeadlineRow]:
        """Run what is due by `until`; what follows takes effect at its deadline.

        Each belongs to the case of its contract; in a rehearsal it is recorded at its deadline.
        """
        ran: list[DeadlineRow] = []
        while (due := await self.earliest(until=until, scope=scope)) is not None:
            if ran and ran[-1] == due:
                raise RuntimeError(f"the deadline {due} does not pass")
            await self._run_one(due, cause=cause)
            ran.append(due)
        return ran

    async def _run_one(self, due: DeadlineRow, *, cause: Cause) -> None:
        history = await self.log.load(due.contract_id)
        case = history[0].envelope.correlation_id if history else cause.correlation_id
        command = Command(
            stream_id=due.stream_id,
            cause=replace(
                cause, correlation_id=case, now=due.due_at if self.rehearsal else cause.now
            ),
        )
        match due.kind:
            case "maximum-period" | "suspension-limit" | "cancellation-lapse" as kind:
                await use_cases.run_contract_deadline(
                    self.log,
                    command,
                    deadline=Deadline(due.due_at, kind),
                    terms=self.terms,
                )
            case _:
                await use_cases.propose_suspension(
                    self.log, command, proposed_on=japan_date(due.due_at), terms=self.terms
                )

    async def keep_running(
        self, stop: asyncio.Event, *, clock: Clock, every_seconds: float
    ) -> None:
        """Run what is due, again and again, until told to stop."""
        while not stop.is_set():
            now = clock.now()
            cause = Cause(correlation_id=UUID(int=0), actor=SCHEDULER)
            try:
                await self.run(until=now, scope=None, cause=cause)
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning(
                    "deadlines wait for better weather", error=type(error).__name__
                )
            await pause(every_seconds, stop=stop)
