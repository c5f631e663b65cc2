"""Appends of many callers in one transaction.

Callers put what they want appended in a queue and wait; one task takes whatever waits, settles it
under the append lock and commits it together. The lock is one for the whole database and is taken
by the transaction's first statement, when all that could be done without it (encoding, encrypting)
is done. So positions are given in the order of commits, and whoever reads by position passes over
nothing, with any number of processes appending.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg
import structlog

from libs.dates.clock import Clock
from libs.events import log_sql as sql
from libs.events.away import BAD_WEATHER, is_away
from libs.events.copy_rows import Tail, copy_bytes, tails_of
from libs.events.log import NO_RIDERS, Appended, LogUnavailable, OutcomeUnknown, Riders
from libs.events.settle import (
    Answer,
    Asked,
    Identity,
    KeyName,
    Run,
    Standing,
    riders_to_write,
    settle,
)
from libs.telemetry import names
from libs.telemetry.metrics import counter

MAX_APPENDS = 500
MAX_EVENTS = 5_000
_FEW_EVENTS = 64
_NO_NEWS_SECONDS = 0.05
_PATIENCE_SECONDS = 30.0

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
_Held: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_BELONGS_TO_ONE = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)


@dataclass(slots=True)
class _Waiting:
    asked: Asked
    tails: Sequence[Sequence[Tail]]
    done: asyncio.Future[Appended]


@dataclass(slots=True)
class _Outcome:
    """What a batch came to, and what of it must be written."""

    standing: Standing
    outcomes: list[Appended | BaseException] = field(default_factory=list)
    placed: list[tuple[Run, Sequence[Tail]]] = field(default_factory=list)
    events: int = 0
    riders: list[Riders] = field(default_factory=list)


class Appender:
    """The appending task of one process; make it with `start`, end it with `close`.

    When a transaction or its commit takes longer than `patience_seconds`, the way to the server is
    taken as broken, though nobody has said so.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        identity: Identity,
        clock: Clock,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._pool = pool
        self._patience_seconds = patience_seconds
        self._identity = identity
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._work = asyncio.Event()
        self._news = asyncio.Event()
        self._closed = False
        self._connection: _Held | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._appended = counter(names.LOG_APPENDED, description="Events appended")

    def start(self) -> None:
        """Begin to take appends."""
        self._tasks = [
            asyncio.create_task(self._run(), name=f"append {self._identity.context}"),
            asyncio.create_task(self._tell(), name=f"notify {self._identity.context}"),
        ]

    async def close(self) -> None:
        """Append what waits, then stop; later appends are `LogUnavailable`."""
        self._closed = True
        self._work.set()
        appending, telling = self._tasks
        await asyncio.wait([appending])
        telling.cancel()
        await asyncio.wait([telling])
        await self._give_back()

    async def append(self, asked: Asked) -> Appended:
        """Wait until it stands durably, or raise why it does not."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(asked, [tails_of(stream) for stream in asked.streams], done))
        self._work.set()
        return await done

    async def _run(self) -> None:
        try:
            while not self._closed or self._queue:
                await self._work.wait()
                self._work.clear()
                while batch := self._take():
                    await self._append_whole(batch)
        finally:
            # Only when cancelled something waits still: nobody is left who would append it.
            self._closed = True
            for waiting in self._queue:
                _answer(waiting, LogUnavailable("the log is closed"))

    def _take(self) -> list[_Waiting]:
        """What waits, up to the limits; callers that were cancelled meanwhile are left out."""
        batch: list[_Waiting] = []
        events = 0
        while self._queue and len(batch) < MAX_APPENDS and events < MAX_EVENTS:
            waiting = self._queue.popleft()
            if not waiting.done.done():
                batch.append(waiting)
                events += sum(len(stream.entries) for stream in waiting.asked.streams)
        return batch

    async def _append_whole(self, batch: list[_Waiting]) -> None:
        try:
            await self._append_batch(batch)
        except BaseException:
            for waiting in batch:
                _answer(waiting, OutcomeUnknown("the log was ended while it appended"))
            raise

    async def _append_batch(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = await self._attempt(batch)
        except _BELONGS_TO_ONE as error:
            if len(batch) > 1:
                for waiting in batch:
                    await self._append_batch([waiting])
                return
            outcomes = [error]
        except Exception as error:  # noqa: BLE001 - the outermost loop; each caller is told
            outcomes = [error] * len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _answer(waiting, outcome)

    async def _attempt(self, batch: Sequence[_Waiting]) -> list[Appended | BaseException]:
        """One transaction; when it raises nothing stands, save with `OutcomeUnknown`."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                connection = await self._hold()
                await sql.begin_locked(connection)
                settled = self._settle(await _find_standing(connection, batch=batch), batch=batch)
                if not settled.events and all(riders == NO_RIDERS for riders in settled.riders):
                    await sql.rollback(connection)
                    return settled.outcomes
                await _write(connection, settled=settled)
        except _BELONGS_TO_ONE:
            await self._roll_back()
            raise
        except BaseException as error:
            await self._end_connection()
            if is_away(error):
                raise LogUnavailable(str(error)) from error
            raise
        try:
            async with asyncio.timeout(self._patience_seconds):
                await sql.commit(connection)
        except Exception as error:
            await self._end_connection()
            raise OutcomeUnknown(str(error)) from error
        except BaseException:
            await self._end_connection()
            raise
        self._news.set()
        self._appended.add(settled.events)
        return settled.outcomes

    def _settle(self, standing: Standing, *, batch: Sequence[_Waiting]) -> _Outcome:
        settled = _Outcome(standing)
        now, before = self._clock.now(), standing.position
        for waiting in batch:
            asked = waiting.asked
            try:
                appended, runs = settle(standing, asked=asked, now=now, identity=self._identity)
            except Exception as refused:  # noqa: BLE001 - an append's failure is its caller's alone
                settled.outcomes.append(refused)
                continue
            settled.outcomes.append(appended)
            settled.riders.append(riders_to_write(asked.riders, appended=appended))
            # a repeat has no runs, though it has brought its events again
            settled.placed += zip(runs, waiting.tails, strict=False)
        settled.events = standing.position - before
        return settled

    async def _hold(self) -> _Held:
        """The connection kept for appending; a new one when the old one is gone."""
        if self._connection is not None and _is_gone(self._connection):
            self._connection = None
        if self._connection is None:
            self._connection = await self._pool.acquire()
            await sql.prepare_appender(self._connection)
        return self._connection

    async def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                await sql.rollback(self._connection)
        except BAD_WEATHER:
            await self._end_connection()

    async def _end_connection(self) -> None:
        """End a connection in an unknown state; the server then undoes and unlocks by itself."""
        if self._connection is not None and not _is_gone(self._connection):
            self._connection.terminate()
        await self._give_back()

    async def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._pool.release(connection)

    async def _tell(self) -> None:
        """Wake followers after commits: once for all commits made while it was telling."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                async with self._pool.acquire() as connection:
                    await self._tell_by(connection)
            except Exception as error:  # noqa: BLE001 - the outermost loop; followers look too
                structlog.get_logger().warning("followers not told", error=type(error).__name__)

    async def _tell_by(self, connection: _Held) -> None:
        """Tell until there is no news: to give a connection back costs more than to tell."""
        with suppress(TimeoutError):
            while True:
                await sql.notify(connection)
                async with asyncio.timeout(_NO_NEWS_SECONDS):
                    await self._news.wait()
                self._news.clear()


def _answer(waiting: _Waiting, outcome: Appended | BaseException) -> None:
    """Tell a caller, unless it was cancelled meanwhile."""
    if waiting.done.done():
        return
    if isinstance(outcome, BaseException):
        waiting.done.set_exception(outcome)
    else:
        waiting.done.set_result(outcome)


def _is_gone(connection: _Held) -> bool:
    """Whether a connection was closed; the pool has taken it back by itself then."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _find_standing(connection: _Held, *, batch: Sequence[_Waiting]) -> Standing:
    """How the log stands for this batch; riders that nobody brought cost nothing."""
    standing = await sql.find_standing(
        connection,
        stream_ids={stream.stream_id for waiting in batch for stream in waiting.asked.streams},
    )
    riders = [waiting.asked.riders for waiting in batch]
    if keys := {(k.scope, k.key) for r in riders if (k := r.idempotency) is not None}:
        standing.answers = await sql.find_answers(connection, names=list(keys))
    reserved = {(wish.kind, wish.value) for r in riders for wish in r.reserve}
    reserved |= {(gone.kind, gone.value) for r in riders for gone in r.release}
    if reserved:
        standing.reservations = await sql.find_reservations(connection, names=list(reserved))
    if moves := [move for r in riders for move in r.cursors]:
        await sql.begin_cursors(connection, moves=moves)
        names = {(move.consumer, move.topic, move.partition) for move in moves}
        standing.cursors = await sql.find_cursors(connection, names=list(names))
    if parked := {one for r in riders for one in r.unpark}:
        standing.parked = await sql.find_parked(connection, names=list(parked))
    return standing


