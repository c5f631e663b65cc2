"""What a reader keeps of topics, built anew beside the live rows, compared with them, and switched.

The tables beside stand in the schema `rebuild_<reader>`, with cursors and parked events of their
own. The very projector and effect of the live reader fill them, from the first event of each topic
up to where the live reader stands, and not beyond: what comes after is the live reader's to take,
with all that follows from it. Where a log was restored with a new epoch, that is where the logs
parted. An event that an operator gave up has no effect here either.

Cursors and rows move in one transaction, so a rebuild that was killed goes on where it stood, and
the live rows are untouched until the one transaction that switches. See
docs/decisions/0025-what-a-reader-keeps-beside-the-live-rows.md.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import cast
from uuid import UUID

import asyncpg
from typing_extensions import override

from libs.events import parking
from libs.events import shadow_reader_sql as sql
from libs.events.batch import Batch
from libs.events.cursors import Cursor, Place, load_cursors
from libs.events.database import Connection, Pool, Row, transaction
from libs.events.envelope import Event
from libs.events.follow import Follower
from libs.events.keys import Keys
from libs.events.log import CursorTaken, Log
from libs.events.partition import PARTITIONS
from libs.events.projector import Projector
from libs.events.reaction import Effect
from libs.events.shadow import Progress
from libs.events.shadow_marks import Marks, OtherHistory, marks_of
from libs.events.shadow_sql import has_schema, hold_live
from libs.events.shadow_tables import Compared, Difference, NothingBeside, Twin
from libs.events.trouble import OtherLog, Stopped
from libs.events.whole_topic import Found, events_of
from libs.events.wire import Stored, Wire

_OWN = ("consumer_cursor", "parked_event", "skipped_event", "view_cursor")
_LOOKS = 5
_LOOK_AGAIN_SECONDS = 1.0
_NEARLY = 1_000
"""So many events behind the live reader are taken while it is held for a moment."""

Carry = Callable[[Connection], Awaitable[None]]
"""Copies to the rows beside what others than the reader write to the live ones.

