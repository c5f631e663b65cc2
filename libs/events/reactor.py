"""A reader that decides on streams of its own log because of events of topics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from libs.events import parking
from libs.events.batch import Batch
from libs.events.cursors import Place, move_cursor, note_offset
from libs.events.database import Connection, Pool, transaction
from libs.events.envelope import Cause
from libs.events.kafka import Message
from libs.events.keys import Keys
from libs.events.log import (
    CursorMove,
    CursorTaken,
    Log,
    NotParked,
    Riders,
    StreamAppend,
    Unpark,
)
from libs.events.parking import ParkedStream
from libs.events.reaction import OwnFault, React, Reaction
from libs.events.reading import Read, read, read_span
from libs.events.refusals import Stale
from libs.events.weather import is_weather, may_be_its_own
from libs.events.wire import Wire
from libs.telemetry import tracing

_AT_MOST = 50
"""Each may be a transaction of its own, and as many of every partition are in hand at a stop."""


class Reactor:
    """Decides what each event leads to, and appends that with its cursor in one transaction.

    Events that lead to nothing move the cursor by the batch. An event whose reaction fails parks
    its stream; later events of the stream that lead to something queue behind it. In a rehearsal
    log what follows from an event is recorded at the event's time.
    """

    def __init__(
        self,
        name: str,
        *,
        react: React,
        log: Log,
        pool: Pool,
        keys: Keys,
        rehearsal: bool = False,
        wire: Wire | None = None,
    ) -> None:
        self.name = name
        self.at_most = _AT_MOST
        self._react = react
        self._log = log
        self._pool = pool
        self._keys = keys
        self._rehearsal = rehearsal
        self._wire = Wire() if wire is None else wire

    async def take(self, batch: Batch) -> None:
        """Take one after the other, each in a transaction when it leads to something."""
        reads = await read(batch.messages, wire=self._wire, keys=self._keys)
        place = batch.place
        async with transaction(self._pool) as connection:
            streams = {one.stream_id for one in reads}
            parked = await parking.parked_streams(
                connection, self.name, topic=place.topic, among=streams
            )
        after = batch.after
        for one in reads:
            if await self._take_one(one, place=place, after=after, parked=parked):
                after = one.sequence
        async with transaction(self._pool) as connection:
            if after == batch.sequence:
                await note_offset(connection, place, sequence=after, offset=batch.next_offset)
                return
            await move_cursor(
                connection,
                place,
                after=after,
                sequence=batch.sequence,
                log_epoch=batch.log_epoch,
                offset=batch.next_offset,
            )

    async def retry(self, stream: ParkedStream) -> bool:
        """Take a parked stream's events in order, each in a transaction, until one fails."""
        while messages := await self._held(stream):
            if not await self._retry_some(messages):
                return False
        return True

    async def _held(self, stream: ParkedStream) -> list[Message]:
        async with transaction(self._pool) as connection:
            return await parking.hold(connection, stream)

    async def _retry_some(self, messages: Sequence[Message]) -> bool:
        for one in await read(messages, wire=self._wire, keys=self._keys):
            try:
                unpark = (Unpark(self.name, one.message.envelope.event_id),)
                if not await self._append(one, self._reactions(one), unpark=unpark):
                    async with transaction(self._pool) as connection:
                        await parking.unpark(connection, self.name, read=one)
            except NotParked:
                return False
            except Exception as error:
                if is_weather(error):
                    raise
                async with transaction(self._pool) as connection:
                    await parking.failed_again(connection, self.name, read=one, error=error)
                return False
        return True

    async def _take_one(self, one: Read, *, place: Place, after: int, parked: set[UUID]) -> bool:
        """Take one event; False when it led to nothing and the cursor stands where it stood."""
        try:
            reactions = self._reactions(one)
            if not reactions:
                return False
            if one.stream_id in parked and await self._queue(one, place=place, after=after):
                return True
            move = CursorMove(
                consumer=self.name,
                topic=place.topic,
                partition=place.partition,
                sequence=one.sequence,
                log_epoch=one.message.envelope.log_epoch,
                after=after,
            )
            return await self._append(one, reactions, cursors=(move,))
        except Exception as error:
            if is_weather(error) or isinstance(error, CursorTaken):
                raise
            await self._park(one, error=error, place=place, after=after)
            parked.add(one.stream_id)
            return True

    def _reactions(self, one: Read) -> Sequence[Reaction]:
        if one.failure is not None:
            raise one.failure
        if one.recorded is None:
            return ()
        with _of_our_own():
            return self._react(one.recorded)

    async def _append(
        self,
        one: Read,
        reactions: Sequence[Reaction],
        *,
        cursors: tuple[CursorMove, ...] = (),
        unpark: tuple[Unpark, ...] = (),
    ) -> bool:
        """Decide and append all reactions together; False when there is nothing to append."""
        if len({reaction.stream_id for reaction in reactions}) < len(reactions):
            raise ValueError("an event leads to two reactions on one stream; make them one")
        with read_span([one], reader=self.name):
            while True:
                appends = [
                    found
                    for reaction in reactions
                    if (found := await self._decided(reaction, one)) is not None
                ]
                riders = _together(reactions, cursors=(), unpark=())
                if not appends and riders == Riders():
                    return False
                try:
                    await self._log.append(
                        *appends,
                        cause=self._cause(one),
                        riders=_together(reactions, cursors=cursors, unpark=unpark),
                    )
                except Stale:
                    continue  # someone else was first: decide again on how it stands now
                return True

    async def _decided(self, reaction: Reaction, one: Read) -> StreamAppend | None:
        history = await self._log.load(reaction.stream_id)
        because_of = one.message.envelope.event_id
        if any(each.envelope.causation_id == because_of for each in history):
            # Decided before the reader's cursor was restored to an earlier place. By the cause alone,
            # so a service has one reader that decides: tests/architecture/test_deciding_readers.py.
            return None
        with _of_our_own():
            events = reaction.decision(history)
        if not events:
            return None
        return StreamAppend(stream_id=reaction.stream_id, events=events, expected=len(history))

    def _cause(self, one: Read) -> Cause:
        envelope = one.message.envelope
        return Cause(
            correlation_id=envelope.correlation_id,
            causation_id=envelope.event_id,
            actor=f"system:{self._log.context}",
            traceparent=tracing.traceparent() or envelope.traceparent,
            now=envelope.recorded_at if self._rehearsal else None,
        )

    async def _queue(self, one: Read, *, place: Place, after: int) -> bool:
        """Let an event queue behind its parked stream; False when that is parked no more."""
        async with transaction(self._pool) as connection:
            parked = await parking.parked_streams(
                connection, self.name, topic=place.topic, among=(one.stream_id,)
            )
            if not parked:
                return False
            await self._move(connection, one, place=place, after=after)
            await parking.park_behind(connection, self.name, [one])
        return True

    async def _park(self, one: Read, *, error: Exception, place: Place, after: int) -> None:
        async with transaction(self._pool) as connection:
            await self._move(connection, one, place=place, after=after)
            await parking.park(connection, self.name, read=one, error=error)

    async def _move(self, connection: Connection, one: Read, *, place: Place, after: int) -> None:
        await move_cursor(
            connection,
            place,
            after=after,
            sequence=one.sequence,
            log_epoch=one.message.envelope.log_epoch,
            offset=one.message.offset + 1,
        )


@contextmanager
def _of_our_own() -> Iterator[None]:
    """Tell what pure code raises from the weather, whose names it may use."""
    try:
        yield
    except Exception as error:
        if may_be_its_own(error):
            raise OwnFault(error) from error
        raise


def _together(
    reactions: Sequence[Reaction], *, cursors: tuple[CursorMove, ...], unpark: tuple[Unpark, ...]
) -> Riders:
    """The riders of all reactions, and the reader's own."""
    riders = [reaction.riders for reaction in reactions]
    keys = [found.idempotency for found in riders if found.idempotency is not None]
    if len(keys) > 1:
        raise ValueError("an event leads to two reactions with idempotency keys")
    return Riders(
        idempotency=keys[0] if keys else None,
        reserve=tuple(value for found in riders for value in found.reserve),
        release=tuple(value for found in riders for value in found.release),
        cursors=(*(move for found in riders for move in found.cursors), *cursors),
        unpark=(*(event for found in riders for event in found.unpark), *unpark),
    )
