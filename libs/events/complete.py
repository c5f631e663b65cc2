"""Up to which recorded time a source is complete, told beside its topic, in silence too.

Recorded times are given under the append lock and never run backwards. So whoever holds that lock,
moves the log's time on to the present, and looks at the last sequence of each partition, knows for
good: *everything recorded before that time stands at or below these sequences*. A commit that is
late was made under the same lock, before or after: it is counted, or recorded at that time or later.

The statement goes to a topic of its own, one for all sources, so that the topics of events hold
events alone. It may overtake the events it speaks of: a reader is complete up to its time once it
has taken each partition up to the sequence named there.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from pydantic import BaseModel, ConfigDict

from libs.dates.clock import Clock
from libs.events import log_sql
from libs.events.database import Pool
from libs.events.kafka import topic_of
from libs.events.weather import pause, pauses

_EVERY_SECONDS = 1.0
_TIMEOUT_MS = 10_000
_KEPT_A_DAY = {"retention.ms": str(24 * 60 * 60 * 1000), "cleanup.policy": "delete"}


class Statement(BaseModel):
    """Everything of `topic` recorded before `complete_until` has these sequences or lower ones.

    It holds for the log with this epoch, and for ever.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: str
    log_epoch: UUID
    complete_until: datetime
    sequences: dict[int, int]


def said_on(*, prefix: str) -> str:
    """The topic on which sources say up to when they are complete."""
    return topic_of("complete", prefix=prefix)


MOVE_TIME = """
UPDATE log_head SET recorded_at = greatest(log_head.recorded_at, $1)
FROM log_identity WHERE NOT log_identity.rehearsal
RETURNING log_head.recorded_at, log_identity.log_epoch
"""
FIND_SEQUENCES = "SELECT partition, sequence FROM partition_head ORDER BY partition"


async def state(pool: Pool, *, topic: str, clock: Clock) -> Statement:
    """Move the log's time to the present and say what stands before it.

    Raises ValueError for a rehearsal's log, in which time runs in each stream by itself.
    """
    async with pool.acquire() as connection:
        await log_sql.begin_locked(connection)
        try:
            moved = await connection.fetchrow(MOVE_TIME, clock.now())
            heads = await connection.fetch(FIND_SEQUENCES)
        except BaseException:
            await log_sql.rollback(connection)
            raise
        await log_sql.commit(connection)
    if moved is None:
        raise ValueError("a rehearsal is never complete up to a time")
    return Statement(
        topic=topic,
        log_epoch=UUID(int=moved["log_epoch"].int),
        complete_until=moved["recorded_at"],
        sequences={row["partition"]: row["sequence"] for row in heads},
    )


FIND_TIME = "SELECT recorded_at FROM log_head, log_identity WHERE NOT log_identity.rehearsal"


async def complete_until(pool: Pool) -> datetime | None:
    """A log's own time: whatever comes later is recorded then or after it.

    None for a rehearsal's log, which has no such time, and for which nobody waits.
    """
    found: datetime | None = await pool.fetchval(FIND_TIME)
    return found


class Herald:
    """Says every second up to when a log is complete. Any number may say so side by side."""

    def __init__(
        self,
        *,
        pool: Pool,
        clock: Clock,
        bootstrap: str,
        topic: str,
        prefix: str,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._bootstrap = bootstrap
        self._topic = topic
        self._said_on = said_on(prefix=prefix)
        self._every_seconds = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Say it until told to stop; what could not be said is said anew, as it is then."""
        waits = pauses()
        while not stop.is_set():
            try:
                await self._say(stop)
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                structlog.get_logger().warning(
                    "completeness is not said", topic=self._topic, error=type(error).__name__
                )
                await pause(next(waits), stop=stop)

    async def _say(self, stop: asyncio.Event) -> None:
        await make_topic(self._said_on, bootstrap=self._bootstrap)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", request_timeout_ms=_TIMEOUT_MS
        )
        await producer.start()
        try:
            while not stop.is_set():
                said = await state(self._pool, topic=self._topic, clock=self._clock)
                await producer.send_and_wait(
                    self._said_on, said.model_dump_json().encode(), key=self._topic.encode()
                )
                await pause(self._every_seconds, stop=stop)
        finally:
            await producer.stop()


async def make_topic(name: str, *, bootstrap: str) -> None:
    """Make the topic of statements where there is none: one partition, kept for a day."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        if name in await admin.list_topics():
            return
        made = NewTopic(name, num_partitions=1, replication_factor=1, topic_configs=_KEPT_A_DAY)
        answer = await admin.create_topics([made])
    finally:
        await admin.close()
    for topic, code, *_ in answer.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise for_code(code)(f"topic {topic}")
