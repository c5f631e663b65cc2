"""A whole way of events on which one process is the victim, and everything else goes on.

Callers append to a log, a relay sends it, a projector and a reactor read the topic, a view follows
the log. What is not the victim runs in the test's own process.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from libs.dates.clock import SystemClock
from libs.events.database import open_pool
from libs.events.keys import MemoryKeys
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.relay import Relay
from libs.events.store import PostgresLog
from tests.support.counter import Found, calls_in, complaints, count
from tests.support.victims import Kind, Part, a_projector, with_log
from tests.support.way import NOTES, a_topic, running

MakeStage = Callable[[], Awaitable["Stage"]]

LEASE_SECONDS = 5.0
TRANSACTION_SECONDS = 15.0
_SLOWLY_SECONDS = 0.3
_SHOWN = 12
_STANDSTILL_SECONDS = 60.0
_LOOK_SECONDS = 0.05

READERS: frozenset[Kind] = frozenset({"projector", "reactor", "follower"})

# Nothing may rest on how a server is set up.
OWN_SETTINGS = """
ALTER DATABASE "{name}" SET idle_in_transaction_session_timeout = 0;
ALTER DATABASE "{name}" SET idle_session_timeout = 0
"""
END_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
KEPT = ("applied_migration", "log_identity", "log_head", "partition_head", "relay_cursor")
TABLES = """
SELECT tablename AS name FROM pg_tables
WHERE schemaname = 'public' AND tablename <> ALL ($1::text[])
"""
RESET = """
UPDATE log_head SET position = 0;
UPDATE partition_head SET sequence = 0;
UPDATE relay_cursor SET position = 0
"""
CONSUMERS: Mapping[Kind, str] = {"projector": "notes", "reactor": "answers"}
SEQUENCES = "SELECT partition, sequence FROM partition_head"
SENT = "SELECT position FROM relay_cursor"
VIEWED = "SELECT position FROM view_cursor WHERE view = 'notes'"
TAKEN = "SELECT partition, sequence FROM consumer_cursor WHERE consumer = $1"


class Head(NamedTuple):
    """Where a log's head was: the position of the last event, and the last of each partition."""

    position: int
    sequences: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything is: the log's database, the readers', the topic, the file of calls.

    `readers` are those that take part, and whose effects are counted. `patience_seconds` is for how
    long all that takes part waits for a database that does not answer.
    """

    source: str
    target: str
    topic: str
    bootstrap: str
    calls: Path
    seed: int
    readers: frozenset[Kind] = READERS
    patience_seconds: float = 30.0

    def part(self, kind: Kind, *, name: str = "", dsn: str = "", bootstrap: str = "") -> Part:
        """What a process of that kind does here; over other ways where they are given."""
        own = self.target if kind in {"projector", "slow projector", "reactor"} else self.source
        return Part(
            kind=kind,
            dsn=dsn or own,
            bootstrap=bootstrap or self.bootstrap,
            topic=self.topic,
            name=name or kind,
            seed=self.seed,
            calls=self.calls,
            lease_seconds=LEASE_SECONDS,
            transaction_seconds=TRANSACTION_SECONDS,
            patience_seconds=self.patience_seconds,
            every_seconds=_SLOWLY_SECONDS,
        )

    async def moves(self, *, by: int = 10) -> None:
        """Return when so many more events than now stand in the log, and have come everywhere.

        By then some call was refused, too.
        """
        before = (await self._head()).position

        async def grown() -> bool:
            refused = any(call.outcome == "refused" for call in calls_in(self.calls))
            return refused and (await self._head()).position >= before + by

        await self._until(grown, self._head)
        await self.rests()

    async def rests(self) -> None:
        """Return when everything that stands in the log now has come everywhere."""
        head = await self._head()

        async def come() -> bool:
            return not await self._behind(head)

        await self._until(come, lambda: self._behind(head))

    async def _head(self) -> Head:
        async with asyncpg.create_pool(self.source, min_size=0, max_size=1) as source:
            sequences = {row["partition"]: row["sequence"] for row in await source.fetch(SEQUENCES)}
            return Head(sum(sequences.values()), sequences)

    async def _behind(self, head: Head) -> list[str]:
        """Who has not come so far."""
        async with (
            asyncpg.create_pool(self.source, min_size=0, max_size=1) as source,
            asyncpg.create_pool(self.target, min_size=0, max_size=1) as target,
        ):
            followers = {"relay": SENT, **({"view": VIEWED} if "follower" in self.readers else {})}
            behind = [
                name
                for name, statement in followers.items()
                if (await source.fetchval(statement) or 0) < head.position
            ]
            for reader in [name for kind, name in CONSUMERS.items() if kind in self.readers]:
                taken = {
                    row["partition"]: row["sequence"] for row in await target.fetch(TAKEN, reader)
                }
                behind += [
                    f"{reader} in partition {partition}"
                    for partition, sequence in head.sequences.items()
                    if taken.get(partition, 0) < sequence
                ]
            return behind

    async def _until(
        self, true: Callable[[], Awaitable[bool]], told: Callable[[], Awaitable[object]]
    ) -> None:
        """Wait as long as anything changes in what is told; fails a while after nothing does."""
        seen: object = None
        changed_at = 0.0
        while not await true():
            now = await told()
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() > changed_at + _STANDSTILL_SECONDS:
                wrong = complaints(await self.count())[:_SHOWN]
                raise AssertionError(f"seed {self.seed}: stands still: {now}; {'; '.join(wrong)}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def count(self) -> Found:
        """What the independent counter finds."""
        noted: dict[Kind, str] = {"projector": self.target, "follower": self.source}
        return await count(
            calls=self.calls,
            source=self.source,
            topic=self.topic,
            bootstrap=self.bootstrap,
            noted={kind: dsn for kind, dsn in noted.items() if kind in self.readers},
            answered={"reactor": self.target} if "reactor" in self.readers else {},
        )

    async def is_well(self) -> Found:
        """Assert that the counter has nothing to complain of; gives what it found."""
        found = await self.count()
        wrong = complaints(found)
        assert not wrong, f"seed {self.seed}: " + "; ".join(wrong[:_SHOWN])
        outcomes = {call.outcome for call in found.calls}
        assert {"acknowledged", "refused"} <= outcomes, f"seed {self.seed}: only {outcomes}"
        return found


class Databases:
    """Databases with an empty log of a context and an empty table of notes.

    They are copied from one that was migrated, and used again: making and dropping one costs a
    server more than a stage does.
    """

    def __init__(self, admin: str) -> None:
        self._admin = admin
        self._made: list[str] = []
        self._templates: dict[str, str] = {}
        self._free: dict[str, list[str]] = {}
        self._used: list[tuple[str, str]] = []

    async def take(self, context: str) -> str:
        """An empty one."""
        free = self._free.setdefault(context, [])
        name = free.pop() if free else await self._copy(context)
        self._used.append((context, name))
        return self._dsn(name)

    async def give_back(self) -> None:
        """Empty all that were taken, so that they can be taken again."""
        for context, name in self._used:
            await self._empty(name)
            self._free[context].append(name)
        self._used.clear()

    async def drop(self) -> None:
        """Drop all."""
        connection = await asyncpg.connect(self._admin)
        try:
            for name in self._made:
                await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _empty(self, name: str) -> None:
        connection = await asyncpg.connect(self._dsn(name))
        try:
            await connection.execute(END_OTHERS)
            tables = [row["name"] for row in await connection.fetch(TABLES, KEPT)]
            await connection.execute("; ".join([*(f"DELETE FROM {one}" for one in tables), RESET]))
        finally:
            await connection.close()

    async def _copy(self, context: str) -> str:
        if context not in self._templates:
            self._templates[context] = await self._template(context)
        return await self._create(f'TEMPLATE "{self._templates[context]}"')

    async def _template(self, context: str) -> str:
        name = await self._create("")
        dsn = self._dsn(name)
        await migrate(dsn, [MIGRATIONS])
        await initialise(dsn, context)
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(NOTES)
        finally:
            await connection.close()
        return name

    async def _create(self, how: str) -> str:
        name = f"stage_{uuid4().hex}"
        connection = await asyncpg.connect(self._admin)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" {how}')
            for statement in OWN_SETTINGS.format(name=name).split(";"):
                await connection.execute(statement)
        finally:
            await connection.close()
        self._made.append(name)
        return name

    def _dsn(self, name: str) -> str:
        return urlsplit(self._admin)._replace(path=f"/{name}").geturl()


async def a_stage(databases: Databases, *, bootstrap: str, folder: Path, seed: int) -> Stage:
    """An empty stage."""
    name = f"stage-{uuid4().hex[:12]}"
    source, target = await databases.take("contracts"), await databases.take("billing")
    topic = await a_topic(bootstrap, prefix=f"{name}-")
    calls = folder / f"{name}.calls"
    calls.touch()
    return Stage(
        source=source, target=target, topic=topic, bootstrap=bootstrap, calls=calls, seed=seed
    )


@asynccontextmanager
async def bystanders(
    stage: Stage,
    *,
    kinds: Collection[Kind],
    over: Mapping[Kind, Part] | None = None,
) -> AsyncIterator[None]:
    """Run these kinds in this process; `over` has other parts for some, as over another way."""
    parts = {kind: (over or {}).get(kind) or stage.part(kind, name="bystander") for kind in kinds}
    async with AsyncExitStack() as stack:
        for kind in sorted(kinds, reverse=True):
            await stack.enter_async_context(_bystander(parts[kind]))
        yield


@asynccontextmanager
async def _bystander(part: Part) -> AsyncIterator[None]:
    if part.kind == "relay":
        relay = Relay(
            dsn=part.dsn,
            bootstrap=part.bootstrap,
            topic=part.topic,
            patience_seconds=part.patience_seconds,
            lease_seconds=part.lease_seconds,
        )
        async with running(relay.run):
            yield
        return
    async with open_pool(
        part.dsn,
        min_size=0,
        max_size=3,
        patience_seconds=part.patience_seconds,
        transaction_seconds=part.transaction_seconds,
    ) as pool:
        if part.kind == "projector":
            async with running(a_projector(part, pool=pool).run):
                yield
            return
        context = "billing" if part.kind == "reactor" else "contracts"
        async with (
            await PostgresLog.open(
                pool, context=context, keys=MemoryKeys(), clock=SystemClock()
            ) as log,
            running(with_log(part, pool=pool, log=log)),
        ):
            yield
