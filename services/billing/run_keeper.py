"""The worker's part in invoice runs: takes up every run that is not finished, the oldest first."""

import asyncio

import structlog
from opentelemetry import trace

from libs.events.database import Pool
from libs.events.waking import Bell, Waking
from libs.events.weather import pause, pauses
from services.billing.ports import Billing
from services.billing.runs import RunBusy, carry_out
from services.billing.views.runs import open_runs

_tracer = trace.get_tracer("yakkan.billing")


class RunKeeper:
    """Carries runs out until told to stop. A run left in the middle is taken up where it was."""

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
            with _tracer.start_as_current_span(
                "invoice run",
                attributes={
                    "yakkan.run_id": str(run_id),
                    "yakkan.correlation_id": str(cause.correlation_id),
                },
            ):
                try:
                    await carry_out(self._billing, run_id=run_id, cause=cause)
                except RunBusy:
                    continue
