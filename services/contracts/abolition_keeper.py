"""The worker's part in the end of a service: goes on ending contracts wherever it was left."""

import asyncio

import structlog

from libs.events.waking import Bell, Waking
from libs.events.weather import pause, pauses
from services.contracts.abolishing import Abolisher


class AbolitionKeeper:
    """Ends the contracts of abolished services until told to stop, those formed since as well."""

    def __init__(self, abolisher: Abolisher, *, bell: Bell) -> None:
        self._abolisher = abolisher
        self._waking: Waking = bell.waking()

    async def run(self, stop: asyncio.Event) -> None:
        """Look whenever the log grows, and now and then by itself."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self._abolisher.carry_out_all()
                waits = pauses()
                with self._waking.on(stop):
                    await self._waking.wait()
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                structlog.get_logger().warning("abolitions try again", error=type(error).__name__)
                await pause(next(waits), stop=stop)
