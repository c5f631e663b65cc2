"""Waiting for rest: until nothing moves in any service, as proof that all effects are there.

Plays side by side wait together: while one of them still gives commands nothing can rest, so the
services are asked once every play at work has come to wait.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from cli.play.http import Services
from libs.events.rest import ParkedCount, Standing, at_rest, heads

_POLL_SECONDS = 0.01


class NeverAtRest(Exception):
    """Something stands in the way of rest and does not move on; the text says what."""


class Rest:
    """The common rest of the plays on one environment.

    `seconds` bounds how long a wait may go on without anything moving on. Streams that were parked
    before `begin` are not in the way.
    """

    def __init__(self, services: Services, *, seconds: float = 60.0) -> None:
        self._services = services
        self._seconds = seconds
        self._parked: dict[tuple[str, str], int] = {}
        self._playing = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._looks: set[asyncio.Task[None]] = set()

    async def begin(self) -> int:
        """Note what is parked already; gives how many streams."""
        standings = await self._standings()
        self._parked = {
            (service, reader): count.parked
            for service, standing in standings.items()
            for reader, count in standing.parked.items()
        }
        return sum(self._parked.values())

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        """Take part: others rest only while this one waits too, until the block ends."""
        self._playing += 1
        try:
            yield
        finally:
            self._playing -= 1
            self._look_when_all_wait()

    async def reached(self) -> None:
        """Return once all is at rest. Raises `NeverAtRest`."""
        waits = asyncio.get_running_loop().create_future()
        self._waiting.append(waits)
        self._look_when_all_wait()
        await waits

    def _look_when_all_wait(self) -> None:
        if not self._waiting or len(self._waiting) < self._playing:
            return
        waiting, self._waiting = self._waiting, []
        look = asyncio.create_task(self._release(waiting))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _release(self, waiting: list[asyncio.Future[None]]) -> None:
        try:
            await self._rest()
        except Exception as error:  # noqa: BLE001 - each waiting play raises it
            for one in waiting:
                if not one.done():
                    one.set_exception(error)
        else:
            for one in waiting:
                if not one.done():
                    one.set_result(None)

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        seen: Mapping[str, Standing] = {}
        rested: dict[str, int] | None = None
        moved_at = loop.time()
        while True:
            standings = await self._standings()
            moving = at_rest(self._less_parked(standings))
            if not moving and heads(standings) == rested:
                return
            rested = None if moving else heads(standings)
            if standings != seen:
                seen, moved_at = standings, loop.time()
            elif loop.time() - moved_at > self._seconds:
                raise NeverAtRest(f"nothing moved for {self._seconds:.0f} s: {'; '.join(moving)}")
            if moving:
                await asyncio.sleep(_POLL_SECONDS)

    async def _standings(self) -> Mapping[str, Standing]:
        contexts = list(self._services.addresses)
        found = await asyncio.gather(
            *(self._services.get(context, "/standing") for context in contexts)
        )
        return {
            context: Standing.model_validate(body)
            for context, body in zip(contexts, found, strict=True)
        }

    def _less_parked(self, standings: Mapping[str, Standing]) -> dict[str, Standing]:
        return {
            service: standing.model_copy(
                update={
                    "parked": {
                        reader: ParkedCount(
                            waiting=count.waiting,
                            parked=max(0, count.parked - self._parked.get((service, reader), 0)),
                        )
                        for reader, count in standing.parked.items()
                    }
                }
            )
            for service, standing in standings.items()
        }
