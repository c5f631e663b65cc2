"""From Kafka to a reader: each event once and in order, by its sequence.

The position in the database decides, in the transaction of the effects. Kafka's group only shares
out the partitions, and an offset is only a hint where to go on: too early means repeats, which are
passed over; too late shows as a gap and is looked up from the start of the topic before alarm is
given. Two processes that hold one partition for a moment (a rebalance, a pause) can't both take an
event, because each moves the cursor from where it found it.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from typing_extensions import override

from libs.events import parking
from libs.events.batch import Batch, Reader
from libs.events.cursors import Cursor, Place, load_cursors
from libs.events.database import Pool, transaction
from libs.events.kafka import KafkaRecord, Message, NotAnEvent, from_record
from libs.events.trouble import Gap, OtherLog, Stopped, Trouble, Unreadable
from libs.events.weather import NotWell, pause, pauses
from libs.telemetry import names
from libs.telemetry.metrics import Gauge, counter

_POLL_MS = 200
_RECORDS = 3_000
_FETCH_BYTES = 1024 * 1024
_ALL_FETCH_BYTES = 8 * 1024 * 1024
_BATCH_BYTES = 4 * 1024 * 1024
_FETCH_WAIT_MS = 250
_METADATA_MS = 10_000
_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 1.0
_COMMIT_SECONDS = 5.0
_COUNT_SECONDS = 5.0


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Hands the events of topics to a reader, as one of a group of processes.

    `trouble` is None while all is well; a consumer in trouble takes nothing more, is not ready,
    and stays so until it is started again.
    """

    def __init__(
        self, reader: Reader, *, topics: Sequence[str], group: str, bootstrap: str, pool: Pool
    ) -> None:
        self.trouble: Trouble | None = None
        self._reader = reader
        self._topics = tuple(topics)
        self._group = group
        self._bootstrap = bootstrap
        self._pool = pool
        self._in_hand = asyncio.Lock()
        self._assigned: set[TopicPartition] = set()
        self._cursors: dict[TopicPartition, Cursor] = {}
        self._rewind: set[TopicPartition] = set()
        self._whole: set[TopicPartition] = set()
        self._level_at: dict[TopicPartition, float] = {}
        self._joined = False
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._retry_at = 0.0
        self._commit_at = 0.0
        self._count_at = 0.0
        self._labels = {names.CONSUMER: reader.name}
        self._lag = Gauge(names.CONSUMER_LAG_RECORDS, description="Records not yet taken")
        self._lag_seconds = Gauge(
            names.CONSUMER_LAG_SECONDS, unit="s", description="Since level with the topic"
        )
        self._parked = Gauge(names.CONSUMER_PARKED, description="Streams that are parked")
        self._stopped = Gauge(names.CONSUMER_STOPPED, description="1 in trouble, taking nothing")
        self._taken = counter(names.CONSUMER_TAKEN, description="Events taken")
        self._repeated = counter(names.CONSUMER_REPEATED, description="Repeats passed over")
        self._failures = counter(names.CONSUMER_FAILURES, description="Attempts that failed")
        self._stopped.set(0, self._labels)

    @property
    def ready(self) -> bool:
        """Whether it is in its group and not in trouble."""
        return self._joined and self.trouble is None

    @property
    def name(self) -> str:
        """The name of its reader."""
        return self._reader.name

    async def well(self) -> None:
        """Raises `NotWell` when it takes nothing, with what stands in the way."""
        if self.trouble is not None:
            raise NotWell(f"{self._reader.name}: {self.trouble}")
        if not self._joined:
            raise NotWell(f"{self._reader.name} has not been given its partitions yet")

    @property
    def shares(self) -> frozenset[tuple[str, int]]:
        """The partitions that are this process's to read now."""
        return frozenset((share.topic, share.partition) for share in self._assigned)

    async def run(self, stop: asyncio.Event) -> None:
        """Take events until told to stop; of what was fetched only the batch in hand is finished."""
        log = structlog.get_logger()
        waits = pauses()
        while not stop.is_set() and self.trouble is None:
            try:
                await self._consume(stop)
            except Stopped as stopped:
                self.trouble = stopped.trouble
                self._stopped.set(1, self._labels)
                log.error(  # noqa: TRY400 - what is wrong is in the topic, not on the stack
                    "consumer stops",
                    consumer=self._reader.name,
                    trouble=str(stopped),
                    **{name: str(value) for name, value in asdict(stopped.trouble).items()},
                )
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                self._failed(error)
                await pause(next(waits), stop=stop)
        await stop.wait()

    @override
    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Wait for the batch in hand, then let go of everything."""
        async with self._in_hand:
            self._assigned.clear()
            self._cursors.clear()

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Remember our share; where each goes on is looked up before anything is taken."""
        self._assigned = set(assigned)

    async def _consume(self, stop: asyncio.Event) -> None:
        """Be in the group until told to stop, or until Kafka fails."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_bytes=_ALL_FETCH_BYTES,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            metadata_max_age_ms=_METADATA_MS,
        )
        consumer.subscribe(self._topics, listener=self)
        waits = pauses()
        try:
            await consumer.start()
            self._joined = True
            while not stop.is_set():
                try:
                    await self._round(consumer, stop=stop)
                    waits = pauses()
                except (Stopped, KafkaError):
                    raise
                except Exception as error:  # noqa: BLE001 - the database's weather; we keep our share
                    self._failed(error)
                    await pause(next(waits), stop=stop)
        finally:
            self._joined = False
            await consumer.stop()

    async def _round(self, consumer: AIOKafkaConsumer, *, stop: asyncio.Event) -> None:
        async with self._in_hand:
            await self._find_places(consumer)
        found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS)
        async with self._in_hand:
            # What was given up while we waited is dropped here: its place is looked up anew.
            ours = {share: records for share, records in found.items() if share in self._cursors}
            answers = await asyncio.gather(
                *(
                    self._take_all(consumer, share, records, stop=stop)
                    for share, records in ours.items()
                ),
                return_exceptions=True,
            )
            errors = [answer for answer in answers if isinstance(answer, BaseException)]
            for error in sorted(errors, key=lambda error: not isinstance(error, Stopped)):
                raise error
            await self._retry_waiting(something_new=bool(ours), stop=stop)
            await self._count_parked()
            await self._hint(consumer)

    async def _find_places(self, consumer: AIOKafkaConsumer) -> None:
        """Set each partition that was newly assigned, or failed, to where its cursor stands."""
        lost = self._assigned - set(self._cursors)
        if not lost:
            return
        async with transaction(self._pool) as connection:
            known = await load_cursors(connection, self._reader.name)
        logs = {place.topic: cursor.log_epoch for place, cursor in known.items()}
        for share in lost:
            # A partition of which nothing was taken must carry the same log as the others.
            new = Cursor(log_epoch=logs.get(share.topic))
            cursor = known.get(self._place(share), new)
            offset = 0 if share in self._rewind else cursor.kafka_offset or 0
            if offset == 0:
                self._whole.add(share)
            else:
                self._whole.discard(share)
            consumer.seek(share, offset)
            self._cursors[share] = cursor

    async def _take_all(
        self,
        consumer: AIOKafkaConsumer,
        share: TopicPartition,
        records: Sequence[KafkaRecord],
        *,
        stop: asyncio.Event,
    ) -> None:
        """Take what a partition brought, in batches of few bytes and of what the reader bears.

        Told to stop, the batch in hand is the last; where it ended is looked up anew.
        """
        for some in in_batches(records, at_most=self._reader.at_most, bytes_at_most=_BATCH_BYTES):
            if stop.is_set():
                self._cursors.pop(share, None)
                return
            if share in self._cursors:
                await self._take(consumer, share, some)

    async def _take(
        self, consumer: AIOKafkaConsumer, share: TopicPartition, records: Sequence[KafkaRecord]
    ) -> None:
        cursor = self._cursors.pop(share)  # put back when all went well, else looked up anew
        messages, trouble = self._next_in_order(share, cursor, records)
        if messages:
            batch = Batch(
                place=self._place(share),
                after=cursor.sequence,
                log_epoch=messages[0].envelope.log_epoch,
                messages=messages,
                next_offset=messages[-1].offset + 1,
            )
            await self._reader.take(batch)
            cursor = Cursor(
                sequence=batch.sequence, log_epoch=batch.log_epoch, kafka_offset=batch.next_offset
            )
            self._rewind.discard(share)
            self._taken.add(len(messages), self._labels)
        self._repeated.add(len(records) - len(messages), self._labels)
        if isinstance(trouble, Gap) and share not in self._whole:
            # The hint may have led past it, into a topic that was made anew.
            self._rewind.add(share)
            return
        if trouble is not None:
            raise Stopped(trouble)
        self._measure(consumer, share, records)
        self._cursors[share] = cursor

    def _next_in_order(
        self, share: TopicPartition, cursor: Cursor, records: Sequence[KafkaRecord]
    ) -> tuple[list[Message], Trouble | None]:
        """The messages to take next, and what stands after them that must not be taken."""
        messages: list[Message] = []
        epoch = cursor.log_epoch
        expected = cursor.sequence + 1
        at = {"topic": share.topic, "partition": share.partition}
        for record in records:
            try:
                found = from_record(record)
            except NotAnEvent as error:
                return messages, Unreadable(**at, detail=str(error))
            if epoch is not None and found.envelope.log_epoch != epoch:
                return messages, OtherLog(**at, known=epoch, seen=found.envelope.log_epoch)
            epoch = found.envelope.log_epoch
            seen = found.envelope.sequence
            if seen > expected:
                return messages, Gap(**at, expected=expected, seen=seen)
            if seen == expected:
                messages.append(found)
                expected += 1
        return messages, None

    async def _retry_waiting(self, *, something_new: bool, stop: asyncio.Event) -> None:
        """Try waiting streams of our share again: at once after news, else less and less often."""
        now = asyncio.get_running_loop().time()
        if something_new:
            self._retry_seconds = _FIRST_RETRY_SECONDS
        elif now < self._retry_at:
            return
        ours = [(share.topic, share.partition) for share in self._cursors]
        async with transaction(self._pool) as connection:
            streams = await parking.waiting_streams(connection, self._reader.name, at=ours)
        for stream in streams:
            if stop.is_set():
                return
            await self._reader.retry(stream)
        self._retry_at = now + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)

    async def _count_parked(self) -> None:
        """Show now and then how many streams are parked; with many, counting takes its time."""
        now = asyncio.get_running_loop().time()
        if now < self._count_at:
            return
        async with transaction(self._pool) as connection:
            counts = await parking.counts(connection)
        waiting, parked = counts.get(self._reader.name, (0, 0))
        self._parked.set(waiting, {names.WAITING: "yes", **self._labels})
        self._parked.set(parked, {names.WAITING: "no", **self._labels})
        self._count_at = now + _COUNT_SECONDS

    async def _hint(self, consumer: AIOKafkaConsumer) -> None:
        """Tell Kafka now and then how far we are, for those who look there; nothing rests on it."""
        now = asyncio.get_running_loop().time()
        offsets = {
            share: cursor.kafka_offset
            for share, cursor in self._cursors.items()
            if cursor.kafka_offset is not None
        }
        if now < self._commit_at or not offsets:
            return
        self._commit_at = now + _COMMIT_SECONDS
        try:
            await consumer.commit(offsets)
        except KafkaError as error:
            self._failed(error)

    def _measure(
        self, consumer: AIOKafkaConsumer, share: TopicPartition, records: Sequence[KafkaRecord]
    ) -> None:
        end = consumer.highwater(share)
        if end is not None:
            labels = {
                names.MESSAGING_DESTINATION: share.topic,
                names.MESSAGING_PARTITION: share.partition,
                **self._labels,
            }
            behind = max(0, end - records[-1].offset - 1)
            self._lag.set(behind, labels)
            now = time.monotonic()
            if not behind:
                self._level_at[share] = now
            self._lag_seconds.set(now - self._level_at.setdefault(share, now), labels)

    def _place(self, share: TopicPartition) -> Place:
        return Place(consumer=self._reader.name, topic=share.topic, partition=share.partition)

    def _failed(self, error: Exception) -> None:
        kind = type(error).__name__
        self._failures.add(1, {names.ERROR_TYPE: kind, **self._labels})
        structlog.get_logger().warning(
            "consumer tries again", consumer=self._reader.name, error=kind
        )


def in_batches(
    records: Sequence[KafkaRecord], *, at_most: int, bytes_at_most: int
) -> Iterator[Sequence[KafkaRecord]]:
    """Records in runs of at most so many, and of so many bytes of data; a larger one stands alone."""
    start, size = 0, 0
    for number, record in enumerate(records):
        own = len(record.value or b"")
        full = number - start == at_most or size + own > bytes_at_most
        if number > start and full:
            yield records[start:number]
            start, size = number, 0
        size += own
    yield records[start:]
