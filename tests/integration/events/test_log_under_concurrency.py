"""Several processes append to one log; what they were told is what stands there."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from libs.dates.clock import FixedClock, SystemClock
from libs.events.envelope import Cause
from libs.events.keys import MemoryKeys
from libs.events.log import Appended, Idempotency, LogUnavailable, Riders, StreamAppend, Unpark
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import ServiceStarted
from tests.conftest import MakeDatabase
from tests.integration.events.postgres_way import a_postgres_way

ROOT = Path(__file__).resolve().parents[3]
CASE = Cause(correlation_id=UUID(int=100), actor="operator-1")


@pytest.fixture
async def dsn(database: MakeDatabase) -> str:
    made = await database()
    await migrate(made, [MIGRATIONS])
    await initialise(made, "contracts")
    return made


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=8) as pool:
        yield pool


@pytest.fixture
async def log(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[PostgresLog]:
    opened = await PostgresLog.open(
        pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
    )
    async with opened as log:
        yield log


def a_start(stream_id: UUID) -> StreamAppend:
    event = ServiceStarted(contract_id=stream_id, started_on=date(2026, 4, 1))
    return StreamAppend(stream_id=stream_id, events=(event,), expected=0)


async def a_writer(dsn: str, name: str, *, appends: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.events.log_writer",
        *(dsn, name, "8", str(appends), "40"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


async def follow(pool: "asyncpg.Pool[asyncpg.Record]", *, done: asyncio.Event) -> list[int]:
    """A follower that knows nothing but `position > last`."""
    seen: list[int] = []
    while True:
        ending = done.is_set()
        rows = await pool.fetch(
            "SELECT position FROM event WHERE position > $1 ORDER BY position",
            seen[-1] if seen else 0,
        )
        if ending and not rows:
            return seen
        seen.extend(row["position"] for row in rows)


async def assert_gapless(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    rows = await pool.fetch("SELECT * FROM event ORDER BY position")
    head = await pool.fetchrow("SELECT position, recorded_at FROM log_head")
    assert head is not None
    assert [row["position"] for row in rows] == list(range(1, head["position"] + 1))
    times = [row["recorded_at"] for row in rows]
    assert times == sorted(times)
    sequences: Counter[int] = Counter()
    versions: Counter[UUID] = Counter()
    for row in rows:
        sequences[row["partition"]] += 1
        versions[row["stream_id"]] += 1
        assert row["sequence"] == sequences[row["partition"]]
        assert row["version"] == versions[row["stream_id"]]
    heads = await pool.fetch("SELECT partition, sequence FROM partition_head WHERE sequence > 0")
    assert {row["partition"]: row["sequence"] for row in heads} == sequences


async def test_processes_append_without_a_gap_and_a_follower_misses_nothing(
    dsn: str, pool: "asyncpg.Pool[asyncpg.Record]", database: MakeDatabase
) -> None:
    done = asyncio.Event()
    async with AsyncExitStack() as stack:
        # a writing transaction elsewhere in the cluster, open all the time
        foreign = await asyncpg.connect(await database())
        stack.push_async_callback(foreign.close)
        await foreign.execute("CREATE TABLE written (n integer)")
        await stack.enter_async_context(foreign.transaction())
        await foreign.execute("INSERT INTO written VALUES (1)")
        following = asyncio.create_task(follow(pool, done=done))
        writers = [await a_writer(dsn, f"w{number}", appends=25) for number in range(3)]
        outputs = [(await writer.communicate())[0].decode().split("\n") for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        done.set()
        seen = await following
    acknowledged = [line for lines in outputs for line in lines if line and line != "loser"]
    losers = sum(line == "loser" for lines in outputs for line in lines)
    written = sum(int(line.split()[1]) for line in acknowledged)
    assert losers > 0
    assert seen == list(range(1, written + 1))
    await assert_gapless(pool)


async def test_a_killed_process_leaves_all_it_was_told_of_and_nothing_half(
    dsn: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    writer = await a_writer(dsn, "killed", appends=10_000)
    assert writer.stdout is not None
    lines = [await writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    lines += (await writer.stdout.read()).splitlines(keepends=True)
    await writer.wait()
    told = [line.decode().split() for line in lines if line.endswith(b"\n")]
    stored = Counter(
        row["actor"] for row in await pool.fetch("SELECT actor FROM event ORDER BY position")
    )
    for _, count, actor in (parts for parts in told if len(parts) == 3):
        assert stored[actor] == int(count)
    for actor, events in stored.items():
        _, caller, turn = actor.split("/")
        whole = 1 + (int(caller) + int(turn)) % 4
        assert events in (whole, whole + 1)
    await assert_gapless(pool)
    other = await a_writer(dsn, "after", appends=3)
    await other.communicate()
    assert other.returncode == 0
    await assert_gapless(pool)


async def test_two_processes_with_one_key_have_one_effect(
    dsn: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    def answer(appended: Appended) -> bytes:
        return str(appended.position).encode()

    key = Idempotency(scope="partner", key="k", fingerprint="f", answer=answer)
    async with AsyncExitStack() as stack:
        logs = []
        for _ in range(3):
            own = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=4))
            opened = await PostgresLog.open(
                own, context="contracts", keys=MemoryKeys(), clock=SystemClock()
            )
            logs.append(await stack.enter_async_context(opened))
        outcomes = await asyncio.gather(
            *(
                log.append(a_start(UUID(int=1)), cause=CASE, riders=Riders(idempotency=key))
                for log in logs * 10
            )
        )
    assert Counter(outcome.replayed for outcome in outcomes) == {None: 1, b"1": 29}
    assert await pool.fetchval("SELECT count(*) FROM event") == 1


async def test_clocks_that_disagree_do_not_run_the_log_backwards(
    dsn: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    async with AsyncExitStack() as stack:
        for number, day in enumerate((20, 10, 30, 5), start=1):
            opened = await PostgresLog.open(
                pool,
                context="contracts",
                keys=MemoryKeys(),
                clock=FixedClock(datetime(2026, 4, day, tzinfo=UTC)),
            )
            log = await stack.enter_async_context(opened)
            await log.append(a_start(UUID(int=number)), cause=CASE)
        times = [recorded.envelope.recorded_at.day for recorded in await log.read(0, limit=9)]
    assert times == [20, 20, 30, 30]


async def test_the_log_finds_its_way_back_after_its_connections_were_cut(
    log: PostgresLog, pool: "asyncpg.Pool[asyncpg.Record]", postgres_dsn: str
) -> None:
    await log.append(a_start(UUID(int=1)), cause=CASE)
    name = await pool.fetchval("SELECT current_database()")
    admin = await asyncpg.connect(postgres_dsn)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await admin.close()
    appended = None
    for _ in range(5):
        try:
            appended = await log.append(a_start(UUID(int=2)), cause=CASE)
            break
        except LogUnavailable:
            continue
    assert appended is not None
    assert (await log.load(UUID(int=2)))[0].envelope.version == 1
    assert await log.position() == 2


async def test_without_a_database_the_log_says_so_and_goes_on_when_it_is_back(dsn: str) -> None:
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(a_postgres_way(dsn))
        pool = await stack.enter_async_context(asyncpg.create_pool(way.dsn, min_size=0, max_size=4))
        opened = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        log = await stack.enter_async_context(opened)
        await log.append(a_start(UUID(int=1)), cause=CASE)
        way.cut()
        for number in (2, 3):
            with pytest.raises(LogUnavailable):
                await log.append(a_start(UUID(int=number)), cause=CASE)
            with pytest.raises(LogUnavailable):
                await log.load(UUID(int=1))
        await way.open()
        await log.append(a_start(UUID(int=4)), cause=CASE)
        assert [e.envelope.stream_id.int for e in await log.read(0, limit=9)] == [1, 4]


async def test_a_cancelled_caller_does_not_disturb_others(log: PostgresLog) -> None:
    calls = [
        asyncio.create_task(log.append(a_start(UUID(int=number)), cause=CASE))
        for number in range(1, 40)
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, Appended) for outcome in outcomes[1::2])
    position = await log.position()
    assert [e.envelope.position for e in await log.read(0, limit=99)] == [*range(1, position + 1)]


async def test_many_streams_go_in_one_append(log: PostgresLog) -> None:
    streams = [UUID(int=number) for number in range(1, 3001)]
    appended = await log.append(*(a_start(stream_id) for stream_id in streams), cause=CASE)
    assert appended.position == 3000
    assert len(appended.versions) == 3000


async def test_a_parked_event_is_unparked_for_its_reader_alone(
    log: PostgresLog, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    event_id = UUID(int=5)
    for reader in ("reactions", "invoices"):
        await pool.execute(
            """
            INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id,
                waiting, reason, attempts, parked_at, headers, data)
            VALUES ($1, 'billing', 0, 1, $2, $2, true, 'not yet seen', 1, now(), '{}', '')
            """,
            reader,
            event_id,
        )
    taken = Riders(unpark=(Unpark("reactions", event_id),))
    await log.append(a_start(UUID(int=1)), cause=CASE, riders=taken)
    left = await pool.fetch("SELECT consumer FROM parked_event")
    assert [row["consumer"] for row in left] == ["invoices"]


async def test_followers_are_told_after_the_commit(
    log: PostgresLog, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with pool.acquire() as connection:
        await connection.add_listener("yakkan_relay", lambda *heard: told.put_nowait(heard[2]))
        await log.append(a_start(UUID(int=1)), cause=CASE)
        await asyncio.wait_for(told.get(), timeout=30)
        assert await log.position() == 1
        await connection.reset()


async def test_a_database_without_a_log_or_with_another_one_is_refused(
    database: MakeDatabase,
) -> None:
    empty = await database()
    await migrate(empty, [MIGRATIONS])
    async with asyncpg.create_pool(empty, min_size=1) as pool:
        with pytest.raises(ValueError, match="initialised"):
            await PostgresLog.open(
                pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
            )
        await initialise(empty, "billing")
        with pytest.raises(ValueError, match="log of billing"):
            await PostgresLog.open(
                pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
            )
