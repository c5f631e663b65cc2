"""A database as a file, and back, by PostgreSQL's own programs."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from cli.processes import CannotStart
from cli.servers.postgres import programs


def named(dsn: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


def dump(dsn: str, *, file: Path) -> None:
    """Write a database into a file, as it stands at one moment; others go on meanwhile.

    The file appears when it is whole. Raises CannotStart with what the program said.
    """
    draft = file.with_name(f"{file.name}.draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={draft}", f"--dbname={dsn}")
    draft.replace(file)


def load(dsn: str, *, file: Path) -> None:
    """Fill an empty database from a file; raises CannotStart with what the program said."""
    _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={dsn}", str(file))


def _run(program: str, *arguments: str) -> None:
    ended = subprocess.run(
        [programs() / program, *arguments], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or ["it ended without a word"]
        raise CannotStart(f"{program}: {said[0]}")


# The names are ours, and the database quotes them by itself.
SAY_CREATE = "SELECT format('CREATE DATABASE %I', $1::text)"
SAY_DROP = "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text)"
SAY_RENAME = "SELECT format('ALTER DATABASE %I RENAME TO %I', $1::text, $2::text)"
EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = $1 AND pid <> pg_backend_pid()
"""


async def make_empty(admin: str, database: str) -> str:
    """An empty database of that name, in place of one that was there; its address."""
    connection = await asyncpg.connect(admin)
    try:
        await _do(connection, SAY_DROP, database)
        await _do(connection, SAY_CREATE, database)
    finally:
        await connection.close()
    return named(admin, database)


async def drop(admin: str, database: str) -> None:
    """Remove a database, if there is one of that name."""
    connection = await asyncpg.connect(admin)
    try:
        await _do(connection, SAY_DROP, database)
    finally:
        await connection.close()


async def free_name(admin: str, name: str) -> str:
    """The name, or with the next number behind it, that no database has: none is kept twice."""
    connection = await asyncpg.connect(admin)
    try:
        number, free = 1, name
        while await connection.fetchval(EXISTS, free):
            number += 1
            free = f"{name}_{number}"
    finally:
        await connection.close()
    return free


async def put_in_place(admin: str, *, draft: str, database: str, aside: str) -> None:
    """Give a database another's name; that one is kept as `aside`, which must be free.

    Whoever is connected to either is put out. A command killed in between is simply run again.
    """
    connection = await asyncpg.connect(admin)
    try:
        if await connection.fetchval(EXISTS, database):
            await connection.execute(END_SESSIONS, database)
            await _do(connection, SAY_RENAME, database, aside)
        await connection.execute(END_SESSIONS, draft)
        await _do(connection, SAY_RENAME, draft, database)
    finally:
        await connection.close()


async def _do(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *names: str
) -> None:
    await connection.execute(await connection.fetchval(statement, *names))


CURSORS_BEYOND = """
SELECT consumer, partition, consumer_cursor.sequence
FROM consumer_cursor
JOIN unnest($3::bigint[]) WITH ORDINALITY AS ends (sequence, number) ON partition = number - 1
WHERE topic = $1 AND log_epoch = $2 AND consumer_cursor.sequence > ends.sequence
ORDER BY consumer, partition
"""


async def readers_beyond(
    dsn: str, *, topic: str, log_epoch: object, ends: Sequence[int]
) -> list[str]:
    """The readers of a database that took more of a topic than up to `ends`, in words.

    None where the database is lost itself.
    """
    try:
        connection = await asyncpg.connect(dsn)
    except asyncpg.InvalidCatalogNameError:
        return []
    try:
        rows = await connection.fetch(CURSORS_BEYOND, topic, log_epoch, ends)
    except asyncpg.UndefinedTableError:
        return []
    finally:
        await connection.close()
    return [
        f"{row['consumer']} took {topic}/{row['partition']} up to {row['sequence']}" for row in rows
    ]
