"""A reader that writes rows of its own for the events of topics."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from libs.events import parking
from libs.events.batch import Batch
from libs.events.cursors import move_cursor
from libs.events.database import Connection, Pool, transaction
from libs.events.kafka import Message
from libs.events.keys import Keys
from libs.events.parking import ParkedStream
from libs.events.reaction import Effect
from libs.events.reading import Read, read, read_span
from libs.events.weather import is_weather, may_be_its_own
from libs.events.wire import Wire

_TRIES = 5
"""How often in a row an effect may fail by itself with a word of the weather before it parks."""

_AT_MOST = 3_000
"""One transaction takes them all, so many are cheaper than few."""

ANSWERS = "SELECT 1"


class Failed(NamedTuple):
    """The event from which on a stream can't be taken, and why."""

    read: Read
    error: Exception


class Projector:
    """Calls `effect` with batches of events, in the transaction that moves its cursor.

    An effect may be called again for events whose transaction was rolled back; it works by the
    connection it is given and nothing else. When it fails for a batch, the batch is halved by
    streams until the failing one is found, which is parked; the others are taken. Where an effect
    raises a time-out or the like while its connection answers, it is tried five times before.
    """

    def __init__(
        self, name: str, *, effect: Effect, pool: Pool, keys: Keys, wire: Wire | None = None
    ) -> None:
        self.name = name
        self.at_most = _AT_MOST
        self._effect = effect
        self._pool = pool
        self._keys = keys
        self._wire = Wire() if wire is None else wire
        self._tries: dict[UUID, int] = {}

    async def take(self, batch: Batch) -> None:
        """Take all in one transaction."""
        reads = await read(batch.messages, wire=self._wire, keys=self._keys)
        with read_span(reads, reader=self.name) as spans:
            async with transaction(self._pool) as connection:
                await move_cursor(
                    connection,
                    batch.place,
                    after=batch.after,
                    sequence=batch.sequence,
                    log_epoch=batch.log_epoch,
                    offset=batch.next_offset,
                )
                parked = await parking.parked_streams(
                    connection,
                    self.name,
                    topic=batch.place.topic,
                    among={one.stream_id for one in reads},
                )
                free = [one for one in reads if one.stream_id not in parked]
                queued = [one for one in reads if one.stream_id in parked]
                for failed, behind in await self._apply(connection, free):
                    spans.failed(failed.read.message.envelope.event_id, failed.error)
                    await parking.park(connection, self.name, read=failed.read, error=failed.error)
                    queued.extend(behind)
                await parking.park_behind(connection, self.name, queued)

    async def retry(self, stream: ParkedStream) -> bool:
        """Take a parked stream's events in order, from the first, some in each transaction."""
        while (level := await self._retry_some(stream)) is None:
            pass
        return level

    async def _retry_some(self, stream: ParkedStream) -> bool | None:
        """Take some; True when none was left, False when one failed, None when more may follow."""
        async with transaction(self._pool) as connection:
            messages = await parking.hold(connection, stream)
        if not messages:
            return True
        # Between two transactions: keys stand in another database, and may be long in coming.
        reads = await read(messages, wire=self._wire, keys=self._keys)
        async with transaction(self._pool) as connection:
            held = await parking.hold(connection, stream)
            if _ids(held[: len(messages)]) != _ids(messages):
                return None  # someone else took or gave up some of them: look again
            # It is parked already: how often it was tried stands there, so nothing is counted here.
            self._tries.update((one.message.envelope.event_id, _TRIES) for one in reads)
            with read_span(reads, reader=self.name):
                failures = await self._apply(connection, reads)
            self._forget(reads)
            behind = {one.sequence for _, later in failures for one in later}
            for failed, _ in failures:
                behind.add(failed.read.sequence)
                await parking.failed_again(
                    connection, self.name, read=failed.read, error=failed.error
                )
            for one in reads:
                if one.sequence not in behind:
                    await parking.unpark(connection, self.name, read=one)
        return False if failures else None

    async def _apply(
        self, connection: Connection, reads: Sequence[Read]
    ) -> list[tuple[Failed, list[Read]]]:
        """Effects of all that can be taken; for each failing stream where it failed, and the rest.

        Events of unknown types have no effect, and never fail.
        """
        known = [one for one in reads if one.recorded is not None or one.failure is not None]
        if not known:
            return []
        if not any(one.failure for one in known) and await self._done(connection, known) is None:
            return []
        streams = list(dict.fromkeys(one.stream_id for one in known))
        if len(streams) == 1:
            return await self._apply_one_stream(connection, known)
        half = set(streams[: len(streams) // 2])
        first = [one for one in known if one.stream_id in half]
        second = [one for one in known if one.stream_id not in half]
        return [
            *await self._apply(connection, first),
            *await self._apply(connection, second),
        ]

    async def _apply_one_stream(
        self, connection: Connection, reads: Sequence[Read]
    ) -> list[tuple[Failed, list[Read]]]:
        for at, one in enumerate(reads):
            error = one.failure or await self._done(connection, [one])
            if error is not None:
                return [(Failed(one, error), list(reads[at + 1 :]))]
        return []

    async def _done(self, connection: Connection, reads: Sequence[Read]) -> Exception | None:
        """Write the effects of these events, or nothing and say what failed."""
        try:
            async with connection.transaction():
                await self._effect(
                    connection, [one.recorded for one in reads if one.recorded is not None]
                )
        except Exception as error:
            if is_weather(error) and not await self._is_its_own(connection, error, reads=reads):
                raise
            return error
        self._forget(reads)
        return None

    async def _is_its_own(
        self, connection: Connection, error: Exception, *, reads: Sequence[Read]
    ) -> bool:
        """Whether the effect itself fails; of one event only after some tries in a row."""
        if not may_be_its_own(error) or connection.is_closed():
            return False
        await connection.execute(ANSWERS)
        if len(reads) > 1:
            return True
        event_id = reads[0].message.envelope.event_id
        self._tries[event_id] = self._tries.get(event_id, 0) + 1
        if self._tries[event_id] < _TRIES:
            return False
        del self._tries[event_id]
        return True

    def _forget(self, reads: Sequence[Read]) -> None:
        for one in reads:
            self._tries.pop(one.message.envelope.event_id, None)


def _ids(messages: Sequence[Message]) -> list[UUID]:
    return [message.envelope.event_id for message in messages]
