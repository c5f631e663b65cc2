"""Being woken when the log has grown."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from libs.events.database import Connection

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

    async def listen(self, connection: Connection) -> None:
        """Be woken by this connection's notifications."""
        await connection.add_listener(CHANNEL, self._heard)

    @contextmanager
    def on(self, stop: asyncio.Event) -> Iterator[None]:
        """Be woken by the wish to stop, too."""
        watch = asyncio.ensure_future(stop.wait())
        watch.add_done_callback(self._heard)
        try:
            yield
        finally:
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

    def _heard(self, *_: object) -> None:
        self._event.set()
