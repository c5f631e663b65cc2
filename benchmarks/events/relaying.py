"""Running a relay until all stands in the topic, and sending ready records bare."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import asyncpg
from aiokafka import AIOKafkaProducer

from libs.events.database import Pool
from libs.events.kafka import Headers, Identity, to_record
from libs.events.relay import Relay

Record = tuple[bytes, bytes, Headers]

_CURSOR = "SELECT position FROM relay_cursor"
_LOOK_SECONDS = 0.005
_BATCH_BYTES = 512 * 1024
_MESSAGE_BYTES = 4 * 1024 * 1024


async def relayed(pool: Pool, *, dsn: str, bootstrap: str, topic: str, head: int) -> float:
    """Seconds from the relay's first record to its cursor at `head`; joining is not counted."""
    relay = Relay(dsn=dsn, bootstrap=bootstrap, topic=topic)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    while not relay.leads:  # noqa: ASYNC110 - the database makes it lead
        await asyncio.sleep(_LOOK_SECONDS)
    began = time.perf_counter()
    while await pool.fetchval(_CURSOR) < head:  # noqa: ASYNC110 - the database tells
        await asyncio.sleep(_LOOK_SECONDS)
    took = time.perf_counter() - began
    stop.set()
    await running
    return took


async def records_of(pool: Pool, *, identity: Identity) -> Mapping[int, Sequence[Record]]:
    """The records of the whole log, ready to be sent, by partition."""
    found: dict[int, list[Record]] = {}
    for row in await pool.fetch("SELECT * FROM event ORDER BY position"):
        record = to_record(row, identity=identity, hop=None)
        found.setdefault(row["partition"], []).append(record)
    return found


async def identity_of(pool: Pool) -> Identity:
    """Whose log it is."""
    row = await pool.fetchrow("SELECT context, log_epoch FROM log_identity")
    assert isinstance(row, asyncpg.Record)
    return Identity(context=row["context"], log_epoch=row["log_epoch"])


async def sent_bare(
    records: Mapping[int, Sequence[Record]], *, bootstrap: str, topic: str
) -> float:
    """Seconds to send ready records by `send_batch`, all partitions at once, to the last answer."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=_BATCH_BYTES,
        max_request_size=_MESSAGE_BYTES,
    )
    await producer.start()
    try:
        began = time.perf_counter()
        await asyncio.gather(
            *(
                _sent(producer, of_one, topic=topic, partition=partition)
                for partition, of_one in records.items()
            )
        )
        return time.perf_counter() - began
    finally:
        await producer.stop()


async def _sent(
    producer: AIOKafkaProducer, records: Sequence[Record], *, topic: str, partition: int
) -> None:
    answers = []
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            answers.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    answers.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*answers)