async def _write(connection: _Held, *, settled: _Outcome) -> None:
    standing = settled.standing
    if settled.events > _FEW_EVENTS:
        await sql.copy_events(connection, rows=copy_bytes(settled.placed))
        await sql.move_heads(connection, standing=standing)
    elif settled.events:
        rows = sql.event_rows([run for run, _ in settled.placed])
        await sql.insert_events(connection, rows=rows, standing=standing)
    riders = settled.riders
    if keys := {(k.scope, k.key) for r in riders if (k := r.idempotency) is not None}:
        answers: dict[KeyName, Answer] = {name: standing.answers[name] for name in keys}
        await sql.insert_answers(connection, answers=answers)
    reserved = {(wish.kind, wish.value) for r in riders for wish in r.reserve}
    reserved |= {(gone.kind, gone.value) for r in riders for gone in r.release}
    if reserved:
        await sql.delete_reservations(connection, names=list(reserved))
        held = [wish for name in reserved for wish in standing.reservations[name]]
        await sql.insert_reservations(connection, reservations=held)
    if moves := {(m.consumer, m.topic, m.partition) for r in riders for m in r.cursors}:
        cursors = {name: standing.cursors[name] for name in moves}
        await sql.store_cursors(connection, cursors=cursors)
    if parked := [one for r in riders for one in r.unpark]:
        await sql.delete_parked(connection, names=parked)
