"""Consume: from Kafka into a view, against bare `getmany` and COPY of the same rows, in turns."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import servers
from benchmarks.events import views
from benchmarks.events.facts import facts
from benchmarks.events.filling import fill
from benchmarks.events.relaying import identity_of, records_of, sent_bare
from benchmarks.measure import Part, Target, paired_ratio, percentile
from cli.progress import say
from libs.events.consumer import Consumer
from libs.events.database import Pool
from libs.events.keys import MemoryKeys
from libs.events.partition import PARTITIONS
from libs.events.projector import Projector
from libs.events.topics import create_topics
from libs.telemetry.collector import collect_rarely

_TOPIC = "contracts"
_LOOK_SECONDS = 0.005
_RECORDS = 1_000
_FETCH_BYTES = 4 * 1024 * 1024


async def measure(*, quick: bool) -> Part:
    """Fill the same view from the same topic again and again, each time as a new reader."""
    events, rounds = (30_000, 3) if quick else (60_000, 5)
    ours, bare = [], []
    with servers.postgres("consume") as server, servers.kafka() as bootstrap:
        async with (
            servers.database(server, context="contracts") as dsn,
            asyncpg.create_pool(dsn, min_size=2, max_size=16) as pool,
        ):
            await pool.execute(views.MAKE)
            await fill(pool, after=0, until=events)
            rows = await pool.fetch("SELECT * FROM event ORDER BY position")
            records = await records_of(pool, identity=await identity_of(pool))
            await create_topics([_TOPIC], bootstrap=bootstrap)
            await sent_bare(records, bootstrap=bootstrap, topic=_TOPIC)
            ready = [(row["position"], *_of(row)) for row in rows]
            collect_rarely()  # as every process does; what only the benchmark holds is left out
            for turn in range(rounds + 1):
                say(f"consume: round {turn} of {rounds}")
                await pool.execute(views.EMPTY)
                took = await _consumed(pool, bootstrap=bootstrap, turn=turn, events=events)
                await pool.execute(views.EMPTY)
                took_bare = await _bare(pool, bootstrap=bootstrap, ready=ready)
                if turn:
                    ours.append(events / took)
                    bare.append(events / took_bare)
    ratio = paired_ratio(ours, bare)
    return Part(
        name="consume",
        title="Consume: from Kafka into a view",
        notes=(
            f"{events:,} events of {PARTITIONS} partitions. consume: sequences checked, events read",
            "  by their classes, a row each by COPY, the cursor in the same transaction",
            "bare: getmany of the same topic, and COPY of ready rows, a transaction a getmany",
        ),
        columns=("round", "consume /s", "bare /s", "of bare"),
        rows=(
            *(
                (str(turn), one, other, one / other)
                for turn, (one, other) in enumerate(zip(ours, bare, strict=True), start=1)
            ),
            ("middle", percentile(ours, percent=50), percentile(bare, percent=50), ratio),
        ),
        targets=(
            Target(
                what="consume into a view over bare getmany and COPY",
                measured=ratio,
                bound="at least",
                limit=1 / 3,
            ),
        ),
    )


def _of(row: asyncpg.Record) -> tuple[Any, ...]:
    (fact,) = facts(row["stream_id"], events=1)
    return fact.contract_id, fact.service, fact.approved_on, fact.document_number


async def _consumed(pool: Pool, *, bootstrap: str, turn: int, events: int) -> float:
    """Seconds from being in the group to the last row of the view."""
    name = f"bench-{turn}"
    projector = Projector(name, effect=views.write, pool=pool, keys=MemoryKeys())
    consumer = Consumer(projector, topics=[_TOPIC], group=name, bootstrap=bootstrap, pool=pool)
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    while not consumer.shares:  # noqa: ASYNC110 - Kafka gives them
        await asyncio.sleep(_LOOK_SECONDS)
    began = time.perf_counter()
    found = "SELECT coalesce(sum(sequence), 0) FROM consumer_cursor WHERE consumer = $1"
    while await pool.fetchval(found, name) < events:  # noqa: ASYNC110 - the database tells
        await asyncio.sleep(_LOOK_SECONDS)
    took = time.perf_counter() - began
    stop.set()
    await running
    return took


async def _bare(pool: Pool, *, bootstrap: str, ready: Sequence[tuple[Any, ...]]) -> float:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    await consumer.start()
    try:
        shares = [TopicPartition(_TOPIC, number) for number in range(PARTITIONS)]
        consumer.assign(shares)
        await consumer.seek_to_beginning(*shares)
        began, at = time.perf_counter(), 0
        async with pool.acquire() as connection:
            while at < len(ready):
                found = await consumer.getmany(timeout_ms=200, max_records=_RECORDS)
                count = sum(map(len, found.values()))
                if count:
                    await connection.copy_records_to_table(
                        "approved", records=ready[at : at + count], columns=views.COLUMNS
                    )
                    at += count
        return time.perf_counter() - began
    finally:
        await consumer.stop()
