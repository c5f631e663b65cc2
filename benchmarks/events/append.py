"""Appending: the log, bare COPY of the same rows, and the two packages, in turns.

For each number of callers and of events an append. Every contender has a live follower in a process
of its own, which reads by position only and counts; what it did not see was missed.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import asyncpg

from benchmarks import servers
from benchmarks.events import http_callers
from benchmarks.events.copying import Copying
from benchmarks.measure import Cell, Part, Target, paired_ratio, percentile
from benchmarks.resident import Answer, Resident, ask_all
from cli.progress import say
from libs.events.appender import MAX_APPENDS
from libs.events.database import Pool

Way = Literal["one process", "two processes", "API, 2 workers"]

_WAYS: tuple[Way, ...] = ("one process", "two processes", "API, 2 workers")
_CALLERS = (1, 8, 64, 256)
_EVENTS = (1, 5)
_HELD = (64, 5)
"""Callers and events of the case that is held to the targets."""
_COLUMNS = (
    "append",
    "flush",
    "callers",
    "events",
    "log /s",
    "COPY /s",
    "of COPY",
    "CPU us",
    "COPY CPU us",
    "p50 ms",
    "p99 ms",
    "eventsourcing /s",
    "x",
    "umadb /s",
    "x",
    "missed: log",
    "e.s.",
    "umadb",
)
_NOTES = (
    "log: acknowledged events a second, each append a new stream that must not exist yet; durable",
    "COPY: the very same rows by bare COPY into a table with the same indexes, on one connection,",
    "  in transactions of as many rows as one batch of the log can have had",
    "CPU us: microseconds of processor an event, clients and server together (the follower's too)",
    "of COPY, x: our rate over theirs, pair by pair, the middle one",
    "flush + 2 ms: benchmarks/slow_flush.c, preloaded into PostgreSQL and into umadb's server,",
    "  makes every fsync and fdatasync 2 ms longer",
    "eventsourcing: PostgresApplicationRecorder under its table lock, same server, 16 connections;",
    "  umadb: its server and its Python client; their callers are threads. Neither has an API of",
    "  its own before it, so 'API' (uvicorn, FastAPI, HTTP and all) is compared with COPY alone",
    "missed: by a live follower in a process of its own, by position only",
)


@dataclass(slots=True)
class _Seen:
    """What one contender did in the rounds of one case."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    missed: int = 0


@dataclass(slots=True, kw_only=True)
class _Contender:
    """Processes that append, one that follows, and whose processor time counts with theirs."""

    appending: Sequence[Resident]
    following: Resident
    server: str

    async def append(
        self, seen: _Seen, *, processes: int, callers: int, events: int, seconds: float
    ) -> None:
        """One round with so many processes."""
        asked = self.appending[:processes]
        before = servers.cpu_seconds_of(self.server)
        await self.following.ask("begin")
        answers = await ask_all(
            asked, "append", callers=callers // processes, events=events, seconds=seconds
        )
        found = await self.following.ask("end")
        server = servers.cpu_seconds_of(self.server) - before
        _note(seen, answers, followed=found["seen"], server_cpu=server)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """All that take part under one kind of flush."""

    log: _Contender
    eventsourcing: _Contender
    umadb: _Contender
    api: Sequence[Resident]
    copying: Copying
    server: str


async def measure(*, quick: bool) -> Part:
    """Measure all cases; `quick` leaves most of them out."""
    rounds, seconds = (2, 0.4) if quick else (3, 0.4)
    rows: list[tuple[Cell, ...]] = []
    targets: list[Target] = []
    missed = 0
    for flush in ("as it is", "+ 2 ms"):
        async with _field(slow_flush=flush != "as it is") as taking_part:
            for way, callers, events in _cases(quick=quick):
                say(f"append: flush {flush}, {way}, {callers} callers, {events} events")
                case = _Case(taking_part, way=way, callers=callers, events=events)
                for turn in range(rounds + 1):
                    await case.round(seconds=seconds if turn else seconds / 2, counts=turn > 0)
                rows.append(case.row(flush))
                missed += case.log.missed
                if flush == "as it is" and way == "one process" and (callers, events) == _HELD:
                    targets = case.targets()
    targets.append(
        Target(
            what="events missed by the log's followers", measured=missed, bound="at most", limit=0
        )
    )
    return Part(
        name="append",
        title="Appending events",
        notes=_NOTES,
        columns=_COLUMNS,
        rows=tuple(rows),
        targets=tuple(targets),
    )


def _cases(*, quick: bool) -> list[tuple[Way, int, int]]:
    if quick:
        return [
            ("one process", 8, 1),
            ("one process", *_HELD),
            ("two processes", *_HELD),
            ("API, 2 workers", *_HELD),
        ]
    return [
        (way, callers, events)
        for way in _WAYS
        for events in _EVENTS
        for callers in _CALLERS
        if callers > 1 or way == "one process"
    ]


