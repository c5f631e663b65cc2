"""Tables twice: compared row by row, and those beside put in the live ones' place."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import asyncpg
import orjson

from libs.events import shadow_sql as sql
from libs.events.database import Connection, Pool, Row, transaction
from libs.events.shadow_sql import InUse

_LIVE = "public"
_SHOWN = 20
_LONGEST_SHOWN = 60
_BEFORE_DIFFERENCE = 10


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


class Compared(NamedTuple):
    """Rows live and rebuilt by table, the first differences, and how many there are."""

    rows: Mapping[str, tuple[int, int]]
    differences: Sequence[Difference]
    total: int


class NothingBeside(Exception):
    """There is nothing beside the live tables that could be gone on with; the sentence says why."""


class Twin:
    """Live tables, and the same beside them in the schema `rebuild_<name>`.

    `own` are tables of the same kind that only the code which fills them needs: its cursors.
    """

    def __init__(self, name: str, *, tables: Sequence[str], own: Sequence[str]) -> None:
        self.schema = f"rebuild_{name.replace('-', '_')}"
        self.replaced = f"replaced_{name.replace('-', '_')}"
        self._tables = tuple(tables)
        self._own = tuple(own)

    @property
    def looks_first(self) -> Mapping[str, str]:
        """What the server is told of a connection on which the tables beside stand for the live."""
        return {"search_path": f"{self.schema}, {_LIVE}"}

    async def make(self, pool: Pool) -> bool:
        """Make the tables beside, empty; False when there are some."""
        async with transaction(pool) as connection:
            if await sql.has_schema(connection, self.schema):
                return False
            await sql.make_beside(connection, self.schema, tables=(*self._own, *self._tables))
        return True

    async def compare(self, connection: Connection) -> Compared:
        """Compare row by row what stands there now."""
        rows: dict[str, tuple[int, int]] = {}
        differences: list[Difference] = []
        total = 0
        for table in self._tables:
            rows[table] = (
                await sql.count_rows(connection, table, schema=_LIVE),
                await sql.count_rows(connection, table, schema=self.schema),
            )
            key = await sql.key_of(connection, table)
            found = await sql.different_rows(
                connection, table, schema=self.schema, key=key, limit=_SHOWN
            )
            total += found[0]["total"] if found else 0
            differences += [_difference(table, row, key=key) for row in found]
        return Compared(rows=rows, differences=differences, total=total)

    @asynccontextmanager
    async def locked(
        self, connection: Connection, *, hold: sql.Hold = sql.no_rows
    ) -> AsyncIterator[Sequence[Row]]:
        """Keep everybody from the live tables, and from the rows that `hold` locks and gives.

        Until the transaction ends. Raises `InUse`, also when the block needs what others hold.
        """
        rows = await sql.lock_tables(connection, self._tables, hold=hold)
        try:
            yield rows
        except asyncpg.LockNotAvailableError as busy:
            raise InUse(
                f"somebody holds one of the tables in {self.schema} or {self.replaced}"
            ) from busy

    async def switch(self, connection: Connection) -> None:
        """Put the tables beside in the live ones' place, and those in `replaced_<name>`."""
        await sql.drop_schema(connection, self.replaced)
        await sql.make_beside(connection, self.replaced, tables=())
        for table in self._tables:
            await sql.move_table(connection, table, source=_LIVE, target=self.replaced)
            await sql.move_table(connection, table, source=self.schema, target=_LIVE)
        await sql.drop_schema(connection, self.schema)

    async def drop(self, pool: Pool) -> None:
        """Remove the tables beside, and what a switch kept."""
        async with transaction(pool) as connection:
            await sql.drop_schema(connection, self.schema)
            await sql.drop_schema(connection, self.replaced)


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
