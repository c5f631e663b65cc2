"""A process that appends to a log from many callers, or follows it and counts. Argument: DSN."""

import asyncio
import sys
import time

import asyncpg
import uvloop
from uuid_utils.compat import uuid7

from benchmarks.events.facts import facts
from benchmarks.measure import thinned
from benchmarks.resident import Answer, serve
from libs.dates.clock import SystemClock
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.store import PostgresLog
from libs.telemetry.collector import collect_rarely

MOST_WAITS = 5_000
_LOOK_SECONDS = 0.02
_FOLLOW = "SELECT position FROM event WHERE position > $1 ORDER BY position LIMIT 5000"
# A plan of the first seconds, when the table was empty, would sort the whole log at every look.
_BY_INDEX = "SET enable_seqscan = off; SET enable_bitmapscan = off"


async def main(dsn: str) -> None:
    """Serve until standard input ends."""
    collect_rarely()  # as every process of ours does
    async with asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool:
        opened = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        async with opened as log:
            follower = _Follower(pool, log)

            async def append(*, callers: int, events: int, seconds: float) -> Answer:
                return await _append(log, callers=callers, events=events, seconds=seconds)

            await serve(append=append, begin=follower.begin, end=follower.end)


async def _append(log: PostgresLog, *, callers: int, events: int, seconds: float) -> Answer:
    cpu, began = time.process_time(), time.perf_counter()
    calls = (_call(log, events=events, until=began + seconds) for _ in range(callers))
    waits = [wait for of_one in await asyncio.gather(*calls) for wait in of_one]
    return {
        "events": len(waits) * events,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "waits": thinned(waits, most=MOST_WAITS),
    }


async def _call(log: PostgresLog, *, events: int, until: float) -> list[float]:
    """Append one stream after another, as a caller does who waits for each answer."""
    waits = []
    cause = Cause(correlation_id=uuid7(), actor="bench")
    while (before := time.perf_counter()) < until:
        stream_id = uuid7()
        append = StreamAppend(
            stream_id=stream_id, events=facts(stream_id, events=events), expected=0
        )
        await log.append(append, cause=cause)
        waits.append(time.perf_counter() - before)
    return waits


class _Follower:
    """Reads by `position > last` only, in order; what it has not seen at the end it missed."""

    def __init__(self, pool: Pool, log: PostgresLog) -> None:
        self._pool = pool
        self._log = log
        self._stop = asyncio.Event()
        self._following: asyncio.Task[int] | None = None

    async def begin(self) -> Answer:
        """Begin to follow from the head of now."""
        self._stop.clear()
        self._following = asyncio.create_task(self._follow(await self._log.position()))
        return {}

    async def end(self) -> Answer:
        """Read to the end; how many were seen."""
        assert self._following is not None
        self._stop.set()
        return {"seen": await self._following}

    async def _follow(self, last: int) -> int:
        seen = 0
        async with self._pool.acquire() as connection:
            await connection.execute(_BY_INDEX)
            while True:
                ending = self._stop.is_set()
                rows = await connection.fetch(_FOLLOW, last)
                if rows:
                    last, seen = rows[-1]["position"], seen + len(rows)
                elif ending:
                    return seen
                else:
                    await asyncio.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
