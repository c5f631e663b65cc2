"""The log of one context on PostgreSQL: load, decide, append. The log is also the outbox."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from types import TracebackType
from typing import Self
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
import uuid_utils
from asyncpg.pgproto import pgproto

from libs.dates.clock import Clock
from libs.events import log_sql as sql
from libs.events.appender import Appender, Pool
from libs.events.away import away_as_unavailable
from libs.events.envelope import Cause, Event, Recorded
from libs.events.keys import KeyOwner, Keys
from libs.events.log import (
    NO_RIDERS,
    Appended,
    Decision,
    Idempotency,
    Riders,
    StreamAppend,
)
from libs.events.partition import PARTITIONS
from libs.events.refusals import Stale
from libs.events.settle import (
    Asked,
    Entry,
    Identity,
    StreamEntries,
    check_asked,
    kept_answer,
)
from libs.events.wire import Wire, encode, key_owners
from libs.refusal.refusal import Refusal
from libs.telemetry import tracing

_ATTEMPTS = 10


class PostgresLog:
    """The log of one context on an asyncpg pool, which it holds one connection of.

    Several processes may append to one database. When the connection breaks, appends on their way
    raise, and the next one finds the way back by itself.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        identity: Identity,
        keys: Keys,
        clock: Clock,
        wire: Wire | None = None,
    ) -> None:
        self._pool = pool
        self._identity = identity
        self._keys = keys
        self._wire = Wire() if wire is None else wire
        self._appender = Appender(pool, identity=identity, clock=clock)
        self._appender.start()
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @classmethod
    async def open(
        cls, pool: Pool, *, context: str, keys: Keys, clock: Clock, wire: Wire | None = None
    ) -> Self:
        """The log that a database holds; raises ValueError when it holds none or another one.

        `wire` reads its events; by default by the vocabulary, and the steps to its versions.
        """
        async with pool.acquire() as connection:
            identity = await sql.find_identity(connection)
        if identity is None:
            raise ValueError("the database holds no log yet; it must be initialised first")
        if identity.context != context:
            raise ValueError(f"the database holds the log of {identity.context}, not {context}")
        if identity.partitions != PARTITIONS:
            raise ValueError(f"the log has {identity.partitions} partitions, not {PARTITIONS}")
        return cls(pool, identity=identity, keys=keys, clock=clock, wire=wire)

    async def close(self) -> None:
        """Append what still waits, and give the connection back to the pool."""
        await self._appender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def context(self) -> str:
        """The context that owns the log, as in event types."""
        return self._identity.context

    @property
    def log_epoch(self) -> UUID:
        """The identity of this log, made anew by a restore."""
        return self._identity.log_epoch

    @property
    def rehearsal(self) -> bool:
        """Whether this log belongs to a rehearsal environment."""
        return self._identity.rehearsal

    async def load(self, stream_id: UUID) -> tuple[Recorded[Event], ...]:
        """The events of a stream in order, upcast and decrypted; empty for an unknown stream."""
        with away_as_unavailable():
            async with self._pool.acquire() as connection:
                rows = await sql.find_stream(connection, stream_id=stream_id)
        return await self._recorded(rows)

    async def append(
        self, *appends: StreamAppend, cause: Cause, riders: Riders = NO_RIDERS
    ) -> Appended:
        """Append to all the streams or to none, durably.

        One call may carry any number of streams; they are written by COPY in one transaction,
        with what other callers append at the same moment.
        """
        check_asked(appends, cause=cause, riders=riders, identity=self._identity)
        streams = await self._encoded(appends, cause=cause)
        with tracing.append_span(self.context, streams=len(streams)):
            return await self._appender.append(Asked(streams, riders))

    async def decide(
        self,
        stream_id: UUID,
        decision: Decision,
        *,
        cause: Cause,
        expected: int | None = None,
        riders: Riders = NO_RIDERS,
    ) -> Appended:
        """Load, decide, append with the version read; again when someone else was first.

        Decisions of one process on one stream take turns, so that only other processes can come
        between; after ten such losses `Stale` is raised.
        """
        turn = self._turns.setdefault(stream_id, asyncio.Lock())
        async with turn:
            for attempts_left in reversed(range(_ATTEMPTS if expected is None else 1)):
                kept = await self._kept(riders.idempotency)
                if kept is not None:
                    return kept
                try:
                    append = await self._decided(stream_id, decision, expected=expected)
                except Refusal:
                    # Another process may have taken the same request after we looked for its key.
                    kept = await self._kept(riders.idempotency)
                    if kept is not None:
                        return kept
                    raise
                try:
                    return await self.append(append, cause=cause, riders=riders)
                except Stale:
                    if not attempts_left:
                        raise
        raise AssertionError

    async def position(self) -> int:
        """The position of the log's last event; 0 for an empty log."""
        with away_as_unavailable():
            return await sql.find_position(self._pool)

    async def read(
        self, after: int, *, limit: int, until: datetime | None = None
    ) -> tuple[Recorded[Event], ...]:
        """Events by position, from the one after `after`; only those recorded before `until`."""
        with away_as_unavailable():
            async with self._pool.acquire() as connection:
                if until is not None and self.rehearsal:
                    rows = await sql.find_after_rehearsed(
                        connection, after=after, limit=limit, until=until
                    )
                else:
                    rows = await sql.find_after(connection, after=after, limit=limit)
        if until is not None:
            # Recorded times run along positions here, so nothing early stands behind a late one.
            rows = list(takewhile(lambda row: row["recorded_at"] < until, rows))
        return await self._recorded(rows)

    async def _decided(
        self, stream_id: UUID, decision: Decision, *, expected: int | None
    ) -> StreamAppend:
        events = await self.load(stream_id)
        if expected is not None and expected != len(events):
            raise Stale(f"stream {stream_id} is at version {len(events)}, not {expected}")
        return StreamAppend(stream_id=stream_id, events=decision(events), expected=len(events))

    async def _kept(self, idempotency: Idempotency | None) -> Appended | None:
        if idempotency is None:
            return None
        with away_as_unavailable():
            async with self._pool.acquire() as connection:
                names = [(idempotency.scope, idempotency.key)]
                answers = await sql.find_answers(connection, names=names)
        answer = kept_answer(answers, idempotency=idempotency)
        if answer is None:
            return None
        return Appended(versions={}, position=await self.position(), replayed=answer)

    async def _encoded(
        self, appends: Sequence[StreamAppend], *, cause: Cause
    ) -> list[StreamEntries]:
        owners: set[KeyOwner] = set()
        for append in appends:
            for event in append.events:
                owners.update(key_owners(event))
        keys = await self._keys.make(owners) if owners else {}
        return [
            StreamEntries(
                sql.driver_id(append.stream_id),
                append.expected,
                [
                    Entry(event_id := _new_id(), event, encode(event, event_id=event_id, keys=keys))
                    for event in append.events
                ],
                append.cause or cause,
            )
            for append in appends
        ]

    async def _recorded(self, rows: Sequence[asyncpg.Record]) -> tuple[Recorded[Event], ...]:
        decoded = await self._wire.decode([sql.stored_of(row) for row in rows], keys=self._keys)
        return tuple(
            Recorded(sql.envelope_of(row, identity=self._identity), _known(event, row=row))
            for row, event in zip(rows, decoded, strict=True)
        )


def _new_id() -> UUID:
    """A new id, in the class that asyncpg writes at once; made in a third of the time."""
    return pgproto.UUID(uuid_utils.uuid7().bytes)


def _known(event: Event | None, *, row: asyncpg.Record) -> Event:
    if event is None:
        raise ValueError(f"this program does not know the event {row['type']}: it is too old")
    return event
