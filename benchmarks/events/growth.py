"""Growth: what the same work costs in time and memory on a log of ten thousand to ten million.

Between the steps the log is filled by the server itself. What is measured does the same amount of
work at every size, so it should cost the same.
"""

import time
from collections.abc import Awaitable, Callable

import asyncpg
import psutil
from uuid_utils.compat import uuid7

from benchmarks import servers
from benchmarks.events import views
from benchmarks.events.facts import facts
from benchmarks.events.filling import fill
from benchmarks.events.relaying import relayed
from benchmarks.measure import Cell, Part, Target, percentile
from cli.progress import say
from libs.dates.clock import SystemClock
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.follow import Follower
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.store import PostgresLog
from libs.events.topics import create_topics

_TOPIC = "contracts"
_SIZES = (12_000, 120_000, 1_200_000, 10_200_000)
"""Multiples of sixty, so that every partition has as many streams."""
_REPEATS = 60
_BEHIND = 6_000
_FLAT = 3.0
_MIB = 1024 * 1024
_SET_RELAY = "UPDATE relay_cursor SET position = $1"
_SET_VIEW = """
INSERT INTO view_cursor (view, position) VALUES ('bench', $1)
ON CONFLICT ON CONSTRAINT view_cursor_once DO UPDATE SET position = $1
"""
_A_STREAM = "SELECT stream_id FROM event WHERE position = $1"
_BYTES = "SELECT pg_database_size(current_database())"
_MEASURED = (
    "append of 5, ms",
    "stream of 5, ms",
    "read of 1,000, ms",
    f"view, {_BEHIND:,} behind, ms",
    f"relay, {_BEHIND:,} behind, ms",
)


async def measure(*, quick: bool) -> Part:
    """Measure at each size; to 1.2 million with `quick`."""
    sizes = _SIZES[:-1] if quick else _SIZES
    rows: list[tuple[Cell, ...]] = []
    costs: list[tuple[float, ...]] = []
    with servers.postgres("growth") as server, servers.kafka() as bootstrap:
        async with (
            servers.database(server, context="contracts") as dsn,
            asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool,
            await PostgresLog.open(
                pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
            ) as log,
        ):
            await pool.execute(views.MAKE)
            await create_topics([_TOPIC], bootstrap=bootstrap)
            work = _Work(log, pool=pool, dsn=dsn, bootstrap=bootstrap)
            for size in sizes:
                say(f"growth: filling the log up to {size:,} events")
                began = time.perf_counter()
                await fill(pool, after=await log.position(), until=size)
                filled = time.perf_counter() - began
                cost = await work.costs()
                costs.append(cost)
                stored = await pool.fetchval(_BYTES) / _MIB
                rows.append((f"{size:,}", *cost, work.memory_mib, stored, filled))
                await work.undo(size)
    return Part(
        name="growth",
        title="Growth: the same work on ever longer logs",
        notes=(
            "append, stream, read: the middle of sixty; stream: a stream of five events, loaded;",
            "  read: 1,000 events from the middle of the log",
            "view, relay: started with so much to do at the end of the log, until level",
            "memory: of the process that does it all; stored: the database on the disk;",
            "  filled: seconds in which the server wrote the events since the line before",
            "a consumer's start rests on its cursor and on Kafka's offset, not on the log: not here",
        ),
        columns=("events", *_MEASURED, "memory MiB", "stored MiB", "filled s"),
        rows=tuple(rows),
        targets=tuple(
            Target(
                what=f"growth, {what}: on the longest log over on the second, {sizes[1]:,}",
                measured=longest / second,
                bound="at most",
                limit=_FLAT,
            )
            for what, second, longest in zip(_MEASURED, costs[1], costs[-1], strict=True)
        ),
    )


class _Work:
    """The work that is measured at each size."""

    def __init__(self, log: PostgresLog, *, pool: Pool, dsn: str, bootstrap: str) -> None:
        self._log = log
        self._pool = pool
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._process = psutil.Process()

    @property
    def memory_mib(self) -> float:
        """What this process holds in memory now."""
        return float(self._process.memory_info().rss / _MIB)

    async def costs(self) -> tuple[float, ...]:
        """Milliseconds of each kind of work, in the order of `_MEASURED`."""
        middle = await self._log.position() // 2
        stream_id = await self._pool.fetchval(_A_STREAM, middle)
        behind_view = await self._behind_view()
        behind_relay = await self._behind_relay()
        return (
            await _middle(self._append),
            await _middle(lambda: self._log.load(stream_id)),
            await _middle(lambda: self._log.read(middle, limit=1_000)),
            behind_view,
            behind_relay,
        )

    async def undo(self, size: int) -> None:
        """Take away what was appended, so that filling goes on from `size`."""
        await self._pool.execute("DELETE FROM event WHERE position > $1", size)
        await fill(self._pool, after=size, until=size)

    async def _append(self) -> None:
        stream_id = uuid7()
        append = StreamAppend(stream_id=stream_id, events=facts(stream_id, events=5), expected=0)
        await self._log.append(append, cause=Cause(correlation_id=uuid7(), actor="bench"))

    async def _behind_view(self) -> float:
        await self._pool.execute(views.EMPTY)
        await self._pool.execute(_SET_VIEW, await self._log.position() - _BEHIND)
        view = Follower("bench", log=self._log, pool=self._pool, effect=views.write)
        began = time.perf_counter()
        await view.catch_up()
        return (time.perf_counter() - began) * 1000

    async def _behind_relay(self) -> float:
        head = await self._log.position()
        await self._pool.execute(_SET_RELAY, head - _BEHIND)
        took = await relayed(
            self._pool, dsn=self._dsn, bootstrap=self._bootstrap, topic=_TOPIC, head=head
        )
        return took * 1000


async def _middle(work: Callable[[], Awaitable[object]]) -> float:
    waits = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        await work()
        waits.append(time.perf_counter() - began)
    return percentile(waits, percent=50) * 1000
