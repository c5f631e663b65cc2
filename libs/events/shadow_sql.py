"""What is asked of the database to have the tables of a view, or of a reader, twice.

The names of tables differ, so these statements ask the database for the statements to run, which
quotes each name by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from libs.events.database import Connection, Pool, Row

_LOCK_TRIES = 50
_LOCK_PAUSE_SECONDS = 0.1


class InUse(Exception):
    """Live tables can't be replaced, because others don't let go of them."""


FIND_SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"


async def has_schema(connection: Connection | Pool, schema: str) -> bool:
    """Whether there is a schema of that name."""
    return bool(await connection.fetchval(FIND_SCHEMA, schema))


SAY_SCHEMA = "SELECT format('CREATE SCHEMA %I', $1::text)"
# Constraints and indexes keep their names, which the statements of views rely on.
SAY_TABLE = """
SELECT said FROM (
    SELECT 1 AS place, '' AS name,
        format('CREATE TABLE %I.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING GENERATED '
               'INCLUDING IDENTITY INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMMENTS)',
               $1::text, $2::text, $2::text) AS said
    UNION ALL
    SELECT 2, conname,
        format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $1::text, $2::text, conname,
               pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE conrelid = format('public.%I', $2::text)::regclass AND contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 3, pg_get_indexdef(indexrelid),
        replace(pg_get_indexdef(indexrelid), format(' ON public.%I USING ', $2::text),
                format(' ON %I.%I USING ', $1::text, $2::text))
    FROM pg_index
    WHERE indrelid = format('public.%I', $2::text)::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
) AS statements ORDER BY place, name
"""


async def make_beside(connection: Connection, schema: str, *, tables: Sequence[str]) -> None:
    """Make a schema with empty tables like the live ones."""
    await connection.execute(await connection.fetchval(SAY_SCHEMA, schema))
    for table in tables:
        for row in await connection.fetch(SAY_TABLE, schema, table):
            await connection.execute(row["said"])


SAY_DROP = "SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', $1::text)"


async def drop_schema(connection: Connection, schema: str) -> None:
    """Remove a schema with all that is in it; nothing happens when there is none."""
    await connection.execute(await connection.fetchval(SAY_DROP, schema))


SAY_MOVE = "SELECT format('ALTER TABLE %I.%I SET SCHEMA %I', $1::text, $2::text, $3::text)"


async def move_table(connection: Connection, table: str, *, source: str, target: str) -> None:
    """Move a table with its constraints and indexes from one schema to another."""
    await connection.execute(await connection.fetchval(SAY_MOVE, source, table, target))


HOLD_LIVE = "SELECT position FROM public.view_cursor WHERE view = $1 FOR UPDATE"


async def hold_live(connection: Connection, view: str) -> int:
    """Where the live view stands, and stays until the transaction ends."""
    return int(await connection.fetchval(HOLD_LIVE, view) or 0)


# Shorter than the time after which the server looks for a deadlock: who reads two of the tables in
# another order than they are locked in never fails for it, because we give way before.
WAIT_BRIEFLY = "SET LOCAL lock_timeout = '200ms'"
SAY_LOCK = "SELECT format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', $1::text)"


Hold = Callable[[Connection], Awaitable[Sequence[Row]]]
"""Locks rows that must be held with the tables, and gives them."""


async def no_rows(_: Connection) -> Sequence[Row]:
    """Hold tables only."""
    return ()


async def lock_tables(
    connection: Connection, tables: Sequence[str], *, hold: Hold = no_rows
) -> Sequence[Row]:
    """Keep everybody from these live tables until the transaction ends: from all or from none.

    What `hold` locks is held with them or not at all, and given. Raises `InUse` when they are never
    all free in the tries there are.
    """
    for _ in range(_LOCK_TRIES):
        try:
            async with connection.transaction():
                await connection.execute(WAIT_BRIEFLY)
                for table in tables:
                    await connection.execute(await connection.fetchval(SAY_LOCK, table))
                return await hold(connection)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
    raise InUse(f"somebody holds one of the tables {', '.join(tables)} all the time")


KEY = """
SELECT attname FROM pg_constraint
JOIN LATERAL unnest(conkey) WITH ORDINALITY AS key (number, place) ON true
JOIN pg_attribute ON attrelid = conrelid AND attnum = key.number
WHERE conrelid = format('public.%I', $1::text)::regclass AND contype = 'p'
ORDER BY place
"""


async def key_of(connection: Connection, table: str) -> tuple[str, ...]:
    """The columns of a table's primary key, in order."""
    return tuple(row["attname"] for row in await connection.fetch(KEY, table))


SAY_COUNT = "SELECT format('SELECT count(*) FROM %I.%I', $1::text, $2::text)"


async def count_rows(connection: Connection, table: str, *, schema: str) -> int:
    """How many rows a table has."""
    said = await connection.fetchval(SAY_COUNT, schema, table)
    return int(await connection.fetchval(said))


SAY_COMPARE = """
SELECT format('SELECT count(*) OVER () AS total, to_jsonb(live) AS live, to_jsonb(beside) AS beside '
              'FROM public.%1$I AS live FULL JOIN %2$I.%1$I AS beside ON %3$s '
              'WHERE live IS DISTINCT FROM beside ORDER BY %4$s LIMIT $1',
              $2::text, $1::text,
              string_agg(format('live.%1$I = beside.%1$I', name), ' AND ' ORDER BY place),
              string_agg(format('coalesce(live.%1$I, beside.%1$I)', name), ', ' ORDER BY place))
FROM unnest($3::text[]) WITH ORDINALITY AS key (name, place)
"""


async def different_rows(
    connection: Connection, table: str, *, schema: str, key: Sequence[str], limit: int
) -> Sequence[Row]:
    """Rows that are not the same in both tables, by key, and in each how many there are."""
    said = await connection.fetchval(SAY_COMPARE, schema, table, key)
    return await connection.fetch(said, limit)
