"""Brings a database's schema up to date: plain SQL files, forward only, each in one transaction.

Why not a tool: docs/decisions/0004-migrations.md.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from libs.events.partition import PARTITIONS

MIGRATIONS = Path(__file__).parent / "migrations"
"""The tables of the log."""
KEY_MIGRATIONS = Path(__file__).parent / "key_migrations"
"""The tables of the key database."""


class ChangedAfterwards(Exception):
    """A migration file is not what was applied under its name; applied files are never edited."""


PREPARE = """
SELECT pg_advisory_lock(133477034353007);
SET lock_timeout = '5s';
CREATE TABLE IF NOT EXISTS applied_migration (
    name text CONSTRAINT applied_migration_once PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
FIND_APPLIED = "SELECT name, sha256 FROM applied_migration"
FIND_IDENTITY = "SELECT EXISTS (SELECT FROM log_identity)"
REMEMBER = "INSERT INTO applied_migration (name, sha256) VALUES ($1, $2)"


async def migrate(dsn: str, folders: Sequence[Path]) -> list[str]:
    """Apply what is not applied yet, in the order of the names over all folders; gives the names.

    Processes that migrate at once take turns. Raises `ChangedAfterwards` for a file edited after
    it was applied, and what the database says for one it refuses; files before it stay applied.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PREPARE)
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(FIND_APPLIED)}
        new = list(_to_apply(folders, applied=applied))
        for name, text, digest in new:
            async with connection.transaction():
                await connection.execute(text)
                await connection.execute(REMEMBER, name, digest)
    finally:
        await connection.close()
    return [name for name, _, _ in new]


async def is_ready(dsn: str, folders: Sequence[Path]) -> bool:
    """Whether the database has every migration of the folders, and holds a log.

    Raises `ChangedAfterwards` as `migrate` does.
    """
    connection = await asyncpg.connect(dsn)
    try:
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(FIND_APPLIED)}
        held = await connection.fetchval(FIND_IDENTITY)
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return bool(held) and not list(_to_apply(folders, applied=applied))


def _to_apply(
    folders: Sequence[Path], *, applied: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    files = sorted((file for folder in folders for file in folder.glob("*.sql")), key=_name)
    for file in files:
        text = file.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        if applied.get(file.name, digest) != digest:
            raise ChangedAfterwards(f"{file.name} was changed after it had been applied")
        if file.name not in applied:
            yield file.name, text, digest


def _name(file: Path) -> str:
    return file.name


INITIALISE_IDENTITY = """
INSERT INTO log_identity (context, log_epoch, rehearsal, partitions) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT log_identity_pkey DO NOTHING
"""
INITIALISE_HEAD = """
INSERT INTO log_head (position, recorded_at) VALUES (0, '0001-01-01 00:00:00+00')
ON CONFLICT ON CONSTRAINT log_head_pkey DO NOTHING
"""
INITIALISE_PARTITIONS = """
INSERT INTO partition_head (partition, sequence)
SELECT partition, 0 FROM generate_series(0, $1::integer - 1) AS partition
ON CONFLICT ON CONSTRAINT partition_head_pkey DO NOTHING
"""
INITIALISE_RELAY = """
INSERT INTO relay_cursor (position, leader_epoch) VALUES (0, 0)
ON CONFLICT ON CONSTRAINT relay_cursor_pkey DO NOTHING
"""


async def initialise(
    dsn: str, context: str, *, partitions: int = PARTITIONS, rehearsal: bool = False
) -> UUID:
    """Make the migrated database hold the log of `context`; gives its epoch.

    Again it changes nothing; raises ValueError when the database holds another log.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(INITIALISE_IDENTITY, context, uuid7(), rehearsal, partitions)
            await connection.execute(INITIALISE_HEAD)
            await connection.execute(INITIALISE_PARTITIONS, partitions)
            await connection.execute(INITIALISE_RELAY)
        row = await connection.fetchrow(
            "SELECT context, log_epoch, rehearsal, partitions FROM log_identity"
        )
    finally:
        await connection.close()
    assert row is not None
    if (row["context"], row["rehearsal"], row["partitions"]) != (context, rehearsal, partitions):
        raise ValueError(f"the database holds another log already: {dict(row)}")
    return UUID(int=row["log_epoch"].int)
