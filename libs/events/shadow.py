"""A view built anew from the log beside the live one, compared with it, and switched.

The tables beside stand in the schema `rebuild_<view>`, with a cursor of their own. A connection
that looks there first runs the very code of the live view: what the view writes goes to the tables
beside, and the live ones are neither locked nor touched. An effect can do nothing but write by the
connection it is given, so a view built anew sends nothing and commands nothing.

Cursor and rows move in one transaction, so a rebuild that was killed goes on where it stood.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from libs.events import shadow_sql as sql
from libs.events.database import Connection, Pool, transaction
from libs.events.follow import Follower, level
from libs.events.log import Log
from libs.events.reaction import Effect
from libs.events.shadow_tables import Compared, NothingBeside, Twin

_LOOKS = 5

Progress = Callable[[int, int], None]
"""Hears of the position reached, and of the one to reach."""


class View(NamedTuple):
    """A view of a context's own log: the tables that it alone fills, and how events fill them."""

    name: str
    tables: tuple[str, ...]
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both views at one position."""

    position: int
    found: Compared


class Shadow:
    """The second of a view; `beside` opens it."""

    def __init__(self, view: View, *, log: Log, pool: Pool, beside: Pool, twin: Twin) -> None:
        self.view = view
        self._log = log
        self._pool = pool
        self._twin = twin
        self._follower = Follower(view.name, log=log, pool=beside, effect=view.effect)

    async def begin(self) -> bool:
        """Make the tables beside; False when there are some, which are gone on with."""
        return await self._twin.make(self._pool)

    async def follow(self, *, told: Progress | None = None) -> int:
        """Take everything up to where the live view stands by then; gives that position."""
        position = -1
        while position < (target := await level(self._pool, self.view.name)):
            position = await self._follower.catch_up(
                until=target, told=_progress(told, target=target)
            )
        return position

    async def compare(self) -> Comparison:
        """Compare row by row at one position, while the live view is held for a moment.

        An effect may look at a stream as it stands, which can be ahead of the position. So when
        rows differ while the log grows, both are looked at again further on, five times at most.
        """
        for looks_left in reversed(range(_LOOKS)):
            await self.follow()
            async with self._held() as (connection, position):
                found = await self._twin.compare(connection)
            if not found.total or not looks_left or await self._log.position() == position:
                break
        return Comparison(position=position, found=found)

    async def switch(self) -> int:
        """Put the tables beside in the live ones' place, in one transaction; at which position.

        The live ones are kept in the schema `replaced_<view>`, in place of what was kept there
        before, until `drop`. Raises `InUse` when somebody never lets go of them.
        """
        await self.follow()
        async with self._held() as (connection, position), self._twin.locked(connection):
            await self._twin.switch(connection)
        return position

    async def drop(self) -> None:
        """Remove the tables beside, and what a switch kept."""
        await self._twin.drop(self._pool)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[tuple[Connection, int]]:
        """Both views at one position, the live one's, held there until the block ends."""
        async with transaction(self._pool) as connection:
            if not await sql.has_schema(connection, self._twin.schema):
                raise NothingBeside(f"there is no view {self.view.name} beside the live one")
            position = await sql.hold_live(connection, self.view.name)
            reached = await self._follower.catch_up(until=position)
            if reached != position:
                raise NothingBeside(
                    f"the view {self.view.name} beside stands at {reached}, beyond the live one at"
                    f" {position}: the live one was set back; drop the one beside and begin again"
                )
            yield connection, position


@asynccontextmanager
async def beside(view: View, *, log: Log, pool: Pool, dsn: str) -> AsyncIterator[Shadow]:
    """The second of a view, whether its tables exist yet or not; `pool` and `dsn` are the live's."""
    twin = Twin(view.name, tables=view.tables, own=("view_cursor",))
    async with asyncpg.create_pool(
        dsn, min_size=0, max_size=2, server_settings=dict(twin.looks_first)
    ) as shadow_pool:
        yield Shadow(view, log=log, pool=pool, beside=shadow_pool, twin=twin)


def _progress(told: Progress | None, *, target: int) -> Callable[[int], None] | None:
    return None if told is None else lambda position: told(position, target)
