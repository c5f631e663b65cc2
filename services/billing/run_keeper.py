"""The worker's part in invoice runs: takes up every run that is not finished, the oldest first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link

from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.waking import Bell, Waking
from libs.events.weather import pause, pauses
from libs.telemetry import tracing
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
            with _run_span(run_id, cause=cause):
                own = replace(cause, traceparent=tracing.traceparent() or cause.traceparent)
                try:
                    await carry_out(self._billing, run_id=run_id, cause=own)
                except RunBusy:
                    continue


@contextmanager
def _run_span(run_id: UUID, *, cause: Cause) -> Iterator[None]:
    """A run is a trace of its own, linked to that of the request that asked for it."""
    origin = tracing.span_context_of(cause.traceparent)
    with (
        tracing.case(cause.correlation_id),
        _tracer.start_as_current_span(
            "invoice run",
            context=Context(),
            links=[Link(origin)] if origin else [],
            attributes={"yakkan.run_id": str(run_id)},
        ),
    ):
        yield
