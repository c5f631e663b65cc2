"""Views with the streams that they are made from, some streams at a time.

The events of some streams, up to where the live view stands, are given to the view's own effect,
which writes to temporary tables of the same names: the very code of the live view, and the live
tables are only read. Rows that differ are drift, but where their stream has moved on since.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from libs.events import shadow_sql
from libs.events.database import Connection, Pool, Row
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.reconcile import Drift, Looked, Place
from libs.events.shadow import View
from libs.events.snapshot import SnapshotLog, identity_of, snapshot

_BESIDE = "pg_temp"
_SHOWN = 2_000
_STREAMS = 200
_LONGEST = 40

Owners = Mapping[str, str]
"""By table the column that names the stream of a row, where it has one."""

LEVEL = "SELECT position FROM view_cursor WHERE view = $1"
STREAMS = """
SELECT stream_id, recorded_at FROM event WHERE version = 1 AND stream_id > $1
ORDER BY stream_id LIMIT $2
"""
AHEAD = "SELECT DISTINCT stream_id FROM event WHERE stream_id = ANY($1) AND position > $2"
LAST = """
SELECT max(recorded_at) FROM event WHERE stream_id = $1 AND position <= $2
"""

# The names of tables differ, so these ask the database for the statement, which quotes each name.
SAY_DIFFERENT = """
SELECT format('SELECT to_jsonb(live) AS live, to_jsonb(beside) AS beside FROM pg_temp.%1$I AS beside '
              'LEFT JOIN public.%1$I AS live ON %2$s WHERE live IS DISTINCT FROM beside LIMIT $1',
              $1::text, string_agg(format('live.%1$I = beside.%1$I', name), ' AND '))
FROM unnest($2::text[]) AS key (name)
"""
SAY_SURPLUS = """
SELECT format('SELECT to_jsonb(live) AS live, NULL::jsonb AS beside FROM public.%1$I AS live '
              'WHERE live.%3$I > $2::uuid AND ($3::uuid IS NULL OR live.%3$I <= $3) '
              'AND NOT EXISTS (SELECT FROM pg_temp.%1$I AS beside WHERE %2$s) LIMIT $1',
              $1::text, string_agg(format('live.%1$I = beside.%1$I', name), ' AND '), $3::text)
FROM unnest($2::text[]) AS key (name)
"""


class _Piece(NamedTuple):
    """Streams in order of id: those after `after`, to `last` (None: to the end of all)."""

    after: UUID
    last: UUID | None
    streams: Sequence[UUID]
    position: int
    ahead: frozenset[UUID]


class ViewRows:
    """The rows of one view are what its effect makes of the streams."""

    def __init__(
        self,
        view: str,
        *,
        pool: Pool,
        keys: Keys,
        views: Callable[[Log], Sequence[View]],
        owners: Owners,
    ) -> None:
        self.name = f"view {view}"
        self._view = view
        self._pool = pool
        self._keys = keys
        self._views = views
        self._owners = owners

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the rows of the next streams, 200 at most."""
        after = UUID(place.get("stream_id", str(UUID(int=0))))
        streams = min(limit, _STREAMS)
        async with snapshot(self._pool) as connection:
            position = int(await connection.fetchval(LEVEL, self._view) or 0)
            rows = await connection.fetch(STREAMS, after, streams)
            ids = [row["stream_id"] for row in rows]
            more = len(ids) == streams
            ahead = await connection.fetch(AHEAD, ids, position)
            piece = _Piece(
                after,
                ids[-1] if more else None,
                ids,
                position,
                frozenset(row["stream_id"] for row in ahead),
            )
            found = await self._compared(connection, piece)
        return Looked(found, len(ids), {"stream_id": str(ids[-1])} if more else None)

    async def _compared(self, connection: Connection, piece: _Piece) -> list[Drift]:
        log = SnapshotLog(
            connection,
            identity=await identity_of(connection),
            until=piece.position,
            keys=self._keys,
        )
        (view,) = (one for one in self._views(log) if one.name == self._view)
        for table in view.tables:
            for row in await connection.fetch(shadow_sql.SAY_TABLE, _BESIDE, table):
                await connection.execute(row["said"])
        await view.effect(connection, await log.load_all(piece.streams))
        found: list[Drift] = []
        for table in view.tables:
            key = await shadow_sql.key_of(connection, table)
            for different in await self._different(connection, table, key=key, piece=piece):
                drift = await self._told(connection, different, table=table, key=key, piece=piece)
                found += [drift] if drift is not None else []
        return found

    async def _different(
        self, connection: Connection, table: str, *, key: Sequence[str], piece: _Piece
    ) -> list[Row]:
        said = await connection.fetchval(SAY_DIFFERENT, table, key)
        found: list[Row] = list(await connection.fetch(said, _SHOWN))
        owner = self._owners.get(table)
        if owner is not None:
            said = await connection.fetchval(SAY_SURPLUS, table, key, owner)
            found += await connection.fetch(said, _SHOWN, piece.after, piece.last)
        return found

    async def _told(
        self,
        connection: Connection,
        row: Row,
        *,
        table: str,
        key: Sequence[str],
        piece: _Piece,
    ) -> Drift | None:
        """The difference in words; None where there is none, or the row's stream has moved on."""
        live, beside = (
            None if row[n] is None else orjson.loads(row[n]) for n in ("live", "beside")
        )
        known: dict[str, Any] = live or beside or {}
        owner = self._owners.get(table)
        stream = None if owner is None else UUID(known[owner])
        if piece.ahead and (stream is None or stream in piece.ahead):
            return None
        what = " and ".join(_differences(live, beside))
        if not what:
            return None
        since = None if stream is None else await connection.fetchval(LAST, stream, piece.position)
        where = ", ".join(f"{name} {known[name]}" for name in key)
        return Drift(
            check=self.name,
            place=f"{table} of {where}",
            what=what,
            since=None if since is None else since.isoformat(),
            advice=f"The log is right: make the view {self._view} anew from it",
        )


def _differences(live: dict[str, Any] | None, beside: dict[str, Any] | None) -> Iterator[str]:
    if live is None:
        yield "the row is missing, and its events say that there is one"
    elif beside is None:
        yield "the row is there, and no event says so"
    else:
        for column, value in live.items():
            if value != beside[column] and not _says_the_same(value, beside[column]):
                yield _difference(column, value, beside[column])


def _says_the_same(live: object, beside: object) -> bool:
    """Whether an event kept as bytes says the same, but for fields that its type gained since."""
    kept, made = _kept_event(live), _kept_event(beside)
    return kept is not None and made is not None and says_the_same(kept, made)


def _kept_event(value: object) -> dict[str, Any] | None:
    if not isinstance(value, str) or not value.startswith("\\x7b"):  # bytes that begin with {
        return None
    try:
        found = orjson.loads(bytes.fromhex(value[2:]))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def says_the_same(kept: object, made: object) -> bool:
    """Whether JSON kept earlier says what is made today: what it lacks must be empty there."""
    if isinstance(kept, dict) and isinstance(made, dict):
        return kept.keys() <= made.keys() and all(
            says_the_same(kept[name], value) if name in kept else not value
            for name, value in made.items()
        )
    if isinstance(kept, list) and isinstance(made, list):
        return len(kept) == len(made) and all(map(says_the_same, kept, made))
    return kept == made


def _difference(column: str, live: object, beside: object) -> str:
    """Two values in words; long ones, which may be texts about people, by their name alone."""
    if max(len(str(live)), len(str(beside))) > _LONGEST:
        return f"{column} is not what the events say"
    return f"{column} is {live}, and the events say {beside}"
