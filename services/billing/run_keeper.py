"""The worker's part in invoice runs: takes up every run that is not finished, the oldest first."""

import asyncio
from dataclasses import replace

import structlog

from libs.events.database import Pool
from libs.events.refusals import NotComplete
from libs.events.waking import Bell, Waking
from libs.events.weather import pause, pauses
from libs.telemetry import names, tracing
from services.billing.ports import Billing
from services.billing.runs import RunBusy, carry_out
from services.billing.views.runs import open_runs


class RunKeeper:
    """Carries runs out until told to stop. A run left in the middle is taken up where it was.

    One that waits for a source keeps none of the others back, and is tried again every second.
    """

    def __init__(self, billing: Billing, *, pool: Pool, rehearsal: bool, bell: Bell) -> None:
        self._billing = billing
        self._pool = pool
        self._rehearsal = rehearsal
        self._waking: Waking = bell.waking()

    async def run(self, stop: asyncio.Event) -> None:
        """Look for runs whenever the log grows, and now and then by itself."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self.carry_out_all()
                waits = pauses()
                with self._waking.on(stop):
                    await self._waking.wait()
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                structlog.get_logger().warning("runs try again", error=type(error).__name__)
                await pause(next(waits), stop=stop)

    async def carry_out_all(self) -> None:
        """Carry out every open run; one that another process holds is left to it."""
        for run_id, cause in await open_runs(self._pool, rehearsal=self._rehearsal):
            with (
                tracing.case(cause.correlation_id),
                tracing.apart(
                    "invoice run",
                    origin=cause.traceparent,
                    attributes={names.RUN_ID: str(run_id)},
                ),
            ):
                own = replace(cause, traceparent=tracing.traceparent() or cause.traceparent)
                try:
                    await carry_out(self._billing, run_id=run_id, cause=own)
                except (RunBusy, NotComplete):
                    continue
