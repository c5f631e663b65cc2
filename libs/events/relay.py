"""From the log to Kafka: the event table is the outbox, and one leader sends from it, in order.

Why readers can trust the sequence, whatever is paused, killed, or sent twice. Of a partition, call
a record of sequence s *new* when no record of s stands in the topic before it.

1. A leader sends the batch that begins with s only when every sequence before s stands in the
   topic: either it was acknowledged to this leader (it waits for each partition's batch before it
   sends that partition's next), or it lies at or before the cursor from which the leader began.
2. The cursor is moved only past rows whose batches were all acknowledged, to the leader that moves
   it, and only while its epoch is the present one. So everything at or before it stands in the
   topic. `acks=all` with an idempotent producer makes "acknowledged" mean "stands there, in
   order"; the producer's own attempts again can neither swap nor double records of a batch.
3. Hence, by induction, the record before a new s in the topic's order of new records is s - 1:
   new records are without gaps and in order, though old ones may stand between them.
4. A leader that was paused (the server has ended its session, which was silent for the time of a
   lease, and its lock with it) still holds at most one batch per partition that is not acknowledged. When it wakes, that batch may arrive late: all its
   sequences were new at some time by 1, or are new now with everything before them there, so it
   repeats or continues, and never passes over. Then its move of the cursor finds another epoch,
   changes nothing, and the leader steps down. The cursor never runs backwards.
5. After any error nobody knows what arrived. The producer is thrown away, with all it remembers of
   order, and the leader begins again from the cursor: what arrived is repeated.

Readers take s only after s - 1 and pass over what they have: each event has its effect once, in
order. A loss (a broker that forgot what it acknowledged) shows as a gap, which stops them.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import asyncpg
import structlog
from aiokafka.producer.message_accumulator import BatchBuilder

from libs.events import relay_sql as sql
from libs.events.database import Connection, Row
from libs.events.kafka import Identity, to_record
from libs.events.producing import FAREWELL_SECONDS, Producer
from libs.events.waking import Bell, Waking
from libs.events.weather import pause, pauses
from libs.telemetry import names, tracing
from libs.telemetry.metrics import Gauge, counter

_BATCH_BYTES = 512 * 1024
_MESSAGE_BYTES = 4 * 1024 * 1024
_TIMEOUT_MS = 10_000
_FOLLOWER_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
_LEASE_SECONDS = 20.0
_BEATS_A_LEASE = 4
# So that the server lets go of the lock of a leader whose machine is gone without a farewell.
_KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Relay:
    """Sends one log to its topic. Any number may run; one leads, the others stand by.

    A database that does not answer for `patience_seconds` is taken as away. A leader that asks the
    database nothing for `lease_seconds`, because it was paused, leads no more: the server ends its
    session, and another may take the lock. One that is alive asks more often than once a second,
    and while it waits for the broker a few times a lease.
    """

    def __init__(
        self,
        *,
        dsn: str,
        bootstrap: str,
        topic: str,
        patience_seconds: float = _PATIENCE_SECONDS,
        lease_seconds: float = _LEASE_SECONDS,
    ) -> None:
        self._dsn = dsn
        self._patience_seconds = patience_seconds
        self._lease_seconds = lease_seconds
        self._bootstrap = bootstrap
        self._topic = topic
        self._level_at = time.monotonic()
        self._pauses = pauses()
        self.leads = False
        self._lag_records = Gauge(names.RELAY_LAG_RECORDS, description="Events not yet in Kafka")
        self._lag_seconds = Gauge(names.RELAY_LAG_SECONDS, unit="s", description="Since level")
        self._leader = Gauge(names.RELAY_LEADER, description="1 where this process leads")
        self._sent = counter(names.RELAY_SENT, description="Events sent, repeats counted too")
        self._failures = counter(names.RELAY_FAILURES, description="Begun again from the cursor")

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, lead and send until told to stop; a round in hand is finished first.

        With a broker that does not answer it is given up: the cursor stands before it.
        """
        log = structlog.get_logger()
        while not stop.is_set():
            try:
                await self._stand_by(stop)
            except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
                self._failures.add(1, {names.ERROR_TYPE: type(error).__name__})
                log.warning("relay begins again", topic=self._topic, error=type(error).__name__)
                await pause(next(self._pauses), stop=stop)

    async def _stand_by(self, stop: asyncio.Event) -> None:
        """Lead once there is no other leader; on the connection that holds the lock."""
        lease = f"{self._lease_seconds * 1000:.0f}ms"
        connection = await asyncpg.connect(
            self._dsn,
            command_timeout=self._patience_seconds,
            server_settings={
                **_KEEPALIVE,
                "idle_session_timeout": lease,
                # between the parsing of a statement and its execution a session is not idle
                "transaction_timeout": lease,
            },
        )
        try:
            while not stop.is_set():
                if await sql.try_lock(connection):
                    await self._lead(connection, stop)
                await pause(_FOLLOWER_SECONDS, stop=stop)
        finally:
            self._says_it_leads(leads=False)
            connection.terminate()

    async def _lead(self, connection: Connection, stop: asyncio.Event) -> None:
        leader = await sql.become_leader(connection)
        await self._measure(connection, leader.position)
        # Not on the connection of the lock: what is sent to a paused process fills its socket, and a
        # server that waits to write ends no session.
        bell = Bell(self._dsn)
        waking = bell.waking()
        listening = asyncio.ensure_future(bell.run(stop))
        with waking.on(stop), _waiting_for(stop) as stopped:
            producer = _producer(self._bootstrap)
            try:
                await producer.start()
                self._says_it_leads(leads=True)
                await self._send_from(connection, producer, leader, waking, stopped)
            finally:
                listening.cancel()
                await asyncio.wait([listening])
                await producer.stop()

    async def _send_from(
        self,
        connection: Connection,
        producer: Producer,
        leader: sql.Leader,
        waking: Waking,
        stopped: "asyncio.Task[None]",
    ) -> None:
        position = leader.position
        rows = await sql.read_rows(connection, position)
        while not stopped.done():
            if not rows:
                self._level_at = time.monotonic()
                self._lag_records.set(0)
                self._lag_seconds.set(0)
                await waking.wait()
                rows = await sql.read_rows(connection, position)
                continue
            await self._measure(connection, position)
            sending = asyncio.create_task(self._send(producer, rows, identity=leader.identity))
            position = rows[-1]["position"]
            following = await self._read_while_sending(connection, sending, stopped, after=position)
            if following is None:
                return
            await sql.move_cursor(connection, position, epoch=leader.epoch)
            self._sent.add(len(rows))
            self._pauses = pauses()
            rows = following

    async def _send(
        self,
        producer: Producer,
        rows: Sequence[Row],
        *,
        identity: Identity,
    ) -> None:
        """Send all rows, each partition's in order; returns when all are acknowledged.

        Raises what the first failing partition raised, after all have been answered or given up.
        """
        events = [tracing.Sent(row["correlation_id"], row["traceparent"]) for row in rows]
        with tracing.send_spans(self._topic, events) as hops:
            laid_out = _lay_out(producer, rows, hops=hops, identity=identity)
            answers = await asyncio.gather(
                *(
                    self._send_partition(producer, batches, partition)
                    for partition, batches in laid_out.items()
                ),
                return_exceptions=True,
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _read_while_sending(
        self,
        connection: Connection,
        sending: "asyncio.Task[None]",
        stopped: "asyncio.Task[None]",
        *,
        after: int,
    ) -> Sequence[Row] | None:
        """The rows to send next, when all is sent; None when told to stop and the broker is away.

        However long the broker lets us wait, the lock stays ours.
        """
        try:
            following = await sql.read_rows(connection, after)
            while not sending.done() and not stopped.done():
                await asyncio.wait(
                    [sending, stopped],
                    timeout=self._lease_seconds / _BEATS_A_LEASE,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not sending.done():
                    await sql.is_there(connection)
            # a batch in hand is finished first, unless the broker is away
            await asyncio.wait([sending], timeout=FAREWELL_SECONDS)
            if not sending.done():
                return None
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        sending.result()
        return following

    async def _send_partition(
        self, producer: Producer, batches: Iterable[BatchBuilder], partition: int
    ) -> None:
        """Send one partition's batches, each after the acknowledgement of the one before."""
        for batch in batches:
            await (await producer.send_batch(batch, self._topic, partition=partition))

    async def _measure(self, connection: Connection, position: int) -> None:
        behind = await sql.head(connection) - position
        self._lag_records.set(behind)
        self._lag_seconds.set(time.monotonic() - self._level_at)

    def _says_it_leads(self, *, leads: bool) -> None:
        self.leads = leads
        self._leader.set(int(leads))


def _lay_out(
    producer: Producer,
    rows: Iterable[Row],
    *,
    hops: Iterable[str | None],
    identity: Identity,
) -> Mapping[int, Sequence[BatchBuilder]]:
    """The batches of each partition, in order; no record is kept beside its bytes in one."""
    laid_out: dict[int, list[BatchBuilder]] = {}
    for row, hop in zip(rows, hops, strict=True):
        batches = laid_out.get(row["partition"])
        if batches is None:
            batches = laid_out[row["partition"]] = [producer.create_batch()]
        key, value, headers = to_record(row, identity=identity, hop=hop)
        if batches[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
            batches.append(producer.create_batch())
            batches[-1].append(timestamp=None, key=key, value=value, headers=headers)
    return laid_out


@contextmanager
def _waiting_for(stop: asyncio.Event) -> Iterator["asyncio.Task[None]"]:
    async def waiting() -> None:
        await stop.wait()

    stopped = asyncio.create_task(waiting())
    try:
        yield stopped
    finally:
        stopped.cancel()


def _producer(bootstrap: str) -> Producer:
    return Producer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=_BATCH_BYTES,
        max_request_size=_MESSAGE_BYTES,
        request_timeout_ms=_TIMEOUT_MS,
    )
