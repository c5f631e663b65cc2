"""Being woken when the log has grown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog

from libs.events.database import Connection
from libs.events.weather import pause, pauses

CHANNEL = "yakkan_relay"
"""On which the log says, after each commit, that there is something new."""

_SHORTEST_SECONDS = 0.05
_LONGEST_SECONDS = 1.0


class Waking:
    """Tells one follower that it should look again.

    A notification wakes it at once. Notifications may be lost with their connection, so it also
    looks by itself, after 50 ms and less and less often up to a second while nothing comes.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._seconds = _SHORTEST_SECONDS

    @contextmanager
    def on(self, stop: asyncio.Event) -> Iterator[None]:
        """Be woken by the wish to stop, too."""
        watch = asyncio.ensure_future(stop.wait())
        watch.add_done_callback(self.wake)
        try:
            yield
        finally:
            watch.remove_done_callback(self.wake)
            watch.cancel()

    async def wait(self) -> None:
        """Return when it is time to look again."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._event.wait()
        except TimeoutError:
            self._seconds = min(self._seconds * 1.5, _LONGEST_SECONDS)
        else:
            self._seconds = _SHORTEST_SECONDS
        self._event.clear()

    def wake(self, *_: object) -> None:
        """Look again now; takes what those who call back give, and needs none of it."""
        self._event.set()


async def wake_by(connection: Connection, *wakings: Waking) -> None:
    """Have the notifications that this connection receives wake these."""
    for waking in wakings:
        await connection.add_listener(CHANNEL, waking.wake)


class Bell:
    """One connection of a process that hears of new events and wakes all its followers."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._wakings: list[Waking] = []

    def waking(self) -> Waking:
        """A new one to be woken."""
        waking = Waking()
        self._wakings.append(waking)
        return waking

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop; while the database is away, followers look by themselves."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self._listen(stop)
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                structlog.get_logger().warning("listens again", error=type(error).__name__)
                await pause(next(waits), stop=stop)

    async def _listen(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(self._dsn)
        ended = Waking()
        connection.add_termination_listener(ended.wake)
        try:
            await wake_by(connection, *self._wakings)
            with ended.on(stop):
                while not stop.is_set() and not connection.is_closed():
                    await ended.wait()
        finally:
            connection.terminate()
