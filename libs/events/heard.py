"""Up to when a reader is complete, from what its sources say and what it has taken."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from libs.dates.japan import JAPAN
from libs.events.complete import Statement, make_topic, said_on
from libs.events.cursors import Cursor, Place, load_cursors
from libs.events.database import Connection, Pool, transaction
from libs.events.weather import pause, pauses

_POLL_MS = 500
_PENDING = 200


class Hearer:
    """Hears what sources say, and stores up to when a reader has taken all of it.

    Of what was said and is not reached yet the oldest is kept, so that a reader that is always a
    little behind is complete up to some time nevertheless.
    """

    def __init__(
        self, *, reader: str, topics: Sequence[str], bootstrap: str, pool: Pool, prefix: str
    ) -> None:
        self._reader = reader
        self._bootstrap = bootstrap
        self._pool = pool
        self._heard_on = said_on(prefix=prefix)
        self._pending: dict[str, list[Statement]] = {topic: [] for topic in topics}

    async def run(self, stop: asyncio.Event) -> None:
        """Hear until told to stop."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self._hear(stop)
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                structlog.get_logger().warning(
                    "completeness is not heard", consumer=self._reader, error=type(error).__name__
                )
                await pause(next(waits), stop=stop)

    async def _hear(self, stop: asyncio.Event) -> None:
        await make_topic(self._heard_on, bootstrap=self._bootstrap)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        only = TopicPartition(self._heard_on, 0)
        await consumer.start()
        try:
            consumer.assign([only])
            await consumer.seek_to_end(only)
            while not stop.is_set():
                found = await consumer.getmany(timeout_ms=_POLL_MS)
                for record in found.get(only, ()):
                    self.hear(record.value)
                await self.confirm()
        finally:
            await consumer.stop()

    def hear(self, said: bytes) -> None:
        """Take one statement; what is none, or of a source that is not read, is passed over."""
        try:
            statement = Statement.model_validate_json(said)
        except ValidationError:
            structlog.get_logger().warning("a statement can't be read", topic=self._heard_on)
            return
        pending = self._pending.get(statement.topic)
        if pending is not None:
            pending.append(statement)
            del pending[1 : 1 - _PENDING]

    async def confirm(self) -> None:
        """Store the latest time of each source up to which everything is taken."""
        if not any(self._pending.values()):
            return
        async with transaction(self._pool) as connection:
            cursors = await load_cursors(connection, self._reader)
            for topic, pending in self._pending.items():
                reached = [each for each in pending if _is_reached(each, self._reader, cursors)]
                if reached:
                    latest = max(reached, key=lambda each: each.complete_until)
                    await _store(connection, self._reader, latest)
                    self._pending[topic] = [
                        each for each in pending if each.complete_until > latest.complete_until
                    ]


def _is_reached(said: Statement, reader: str, cursors: Mapping[Place, Cursor]) -> bool:
    """Whether each partition is taken up to what is said, of that log and no other."""
    for partition, sequence in said.sequences.items():
        place = Place(consumer=reader, topic=said.topic, partition=partition)
        cursor = cursors.get(place, Cursor())
        if sequence and (cursor.log_epoch != said.log_epoch or cursor.sequence < sequence):
            return False
    return True


STORE = """
INSERT INTO source_complete (consumer, topic, log_epoch, complete_until) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT source_complete_once DO UPDATE
SET log_epoch = excluded.log_epoch, complete_until = excluded.complete_until
WHERE source_complete.complete_until < excluded.complete_until
   OR source_complete.log_epoch <> excluded.log_epoch
"""


async def _store(connection: Connection, reader: str, said: Statement) -> None:
    await connection.execute(STORE, reader, said.topic, said.log_epoch, said.complete_until)


INCOMPLETE = """
SELECT asked.topic, source_complete.complete_until, (
    SELECT count(DISTINCT stream_id) FROM parked_event
    WHERE parked_event.consumer = $1 AND parked_event.topic = asked.topic
) AS parked
FROM unnest($2::text[]) WITH ORDINALITY AS asked (topic, place)
LEFT JOIN source_complete
    ON source_complete.consumer = $1 AND source_complete.topic = asked.topic
ORDER BY asked.place
"""


async def incomplete(
    pool: Pool, reader: str, *, topics: Sequence[str], until: datetime
) -> tuple[str, ...]:
    """What keeps a reader from being complete up to a time, in words; nothing when it is.

    It is when all that these topics' logs recorded before `until` has been taken with its effects.
    """
    rows = await pool.fetch(INCOMPLETE, reader, list(topics))
    return tuple(
        words
        for row in rows
        if (words := _lacking(row["topic"], row["complete_until"], row["parked"], until))
    )


def _lacking(topic: str, complete_until: datetime | None, parked: int, until: datetime) -> str:
    wanted = f"not up to {_japan(until)}"
    if complete_until is None:
        return f"{topic} has not said up to when it is complete, {wanted}"
    if complete_until < until:
        return f"{topic} is complete up to {_japan(complete_until)}, {wanted}"
    if parked:
        return f"{topic} has {parked} parked streams, which may hold what counts"
    return ""


def _japan(instant: datetime) -> str:
    return f"{instant.astimezone(JAPAN):%Y-%m-%d %H:%M:%S} in Japan"
