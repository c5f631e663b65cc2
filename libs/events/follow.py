"""Views that follow their context's own log, by position, from its first event on.

A position is given and committed under one lock, so nothing that lies before a position seen can
still appear: `position > last` passes over nothing.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from libs.events.database import Pool, transaction
from libs.events.envelope import Event, Recorded
from libs.events.log import CursorTaken, Log
from libs.events.reaction import Effect
from libs.events.view_cursors import begin_view, level, move_view
from libs.events.waking import Bell, Waking
from libs.events.weather import NotWell, is_weather, may_be_its_own, pause, pauses
from libs.telemetry import names
from libs.telemetry.metrics import Gauge, counter

__all__ = ["Follower", "NotLevel", "Told", "level", "wait_for"]

_EVENTS = 1_000
_LOOK_SECONDS = 0.01
_TRIES = 5
"""How often in a row it may fail with a word of the weather, its database well, before it is told."""

ANSWERS = "SELECT 1"

Told = Callable[[int], None]
"""Hears of the position that a view has come to."""


class NotLevel(TimeoutError):
    """A view has not come to a position in the time a reader would wait for it."""


class Follower:
    """Keeps one view: rows and cursor move in one transaction.

    Any number of processes may run it; of two that take the same events only one commits. A view
    whose effect fails stands still, is in `trouble`, and tries again. A time-out or the like while
    its database answers is trouble after five tries; weather is none. Without a bell it looks by
    itself only.
    """

    def __init__(
        self, view: str, *, log: Log, pool: Pool, effect: Effect, bell: Bell | None = None
    ) -> None:
        self.view = view
        self.trouble: str | None = None
        self._log = log
        self._pool = pool
        self._effect = effect
        self._waking = Waking() if bell is None else bell.waking()
        self._labels = {names.VIEW: view}
        self._lag = Gauge(names.VIEW_LAG_RECORDS, description="Events read and not yet in the view")
        self._stopped = Gauge(names.VIEW_STOPPED, description="1 in trouble, standing still")
        self._failures = counter(names.VIEW_FAILURES, description="Attempts that failed")
        self._failed_in_a_row = 0
        self._stopped.set(0, self._labels)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until told to stop; a batch in hand is finished first."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self.catch_up()
                waits = pauses()
                with self._waking.on(stop):
                    await self._waking.wait()
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                await self._failed(error)
                await pause(next(waits), stop=stop)

    async def well(self) -> None:
        """Raises `NotWell` while the view stands still."""
        if self.trouble is not None:
            raise NotWell(f"the view {self.view} stands still: {self.trouble}")

    async def catch_up(self, *, until: int | None = None, told: Told | None = None) -> int:
        """Take everything up to the log's head as it is now; gives the view's position.

        With `until` nothing beyond that position is taken; `told` hears of each position reached.
        """
        async with transaction(self._pool) as connection:
            position = await begin_view(connection, self.view)
        while events := await self._next(position, until=until):
            position = await self._take(events, after=position)
            if told is not None:
                told(position)
        self._is_well()
        self._lag.set(0, self._labels)
        return position

    async def _next(self, position: int, *, until: int | None) -> Sequence[Recorded[Event]]:
        if until is None:
            return await self._log.read(position, limit=_EVENTS)
        if position >= until:
            return ()
        events = await self._log.read(position, limit=min(_EVENTS, until - position))
        return [event for event in events if event.envelope.position <= until]

    async def _take(self, events: Sequence[Recorded[Event]], *, after: int) -> int:
        """Take these, or find that another process has; where the view stands then."""
        self._lag.set(len(events), self._labels)
        end = events[-1].envelope.position
        try:
            async with transaction(self._pool) as connection:
                await move_view(connection, self.view, after=after, position=end)
                await self._effect(connection, events)
            self._failed_in_a_row = 0
        except CursorTaken:
            async with transaction(self._pool) as connection:
                end = await begin_view(connection, self.view)
        return end

    async def _failed(self, error: Exception) -> None:
        kind = type(error).__name__
        self._failures.add(1, {names.ERROR_TYPE: kind, **self._labels})
        log = structlog.get_logger()
        log.warning("view tries again", view=self.view, error=kind)
        if await self._is_its_own(error) and self.trouble is None:
            self.trouble = kind
            self._stopped.set(1, self._labels)
            log.error("view stands still", view=self.view, error=kind)

    async def _is_its_own(self, error: Exception) -> bool:
        """Whether the view itself fails: at once, or after some tries where it may be weather."""
        if not is_weather(error):
            return True
        if not may_be_its_own(error) or not await self._answers():
            return False
        self._failed_in_a_row += 1
        return self._failed_in_a_row >= _TRIES

    async def _answers(self) -> bool:
        try:
            await self._pool.execute(ANSWERS)
        except Exception as error:
            if is_weather(error):
                return False
            raise
        return True

    def _is_well(self) -> None:
        self._failed_in_a_row = 0
        self._stopped.set(0, self._labels)
        if self.trouble is not None:
            self.trouble = None
            structlog.get_logger().info("view goes on", view=self.view)


async def wait_for(pool: Pool, view: str, *, position: int, seconds: float) -> None:
    """Return when a view has come to `position`; raises `NotLevel` after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while await level(pool, view) < position:  # noqa: ASYNC110 - another process moves it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise NotLevel(f"{view} has not come to position {position}") from error
