"""A log as one snapshot of its database holds it, up to a position; nothing can be appended."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
from typing_extensions import override

from libs.events import log_sql as sql
from libs.events.database import Connection, Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.keys import Keys
from libs.events.log import NO_RIDERS, Appended, Decision, Log, Riders, StreamAppend
from libs.events.settle import Identity
from libs.events.wire import Wire

FIND_STREAM = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event WHERE stream_id = $1 AND position <= $2 ORDER BY version
"""
FIND_STREAMS = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event WHERE stream_id = ANY($1) AND position <= $2 ORDER BY position
"""
FIND_BETWEEN = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
    correlation_id, causation_id, actor, traceparent, data
FROM event
WHERE position > $1 AND position <= $2 AND ($4::timestamptz IS NULL OR recorded_at < $4)
ORDER BY position LIMIT $3
"""


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """A connection that sees one moment; what is written by it is undone at the end."""
    async with pool.acquire() as borrowed:
        connection: Connection = borrowed  # type: ignore[assignment] # the pool's proxy for one
        undone = connection.transaction(isolation="repeatable_read")
        await undone.start()
        try:
            yield connection
        finally:
            if not connection.is_closed():
                await undone.rollback()


async def identity_of(connection: Connection) -> Identity:
    """What log the database holds; raises ValueError when it holds none."""
    found = await sql.find_identity(connection)
    if found is None:
        raise ValueError("the database holds no log")
    return found


class SnapshotLog(Log):
    """The log as a snapshot holds it up to `until`, that position included."""

    def __init__(
        self, connection: Connection, *, identity: Identity, until: int, keys: Keys
    ) -> None:
        self._connection = connection
        self._identity = identity
        self._until = until
        self._keys = keys
        self._wire = Wire()

    @property
    @override
    def context(self) -> str:
        """The context that owns the log."""
        return self._identity.context

    @override
    async def load(self, stream_id: UUID) -> tuple[Recorded[Event], ...]:
        """The events of a stream in order."""
        return await self._decoded(
            await self._connection.fetch(FIND_STREAM, stream_id, self._until)
        )

    async def load_all(self, stream_ids: Collection[UUID]) -> tuple[Recorded[Event], ...]:
        """The events of these streams by position."""
        return await self._decoded(
            await self._connection.fetch(FIND_STREAMS, list(stream_ids), self._until)
        )

    @override
    async def read(
        self, after: int, *, limit: int, until: datetime | None = None
    ) -> tuple[Recorded[Event], ...]:
        """Events by position, from the one after `after`; only those recorded before `until`."""
        return await self._decoded(
            await self._connection.fetch(FIND_BETWEEN, after, self._until, limit, until)
        )

    @override
    async def position(self) -> int:
        """The position up to which it reaches."""
        return self._until

    @override
    async def append(
        self, *appends: StreamAppend, cause: Cause, riders: Riders = NO_RIDERS
    ) -> Appended:
        """A snapshot takes nothing: raises TypeError."""
        raise TypeError(f"nothing can be appended to a snapshot of {self.context}")

    @override
    async def decide(
        self,
        stream_id: UUID,
        decision: Decision,
        *,
        cause: Cause,
        expected: int | None = None,
        riders: Riders = NO_RIDERS,
    ) -> Appended:
        """A snapshot takes nothing: raises TypeError."""
        raise TypeError(f"nothing can be appended to a snapshot of {self.context}")

    async def _decoded(self, rows: Sequence[asyncpg.Record]) -> tuple[Recorded[Event], ...]:
        events = await self._wire.decode([sql.stored_of(row) for row in rows], keys=self._keys)
        return tuple(
            Recorded(sql.envelope_of(row, identity=self._identity), event)
            for row, event in zip(rows, events, strict=True)
            if event is not None
        )
