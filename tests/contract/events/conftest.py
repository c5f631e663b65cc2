"""The two logs, made alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import pytest

from libs.dates.clock import FixedClock
from libs.events.keys import MemoryKeys
from libs.events.log import Log
from libs.events.memory import MemoryLog
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.store import PostgresLog
from tests.conftest import MakeDatabase

MakeLog = Callable[..., Awaitable[Log]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 4, 1, 3, 0, tzinfo=UTC))


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture(params=["memory", "postgres"])
async def make_log(
    request: pytest.FixtureRequest, clock: FixedClock, keys: MemoryKeys, database: MakeDatabase
) -> AsyncIterator[MakeLog]:
    """Makes an empty log of the contracts context, a rehearsal one where asked."""
    async with AsyncExitStack() as stack:

        async def in_memory(*, rehearsal: bool = False) -> Log:
            return MemoryLog("contracts", clock=clock, keys=keys, rehearsal=rehearsal)

        async def in_postgres(*, rehearsal: bool = False) -> Log:
            dsn = await database()
            await migrate(dsn, [MIGRATIONS])
            await initialise(dsn, "contracts", rehearsal=rehearsal)
            pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1))
            opened = await PostgresLog.open(pool, context="contracts", keys=keys, clock=clock)
            return await stack.enter_async_context(opened)

        yield in_memory if request.param == "memory" else in_postgres


@pytest.fixture
async def log(make_log: MakeLog) -> Log:
    return await make_log()