class _Case:
    """The rounds of one case, in turns."""

    def __init__(self, taking_part: _Field, *, way: Way, callers: int, events: int) -> None:
        self._field = taking_part
        self._way = way
        self._callers = callers
        self._events = events
        self.log = _Seen()
        self.copy = _Seen()
        self.eventsourcing = _Seen()
        self.umadb = _Seen()

    async def round(self, *, seconds: float, counts: bool) -> None:
        """Each once; what does not count only warms up."""
        log, copy, eventsourcing, umadb = (
            (self.log, self.copy, self.eventsourcing, self.umadb)
            if counts
            else (_Seen(), _Seen(), _Seen(), _Seen())
        )
        head = await self._field.copying.head()
        if self._way == "API, 2 workers":
            await self._over_http(log, seconds=seconds)
        else:
            await self._by(self._field.log, log, seconds=seconds)
        await self._copy(copy, after=head)
        if self._way != "API, 2 workers":
            await self._by(self._field.eventsourcing, eventsourcing, seconds=seconds)
            await self._by(self._field.umadb, umadb, seconds=seconds)

    async def _by(self, contender: _Contender, seen: _Seen, *, seconds: float) -> None:
        await contender.append(
            seen,
            processes=1 if self._way == "one process" else 2,
            callers=self._callers,
            events=self._events,
            seconds=seconds,
        )

    async def _over_http(self, seen: _Seen, *, seconds: float) -> None:
        apis, following = self._field.api, self._field.log.following
        found = await ask_all(apis, "address")
        before = servers.cpu_seconds_of(self._field.server)
        before += sum(answer["cpu"] for answer in await ask_all(apis, "cpu"))
        await following.ask("begin")
        answer = await http_callers.call(
            [(each["host"], each["port"]) for each in found],
            callers=self._callers,
            events=self._events,
            seconds=seconds,
        )
        followed = await following.ask("end")
        after = servers.cpu_seconds_of(self._field.server)
        after += sum(each["cpu"] for each in await ask_all(apis, "cpu"))
        _note(seen, [answer], followed=followed["seen"], server_cpu=after - before)

    async def _copy(self, seen: _Seen, *, after: int) -> None:
        before = servers.cpu_seconds_of(self._field.server)
        copied = await self._field.copying.copy(
            after=after, at_once=min(self._callers, MAX_APPENDS) * self._events
        )
        used = servers.cpu_seconds_of(self._field.server) - before + copied.cpu
        seen.rates.append(copied.rows / copied.seconds)
        seen.cpu_us.append(used / copied.rows * 1e6)

    def row(self, flush: str) -> tuple[Cell, ...]:
        """The line of this case."""
        log, copy = self.log, self.copy
        return (
            *(self._way, flush, self._callers, self._events),
            *(_middle(log.rates), _middle(copy.rates), paired_ratio(log.rates, copy.rates)),
            *(_middle(log.cpu_us), _middle(copy.cpu_us)),
            percentile(log.waits, percent=50) * 1000,
            percentile(log.waits, percent=99) * 1000,
            *self._beside(self.eventsourcing),
            *self._beside(self.umadb),
            log.missed,
            *(seen.missed if seen.rates else "" for seen in (self.eventsourcing, self.umadb)),
        )

    def _beside(self, seen: _Seen) -> tuple[Cell, Cell]:
        if not seen.rates:
            return "", ""
        return _middle(seen.rates), paired_ratio(self.log.rates, seen.rates)

    def targets(self) -> list[Target]:
        """What the log is held to in this case."""
        what = f"append, {self._callers} callers of {self._events} events, over"
        return [
            Target(
                what=f"{what} {name}",
                measured=paired_ratio(self.log.rates, theirs.rates),
                bound="at least",
                limit=limit,
            )
            for name, theirs, limit in (
                ("COPY of the same rows", self.copy, 0.5),
                ("umadb", self.umadb, 1.5),
                ("eventsourcing, lossless", self.eventsourcing, 8.0),
            )
        ]


def _note(seen: _Seen, answers: Sequence[Answer], *, followed: int, server_cpu: float) -> None:
    events = sum(answer["events"] for answer in answers)
    seen.rates.append(sum(answer["events"] / answer["seconds"] for answer in answers))
    seen.waits.extend(wait for answer in answers for wait in answer["waits"])
    cpu = server_cpu + sum(answer.get("cpu", 0.0) for answer in answers)
    seen.cpu_us.append(cpu / events * 1e6)
    seen.missed += events - followed


def _middle(values: Sequence[float]) -> float:
    return percentile(values, percent=50)


@asynccontextmanager
async def _field(*, slow_flush: bool) -> AsyncIterator[_Field]:
    name = "slow" if slow_flush else "usual"
    async with AsyncExitStack() as stack:
        server = stack.enter_context(servers.postgres(name, slow_flush=slow_flush))
        address = stack.enter_context(servers.umadb(f"umadb-{name}", slow_flush=slow_flush))
        dsn = await stack.enter_async_context(servers.database(server, context="contracts"))
        other = await stack.enter_async_context(servers.database(server))
        pool: Pool = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=2)
        )

        async def ours(module: str) -> Resident:
            return await _kept(stack, await Resident.of_ours(f"benchmarks.events.{module}", dsn))

        async def peer(script: str, *arguments: str) -> Resident:
            command = (str(servers.peers_python()), "-m", f"benchmarks.peers.{script}", *arguments)
            return await _kept(stack, await Resident.start(*command, name=script))

        async def three(start: Any, *arguments: str) -> tuple[list[Resident], Resident]:
            first, second, third = [await start(*arguments) for _ in range(3)]
            return [first, second], third

        log, log_follower = await three(ours, "append_resident")
        parts = urlsplit(other)
        sockets = parse_qs(parts.query)["host"][0]
        es, es_follower = await three(
            peer, "eventsourcing_resident", sockets, parts.path.removeprefix("/")
        )
        uma, uma_follower = await three(peer, "umadb_resident", address)
        yield _Field(
            log=_Contender(appending=log, following=log_follower, server=name),
            eventsourcing=_Contender(appending=es, following=es_follower, server=name),
            umadb=_Contender(appending=uma, following=uma_follower, server=f"umadb-{name}"),
            api=[await ours("api_resident") for _ in range(2)],
            copying=await Copying.prepare(pool),
            server=name,
        )


async def _kept(stack: AsyncExitStack, resident: Resident) -> Resident:
    stack.push_async_callback(resident.close)
    return resident
