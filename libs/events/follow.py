"""Views that follow their context's own log, by position, from its first event on.

A position is given and committed under one lock, so nothing that lies before a position seen can
still appear: `position > last` passes over nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from libs.events.database import Connection, Pool, transaction
from libs.events.envelope import Event, Recorded
from libs.events.log import CursorTaken, Log
from libs.events.reaction import Effect
from libs.events.view_cursors import begin_view, level, move_view, restart_view
from libs.events.waking import Bell, Waking
from libs.events.weather import NotWell, is_weather, pause, pauses
from libs.telemetry import names
from libs.telemetry.metrics import Gauge, counter

__all__ = ["Empty", "Follower", "NotLevel", "Told", "level", "wait_for"]

_EVENTS = 1_000
_LOOK_SECONDS = 0.01

Empty = Callable[[Connection], Awaitable[None]]
"""Removes every row of a view, by the connection it is given."""
Told = Callable[[int], None]
"""Hears of the position that a view has come to."""


class NotLevel(TimeoutError):
    """A view has not come to a position in the time a reader would wait for it."""


class Follower:
    """Keeps one view: rows and cursor move in one transaction.

    Any number of processes may run it; of two that take the same events only one commits. A view
    whose effect fails stands still, is in `trouble`, and tries again. Without a bell it looks by
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
        self._failures = counter(names.VIEW_FAILURES, description="Attempts that failed")

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
                self._failed(error)
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
        self.trouble = None
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
        except CursorTaken:
            async with transaction(self._pool) as connection:
                end = await begin_view(connection, self.view)
        return end

    async def rebuild(self, *, empty: Empty) -> int:
        """Make the view anew from the log's first event; gives its position at the end.

        Readers see it grow meanwhile. Another process that runs the view helps, and does no harm.
        """
        async with transaction(self._pool) as connection:
            await begin_view(connection, self.view)
            await restart_view(connection, self.view)
            await empty(connection)
        return await self.catch_up()

    def _failed(self, error: Exception) -> None:
        kind = type(error).__name__
        if not is_weather(error):
            self.trouble = kind
        self._failures.add(1, {names.ERROR_TYPE: kind, **self._labels})
        structlog.get_logger().warning("view tries again", view=self.view, error=kind)


async def wait_for(pool: Pool, view: str, *, position: int, seconds: float) -> None:
    """Return when a view has come to `position`; raises `NotLevel` after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while await level(pool, view) < position:  # noqa: ASYNC110 - another process moves it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError as error:
        raise NotLevel(f"{view} has not come to position {position}") from error