By a connection on which the tables beside stand for the live ones, which are `public`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a reader keeps of topics: the tables that it fills, and how events fill them.

    `view` fills them too, by the same effect, from the context's own log. `carry` where others
    write to the rows as well.
    """

    reader: str
    topics: tuple[str, ...]
    tables: tuple[str, ...]
    effect: Effect
    view: str | None = None
    carry: Carry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonAtMarks:
    """Rows live and rebuilt where both have taken the same."""

    marks: Marks
    found: Compared


class _Heeding(Wire):
    """Reads what operators gave up as nothing; `given_up` is set anew before each reading."""

    given_up: frozenset[UUID] = frozenset()

    @override
    async def decode(self, stored: Sequence[Stored], *, keys: Keys) -> list[Event | None]:
        wanted = [each for each in stored if each.event_id not in self.given_up]
        events = iter(await super().decode(wanted, keys=keys))
        return [None if each.event_id in self.given_up else next(events) for each in stored]


class ReaderBeside:
    """The second of what a reader keeps; `reader_beside` opens it."""

    def __init__(
        self,
        kept: Kept,
        *,
        log: Log,
        beside: Pool,
        twin: Twin,
        keys: Keys,
        bootstrap: str,
        sources: Mapping[str, Pool],
    ) -> None:
        self.kept = kept
        self._beside = beside
        self._twin = twin
        self._bootstrap = bootstrap
        self._sources = sources
        self._wire = _Heeding()
        self._projector = Projector(
            kept.reader, effect=kept.effect, pool=beside, keys=keys, wire=self._wire
        )
        self._follower = (
            None
            if kept.view is None
            else Follower(kept.view, log=log, pool=beside, effect=kept.effect)
        )

    @property
    def replaced(self) -> str:
        """The schema in which a switch keeps the rows that it replaced."""
        return self._twin.replaced

    async def begin(self) -> bool:
        """Make the tables beside; False when there are some, which are gone on with."""
        return await self._twin.make(self._beside)

    async def drop(self) -> None:
        """Remove the tables beside, and what a switch kept."""
        await self._twin.drop(self._beside)

    async def follow(self, *, told: Progress | None = None) -> Marks:
        """Take everything up to where the live reader stands by then, or nearly; how far that is.

        Raises `Stopped` where a topic can't be trusted, `OtherHistory`, and `NothingBeside`.
        """
        await self._there(self._beside)
        while True:
            marks = await self._marks(await sql.live_cursors(self._beside, self.kept.reader))
            await self._fill(marks, told=told)
            by_then = await self._marks(await sql.live_cursors(self._beside, self.kept.reader))
            if by_then.taken - marks.taken < _NEARLY:
                return marks

    async def compare(self) -> ComparisonAtMarks:
        """Compare row by row where both have taken the same; the live reader is held for a moment.

        No longer than until the database keeps what is seen then: the rows are compared after that.
        A stream that waits for another may be tried again in one of both first. So a difference is
        told when it is seen twice, a second apart; both are looked at five times at most.
        """
        before: Compared | None = None
        for looks_left in reversed(range(_LOOKS)):
            await self.follow()
            async with self._seen() as (connection, marks):
                found = await self._compared(connection)
            if not found.total or not looks_left or found == before:
                break
            before = found
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return ComparisonAtMarks(marks=marks, found=found)

    async def switch(self) -> Marks:
        """Put the rows beside in the live ones' place, in one transaction; where both stand.

        Cursors and parked events go with them, and the live reader goes on from there. The rows
        that stood there are kept in the schema `replaced_<reader>` until `drop`. Raises `InUse`
        when somebody never lets go of the tables.
        """
        await self.follow()
        async with self._held() as (connection, _), self._locked(connection) as marks:
            await self._carry(connection)
            await sql.take_over(connection, self.kept.reader, marks=marks)
            await self._twin.switch(connection)
        return marks

    async def _there(self, connection: Connection | Pool) -> None:
        if not await has_schema(connection, self._twin.schema):
            raise NothingBeside(f"there is nothing of {self.kept.reader} beside the live rows")

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[tuple[Connection, Marks]]:
        """Both where the live reader stands, which stays there until the block ends."""
        async with transaction(self._beside) as connection:
            await self._there(connection)
            if self.kept.view is not None:
                await hold_live(connection, self.kept.view)
            marks = await self._marks(await sql.hold_reader(connection, self.kept.reader))
            await self._fill(marks, told=None)
            yield connection, marks

    @asynccontextmanager
    async def _seen(self) -> AsyncIterator[tuple[Connection, Marks]]:
        """A connection that sees both as they were while the live reader was held."""
        async with (
            self._beside.acquire() as borrowed,
            borrowed.transaction(isolation="repeatable_read", readonly=True),
        ):
            seeing = cast("Connection", borrowed)
            async with self._held() as (_, marks):
                async with transaction(self._beside) as carrying:
                    await self._carry(carrying)
                await sql.begin_to_see(seeing)
            yield seeing, marks

    @asynccontextmanager
    async def _locked(self, connection: Connection) -> AsyncIterator[Marks]:
        """Both where the live reader stands by the time that nobody can write to its tables.

        A partition of which it had taken nothing has no cursor by which it could be held before, so
        that it may have taken the first events since.
        """
        hold = partial(sql.hold_reader, reader=self.kept.reader)
        async with self._twin.locked(connection, hold=hold) as cursors:
            marks = await self._marks(cursors)
            await self._fill(marks, told=None)
            yield marks

    async def _marks(self, cursors: Sequence[Row]) -> Marks:
        ours = [row for row in cursors if row["topic"] in self.kept.topics]
        return await marks_of(ours, sources=self._sources, position=await self._own_position())

    async def _own_position(self) -> int:
        view = self.kept.view
        return 0 if view is None else await sql.live_position(self._beside, view)

    async def _fill(self, marks: Marks, *, told: Progress | None) -> None:
        """Take everything up to the marks, and try again what waits."""
        async with transaction(self._beside) as connection:
            self._wire.given_up = await sql.heed_skipped(connection, self.kept.reader)
        try:
            if self._follower is not None:
                await self._follower.catch_up(until=marks.position)
            for topic in self.kept.topics:
                if topic in marks.logs:
                    await self._take_topic(topic, marks, told=told)
            await self._try_waiting()
        except CursorTaken as taken:
            raise NothingBeside(f"{self.kept.reader} is built beside by another at once") from taken

    async def _take_topic(self, topic: str, marks: Marks, *, told: Progress | None) -> None:
        cursors = await self._cursors(topic)
        self._not_beyond(topic, cursors, marks)
        try:
            await self._take_from(topic, cursors, marks, told=told)
        except Stopped:
            # Where to go on in Kafka is a hint, which may lead past it in a topic made anew.
            from_zero = {
                number: replace(cursor, kafka_offset=None)
                for number, cursor in (await self._cursors(topic)).items()
            }
            try:
                await self._take_from(topic, from_zero, marks, told=told)
            except Stopped as stopped:
                if not isinstance(stopped.trouble, OtherLog):
                    raise
                raise OtherHistory(
                    f"{topic} does not carry the log that its service has: send it anew,"
                    " ./yk rebuild topic"
                ) from stopped

    async def _cursors(self, topic: str) -> dict[int, Cursor]:
        async with transaction(self._beside) as connection:
            known = await load_cursors(connection, self.kept.reader)
        return {at.partition: cursor for at, cursor in known.items() if at.topic == topic}

    def _not_beyond(self, topic: str, cursors: Mapping[int, Cursor], marks: Marks) -> None:
        for number, cursor in cursors.items():
            if cursor.log_epoch != marks.logs[topic]:
                why = f"took of another log of {topic}"
            elif cursor.sequence > marks.sequences[topic].get(number, 0):
                why = f"stands beyond the live rows in {topic}/{number}"
            else:
                continue
            raise NothingBeside(f"what is beside {why}: drop it and begin again")

    async def _take_from(
        self, topic: str, cursors: Mapping[int, Cursor], marks: Marks, *, told: Progress | None
    ) -> None:
        last = {number: cursors.get(number, Cursor()).sequence for number in range(PARTITIONS)}
        until = {
            number: mark for number, mark in marks.sequences[topic].items() if last[number] < mark
        }
        if not until:
            return
        async for found in events_of(
            topic,
            bootstrap=self._bootstrap,
            log_epoch=marks.logs[topic],
            after=cursors,
            until=until,
        ):
            batch = self._batch(topic, found, after=last[found[0].message.partition])
            await self._projector.take(batch)
            last[batch.place.partition] = batch.sequence
            if told is not None:
                told(await self._taken(), marks.events)

    def _batch(self, topic: str, found: Sequence[Found], *, after: int) -> Batch:
        messages = [each.message for each in found]
        return Batch(
            place=Place(consumer=self.kept.reader, topic=topic, partition=messages[0].partition),
            after=after,
            log_epoch=messages[0].envelope.log_epoch,
            messages=messages,
            next_offset=messages[-1].offset + 1,
        )

    async def _taken(self) -> int:
        async with transaction(self._beside) as connection:
            known = await load_cursors(connection, self.kept.reader)
        return sum(cursor.sequence for cursor in known.values())

    async def _try_waiting(self) -> None:
        """Try streams that wait, until of all that do none goes on."""
        reader = self.kept.reader
        await sql.unpark_skipped(self._beside, reader, given_up=self._wire.given_up)
        at = [(topic, number) for topic in self.kept.topics for number in range(PARTITIONS)]
        tried, parked = 0, await sql.count_parked(self._beside, reader)
        while parked and tried < (await parking.counts(self._beside)).get(reader, (0, 0))[0]:
            async with transaction(self._beside) as connection:
                waiting = await parking.waiting_streams(connection, reader, at=at)
            for stream in waiting:
                await self._projector.retry(stream)
            before, parked = parked, await sql.count_parked(self._beside, reader)
            tried = 0 if parked < before else tried + len(waiting)

    async def _carry(self, connection: Connection) -> None:
        if self.kept.carry is not None:
            await self.kept.carry(connection)

    async def _compared(self, connection: Connection) -> Compared:
        found = await self._twin.compare(connection)
        parked = [
            Difference(
                table="parked_event",
                key={"topic": row["topic"], "event_id": row["event_id"]},
                only="rebuilt" if row["is_rebuilt"] else "live",
                values={},
            )
            for row in await sql.parked_unlike(connection, self.kept.reader)
        ]
        return Compared(
            rows=found.rows,
            differences=[*found.differences, *parked],
            total=found.total + len(parked),
        )


@asynccontextmanager
async def reader_beside(
    kept: Kept,
    *,
    log: Log,
    keys: Keys,
    dsn: str,
    bootstrap: str,
    sources: Mapping[str, Pool],
) -> AsyncIterator[ReaderBeside]:
    """The second of what a reader keeps, whether its tables exist yet or not.

    `dsn` is the live rows' database; `sources` are the logs of the topics that it reads, by topic.
    """
    twin = Twin(kept.reader, tables=kept.tables, own=_OWN)
    async with asyncpg.create_pool(
        dsn, min_size=0, max_size=4, server_settings=dict(twin.looks_first)
    ) as beside:
        yield ReaderBeside(
            kept,
            log=log,
            beside=beside,
            twin=twin,
            keys=keys,
            bootstrap=bootstrap,
            sources=sources,
        )
