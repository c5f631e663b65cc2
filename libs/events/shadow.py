"""A view built anew from the log beside the live one, compared with it, and switched.

The tables beside stand in the schema `rebuild_<view>`, with a cursor of their own. A connection
that looks there first runs the very code of the live view: what the view writes goes to the tables
beside, and the live ones are neither locked nor touched. An effect can do nothing but write by the
connection it is given, so a view built anew sends nothing and commands nothing.

Cursor and rows move in one transaction, so a rebuild that was killed goes on where it stood.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import asyncpg
import orjson

from libs.events import shadow_sql as sql
from libs.events.database import Connection, Pool, Row, transaction
from libs.events.follow import Follower, level
from libs.events.log import Log
from libs.events.reaction import Effect

_LIVE = "public"
_LOOKS = 5
_SHOWN = 20
_LONGEST_SHOWN = 60
_BEFORE_DIFFERENCE = 10

Progress = Callable[[int, int], None]
"""Hears of the position reached, and of the one to reach."""


class View(NamedTuple):
    """A view of a context's own log: the tables that it alone fills, and how events fill them."""

    name: str
    tables: tuple[str, ...]
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that is not the same in both; `values` are live and rebuilt, by differing column.

    A row that stands in one of them only has that one's whole row in `values`.
    """

    table: str
    key: Mapping[str, Any]
    only: str | None
    values: Mapping[str, tuple[Any, Any]]

    def words(self) -> str:
        """The difference in a sentence."""
        where = f"{self.table} {', '.join(f'{name}={value}' for name, value in self.key.items())}"
        if self.only is not None:
            return f"{where}: stands in the {self.only} one only"
        told = (_told(name, *both) for name, both in self.values.items())
        return f"{where}: {'; '.join(told)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both views at one position: rows by table, the first differences, and how many there are."""

    position: int
    rows: Mapping[str, tuple[int, int]]
    differences: Sequence[Difference]
    total: int


class NothingBeside(Exception):
    """No view was built beside the live one."""


class Shadow:
    """The second of a view; `beside` opens it."""

    def __init__(self, view: View, *, log: Log, pool: Pool, beside: Pool) -> None:
        self.view = view
        self._log = log
        self._pool = pool
        self._schema = schema_beside(view.name)
        self._replaced = f"replaced_{view.name}"
        self._follower = Follower(view.name, log=log, pool=beside, effect=view.effect)

    async def begin(self) -> bool:
        """Make the tables beside; False when there are some, which are gone on with."""
        async with transaction(self._pool) as connection:
            if await sql.has_schema(connection, self._schema):
                return False
            await sql.make_beside(connection, self._schema, tables=self.view.tables)
        return True

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
                found = await self._compared(connection, position)
            if not found.total or not looks_left or await self._log.position() == found.position:
                break
        return found

    async def switch(self) -> int:
        """Put the tables beside in the live ones' place, in one transaction; at which position.

        The live ones are kept in the schema `replaced_<view>`, in place of what was kept there
        before, until `forget_replaced`.
        """
        await self.follow()
        async with self._held() as (connection, position):
            await sql.wait_briefly(connection)
            await sql.drop_schema(connection, self._replaced)
            await sql.make_beside(connection, self._replaced, tables=())
            for table in self.view.tables:
                await sql.move_table(connection, table, source=_LIVE, target=self._replaced)
                await sql.move_table(connection, table, source=self._schema, target=_LIVE)
            await sql.drop_schema(connection, self._schema)
        return position

    async def drop(self) -> None:
        """Remove the tables beside."""
        async with transaction(self._pool) as connection:
            await sql.drop_schema(connection, self._schema)

    async def forget_replaced(self) -> None:
        """Remove what a switch kept."""
        async with transaction(self._pool) as connection:
            await sql.drop_schema(connection, self._replaced)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[tuple[Connection, int]]:
        """Both views at one position, the live one's, held there until the block ends."""
        async with transaction(self._pool) as connection:
            if not await sql.has_schema(connection, self._schema):
                raise NothingBeside(f"there is no view {self.view.name} beside the live one")
            position = await sql.hold_live(connection, self.view.name)
            reached = await self._follower.catch_up(until=position)
            if reached != position:
                raise NothingBeside(
                    f"the view {self.view.name} beside stands at {reached}, beyond the live one at"
                    f" {position}: the live one was set back; drop the one beside and begin again"
                )
            yield connection, position

    async def _compared(self, connection: Connection, position: int) -> Comparison:
        rows: dict[str, tuple[int, int]] = {}
        differences: list[Difference] = []
        total = 0
        for table in self.view.tables:
            rows[table] = (
                await sql.count_rows(connection, table, schema=_LIVE),
                await sql.count_rows(connection, table, schema=self._schema),
            )
            key = await sql.key_of(connection, table)
            found = await sql.different_rows(
                connection, table, schema=self._schema, key=key, limit=_SHOWN
            )
            total += found[0]["total"] if found else 0
            differences += [_difference(table, row, key=key) for row in found]
        return Comparison(position=position, rows=rows, differences=differences, total=total)


def schema_beside(view: str) -> str:
    """The schema in which a view is built anew."""
    return f"rebuild_{view}"


@asynccontextmanager
async def beside(view: View, *, log: Log, pool: Pool, dsn: str) -> AsyncIterator[Shadow]:
    """The second of a view, whether its tables exist yet or not; `pool` and `dsn` are the live's."""
    looks_first = {"search_path": f"{schema_beside(view.name)}, {_LIVE}"}
    async with asyncpg.create_pool(
        dsn, min_size=0, max_size=2, server_settings=looks_first
    ) as shadow_pool:
        yield Shadow(view, log=log, pool=pool, beside=shadow_pool)


def _progress(told: Progress | None, *, target: int) -> Callable[[int], None] | None:
    return None if told is None else lambda position: told(position, target)


def _difference(table: str, row: Row, *, key: Sequence[str]) -> Difference:
    live, rebuilt = (None if row[name] is None else _row(row[name]) for name in ("live", "beside"))
    known = cast("dict[str, Any]", live or rebuilt)
    only = "rebuilt" if live is None else "live" if rebuilt is None else None
    values = {
        name: ((live or {}).get(name), (rebuilt or {}).get(name))
        for name in known
        if live is None or rebuilt is None or live[name] != rebuilt[name]
    }
    return Difference(
        table=table, key={name: known[name] for name in key}, only=only, values=values
    )


def _row(found: str) -> dict[str, Any]:
    return cast("dict[str, Any]", orjson.loads(found))


def _told(column: str, live: Any, rebuilt: Any) -> str:
    """Both values of a column, long ones from a little before where they differ."""
    left, right = str(live), str(rebuilt)
    same = next(
        (at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other),
        min(len(left), len(right)),
    )
    begin = max(0, same - _BEFORE_DIFFERENCE) if max(len(left), len(right)) > _LONGEST_SHOWN else 0
    return f"{column} is {_cut(left, begin)} live and {_cut(right, begin)} rebuilt"


def _cut(text: str, begin: int) -> str:
    shown = text[begin : begin + _LONGEST_SHOWN]
    return f"{'…' if begin else ''}{shown}{'…' if begin + _LONGEST_SHOWN < len(text) else ''}"
