"""The way of events in tests: a log with its topic, a reader's database, and what runs between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from libs.dates.clock import SystemClock
from libs.events.database import Connection, Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.kafka import Message, from_record, topic_of
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.partition import PARTITIONS
from libs.events.store import PostgresLog
from libs.events.topics import create_topics
from libs.events.vocabulary.contracts import ServiceStarted

CASE = Cause(correlation_id=UUID(int=100), actor="operator-1")
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.02

NOTES = """
CREATE TABLE note (
    position bigint NOT NULL, stream_id uuid NOT NULL, version integer NOT NULL,
    seen bigserial NOT NULL
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database with a log, open."""

    dsn: str
    pool: Pool
    log: PostgresLog
    keys: MemoryKeys


@asynccontextmanager
async def a_log(dsn: str, context: str, *, rehearsal: bool = False) -> AsyncIterator[Place]:
    """A migrated, initialised, open log in an empty database, with a table of notes."""
    await migrate(dsn, [MIGRATIONS])
    await initialise(dsn, context, rehearsal=rehearsal)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=8) as pool:
        await pool.execute(NOTES)
        keys = MemoryKeys()
        async with await PostgresLog.open(
            pool, context=context, keys=keys, clock=SystemClock()
        ) as log:
            yield Place(dsn=dsn, pool=pool, log=log, keys=keys)


async def a_topic(bootstrap: str, *, prefix: str, context: str = "contracts") -> str:
    """An empty topic for a context."""
    topic = topic_of(context, prefix=prefix)
    await create_topics([topic], bootstrap=bootstrap)
    return topic


@asynccontextmanager
async def running(run: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run something beside the block, told to stop at its end."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait for what must become true; fails when it does not within a minute, or so long."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - what it waits for is elsewhere
            await asyncio.sleep(_LOOK_SECONDS)


def a_start(number: int, *, day: int = 1) -> ServiceStarted:
    """The start of the service of contract `number`."""
    return ServiceStarted(contract_id=UUID(int=number), started_on=date(2026, 4, day))


async def append_starts(
    log: PostgresLog, *, streams: int, versions: int, after: int = 0, cause: Cause = CASE
) -> None:
    """Append `versions` events to each of `streams` streams, one version after the other."""
    for version in range(after, after + versions):
        await log.append(
            *(
                StreamAppend(
                    stream_id=UUID(int=number),
                    events=[a_start(number, day=version % 28 + 1)],
                    expected=version,
                )
                for number in range(1, streams + 1)
            ),
            cause=cause,
        )


async def all_of(topic: str, *, bootstrap: str) -> list[Message]:
    """Everything that stands in a topic now, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        found: list[Message] = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found.extend(from_record(record) for record in records)
    finally:
        await consumer.stop()
    return sorted(found, key=lambda message: (message.partition, message.offset))


def new_ones(messages: Sequence[Message]) -> list[Message]:
    """A topic's records without repeats, as a reader takes them; fails at a gap."""
    last: dict[int, int] = {}
    found = []
    for message in messages:
        sequence = message.envelope.sequence
        expected = last.get(message.partition, 0) + 1
        assert sequence <= expected, f"gap before {message.partition}/{sequence}"
        if sequence == expected:
            last[message.partition] = sequence
            found.append(message)
    return found


NOTE = "INSERT INTO note (position, stream_id, version) VALUES ($1, $2, $3)"


async def take_notes(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
    """An effect: a row for each event, none kept from coming twice."""
    await connection.executemany(
        NOTE,
        [
            (event.envelope.position, event.envelope.stream_id, event.envelope.version)
            for event in batch
        ],
    )


async def notes(pool: Pool) -> list[tuple[UUID, int]]:
    """Stream and version of each event that was noted, in the order of noting."""
    rows = await pool.fetch("SELECT stream_id, version FROM note ORDER BY seen")
    return [(row["stream_id"], row["version"]) for row in rows]


def is_once_and_in_order(found: Sequence[tuple[UUID, int]], *, streams: int, versions: int) -> bool:
    """Whether each stream's versions stand there once and in order, and nothing else."""
    by_stream: dict[UUID, list[int]] = {}
    for stream_id, version in found:
        by_stream.setdefault(stream_id, []).append(version)
    return by_stream == {
        UUID(int=number): list(range(1, versions + 1)) for number in range(1, streams + 1)
    }
