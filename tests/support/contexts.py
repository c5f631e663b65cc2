"""Other contexts in tests: a log each, with its relay, so that their events come over Kafka."""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from libs.dates.clock import SystemClock
from libs.events.database import Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.migrate import KEY_MIGRATIONS, MIGRATIONS, initialise, migrate
from libs.events.relay import Relay
from libs.events.store import PostgresLog
from libs.events.topics import create_topics
from tests.conftest import MakeDatabase
from tests.support.way import running

MASTER = bytes(range(32))
MASTER_TEXT = base64.b64encode(MASTER).decode()
CASE = Cause(correlation_id=UUID(int=100), actor="operator-1")


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """The key database, the broker, and the contexts that publish."""

    keys_url: str
    keys: PostgresKeys
    kafka: str
    prefix: str
    logs: dict[str, PostgresLog] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)

    async def publish(
        self, context: str, stream_id: UUID, *events: Event, cause: Cause = CASE
    ) -> Recorded[Event]:
        """Append events of another context; its relay brings them to Kafka. The last of them."""
        appended = await self.logs[context].decide(stream_id, lambda _: events, cause=cause)
        return appended.events[-1]


@asynccontextmanager
async def surroundings(
    *contexts: str,
    topics: tuple[str, ...],
    database: MakeDatabase,
    kafka: str,
    prefix: str,
    rehearsal: bool = False,
) -> AsyncIterator[Surroundings]:
    """These contexts, running; `topics` are made for all contexts named."""
    keys_url = await database()
    await migrate(keys_url, [KEY_MIGRATIONS])
    await create_topics([topic_of(name, prefix=prefix) for name in topics], bootstrap=kafka)
    async with AsyncExitStack() as stack:
        key_pool = await stack.enter_async_context(
            asyncpg.create_pool(keys_url, min_size=0, max_size=4)
        )
        found = Surroundings(
            keys_url=keys_url,
            keys=PostgresKeys(key_pool, master=MASTER),
            kafka=kafka,
            prefix=prefix,
        )
        for context in contexts:
            dsn = await database()
            await migrate(dsn, [MIGRATIONS])
            await initialise(dsn, context, rehearsal=rehearsal)
            pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=4))
            found.pools[context] = pool
            found.logs[context] = await stack.enter_async_context(
                await PostgresLog.open(pool, context=context, keys=found.keys, clock=SystemClock())
            )
            relay = Relay(dsn=dsn, bootstrap=kafka, topic=topic_of(context, prefix=prefix))
            await stack.enter_async_context(running(relay.run))
        yield found
