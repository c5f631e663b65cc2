"""Replay: a view made anew from the first event, against reading the log, in turns."""

import time

import asyncpg

from benchmarks import servers
from benchmarks.events import views
from benchmarks.events.filling import fill
from benchmarks.measure import Cell, Part, Target, paired_ratio, percentile
from cli.progress import say
from libs.dates.clock import SystemClock
from libs.events.follow import Follower
from libs.events.keys import MemoryKeys
from libs.events.shadow import View, beside
from libs.events.store import PostgresLog

_AT_ONCE = 1_000


async def measure(*, quick: bool) -> Part:
    """Rebuild a view and read the log again and again."""
    events, rounds = (30_000, 3) if quick else (120_000, 5)
    replayed, read, fetched = [], [], []
    with servers.postgres("replay") as server:
        async with (
            servers.database(server, context="contracts") as dsn,
            asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool,
            await PostgresLog.open(
                pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
            ) as log,
        ):
            await pool.execute(views.MAKE)
            await fill(pool, after=0, until=events)
            await Follower("bench", log=log, pool=pool, effect=views.write).catch_up()
            view = View("bench", ("approved",), views.write)
            for turn in range(rounds + 1):
                say(f"replay: round {turn} of {rounds}")
                began = time.perf_counter()
                async with beside(view, log=log, pool=pool, dsn=dsn) as shadow:
                    await shadow.begin()
                    await shadow.follow()
                    took = time.perf_counter() - began
                    await shadow.drop()
                took_reading = await _read(log)
                began, last = time.perf_counter(), 0
                while rows := await pool.fetch(_FETCH, last, _AT_ONCE):
                    last = rows[-1]["position"]
                took_fetching = time.perf_counter() - began
                if turn:
                    replayed.append(took)
                    read.append(took_reading)
                    fetched.append(took_fetching)
    ratio = paired_ratio(replayed, read)
    return Part(
        name="replay",
        title="Replay: a view made anew from the log's first event",
        notes=(
            f"{events:,} events, {_AT_ONCE:,} at a time; replay: beside the live one, read, a row each by COPY,",
            "  the view's position in the same transactions",
            "read: the same events by the log's own read, checked by their classes, nothing written",
            "rows: only the rows fetched from PostgreSQL, as bytes",
        ),
        columns=("round", "replay /s", "read /s", "rows /s", "replay x read", "replay x rows"),
        rows=(
            *(
                _row(str(turn), each, events=events)
                for turn, each in enumerate(zip(replayed, read, fetched, strict=True), start=1)
            ),
            (
                "middle",
                *(events / percentile(all_, percent=50) for all_ in (replayed, read, fetched)),
                ratio,
                paired_ratio(replayed, fetched),
            ),
        ),
        targets=(
            Target(
                what="time of a replay over the time of reading the log",
                measured=ratio,
                bound="at most",
                limit=3,
            ),
        ),
    )


_FETCH = "SELECT * FROM event WHERE position > $1 ORDER BY position LIMIT $2"


def _row(name: str, seconds: tuple[float, float, float], *, events: int) -> tuple[Cell, ...]:
    replayed, read, fetched = seconds
    rates = (events / replayed, events / read, events / fetched)
    return (name, *rates, replayed / read, replayed / fetched)


async def _read(log: PostgresLog) -> float:
    began, last = time.perf_counter(), 0
    while events := await log.read(last, limit=_AT_ONCE):
        last = events[-1].envelope.position
    return time.perf_counter() - began
