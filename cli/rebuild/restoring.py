"""A service's database from a backup: made beside the live one, completed, and put in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg

from cli.processes import CannotStart
from cli.rebuild import databases
from cli.rebuild.opened import opened
from libs.events import recovering, recovering_sql
from libs.events.migrate import MIGRATIONS, migrate
from libs.events.recovering import NotItsTopic, Recovered, Told
from libs.events.whole_topic import has_topic

Way = Literal["from-topic", "new-epoch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The database to restore, its topic, and the databases of those who may read it.

    `variables` are those of the service's processes; `readers` are addresses by name.
    """

    service: str
    admin: str
    database: str
    topic: str
    kafka: str
    migrations: Path
    variables: Mapping[str, str]
    readers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it: `recovered` for a log that keeps its identity, else the new `log_epoch`.

    The database that was there is kept under the name `aside`.
    """

    head: int
    aside: str
    recovered: Recovered | None = None
    reserved: int = 0
    log_epoch: UUID | None = None


async def restore(target: Target, *, file: Path, way: Way, told: Told | None = None) -> Restored:
    """Make the database from a backup, put it in the live one's place, and keep that one aside.

    The service must be down. Nothing of the live database is touched before the new one is whole.
    Raises CannotStart, with the live one as it was.
    """
    draft = f"{target.database}_restored"
    aside = await databases.free_name(target.admin, f"{target.database}_replaced")
    dsn = await databases.make_empty(target.admin, draft)
    try:
        databases.load(dsn, file=file)
        await _is_of(dsn, target.service)
        await migrate(dsn, [MIGRATIONS, target.migrations])
        if way == "new-epoch":
            restored = await _forked(dsn, aside=aside)
        else:
            restored = await _completed(target, dsn, aside=aside, told=told)
    except CannotStart:
        await databases.drop(target.admin, draft)
        raise
    await databases.put_in_place(target.admin, draft=draft, database=target.database, aside=aside)
    return restored


HOLDS_KEYS = "SELECT to_regclass('public.data_key') IS NOT NULL"


async def restore_keys(admin: str, *, database: str, file: Path) -> str:
    """Make the database of keys from a backup, and give the name under which the live one is kept.

    Raises CannotStart, with the live one as it was, for a file that holds no keys.
    """
    draft = f"{database}_restored"
    aside = await databases.free_name(admin, f"{database}_replaced")
    dsn = await databases.make_empty(admin, draft)
    databases.load(dsn, file=file)
    connection = await asyncpg.connect(dsn)
    try:
        holds_keys = await connection.fetchval(HOLDS_KEYS)
    finally:
        await connection.close()
    if not holds_keys:
        await databases.drop(admin, draft)
        raise CannotStart("The file holds no keys of personal data.")
    await databases.put_in_place(admin, draft=draft, database=database, aside=aside)
    return aside


async def _is_of(dsn: str, service: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        context = await connection.fetchval("SELECT context FROM log_identity")
    except asyncpg.UndefinedTableError:
        context = None
    finally:
        await connection.close()
    if context != service:
        raise CannotStart(f"The file holds the log of {context}, not of {service}.")


async def _forked(dsn: str, *, aside: str) -> Restored:
    connection = await asyncpg.connect(dsn)
    try:
        log_epoch = await recovering.begin_epoch(connection)
        head = await recovering_sql.head(connection)
    finally:
        await connection.close()
    return Restored(head=head, aside=aside, log_epoch=log_epoch)


async def _completed(target: Target, dsn: str, *, aside: str, told: Told | None) -> Restored:
    if not await has_topic(target.topic, bootstrap=target.kafka):
        raise CannotStart(f"There is no topic {target.topic}; restore with --new-epoch.")
    connection = await asyncpg.connect(dsn)
    try:
        recovered = await recovering.complete(
            connection, topic=target.topic, bootstrap=target.kafka, told=told
        )
        await _nobody_is_beyond(connection, target)
    except NotItsTopic as refused:
        raise CannotStart(f"{refused} Or restore with --new-epoch.") from refused
    finally:
        await connection.close()
    reserved = await _reserved(target, dsn, streams=recovered.streams)
    return Restored(head=recovered.head, aside=aside, recovered=recovered, reserved=reserved)


async def _nobody_is_beyond(
    connection: "asyncpg.Connection[asyncpg.Record]", target: Target
) -> None:
    """A reader that took more than the completed log holds shows that the topic lost events."""
    log_epoch, _ = await recovering_sql.find_forks(connection)
    heads = await recovering_sql.partition_heads(connection)
    ends = [heads[partition] for partition in sorted(heads)]
    beyond: list[str] = []
    for name, dsn in target.readers.items():
        found = await databases.readers_beyond(
            dsn, topic=target.topic, log_epoch=log_epoch, ends=ends
        )
        beyond += [f"{name}: {words}" for words in found]
    if beyond:
        raise CannotStart(
            f"Events are lost that were taken ({'; '.join(beyond[:3])}): the log can't keep its"
            " identity. Restore with --new-epoch."
        )


async def _reserved(
    target: Target, dsn: str, *, streams: "Sequence[UUID] | frozenset[UUID]"
) -> int:
    """Derive again what rode with the events that came from the topic."""
    prefix = f"{target.service.upper()}_"
    beside = {**target.variables, f"{prefix}DATABASE_URL": dsn}
    async with opened(target.service, environment=beside) as service:
        if service.reserve_again is None:
            return 0
        async with service.pool.acquire() as borrowed, borrowed.transaction():
            return await service.reserve_again(borrowed, sorted(streams))  # type: ignore[arg-type] # the pool's proxy for one
