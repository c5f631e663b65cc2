"""Relay: from the log to Kafka, against `send_batch` of the ready bytes, in turns."""

import gc

import asyncpg

from benchmarks import servers
from benchmarks.events.filling import fill
from benchmarks.events.relaying import identity_of, records_of, relayed, sent_bare
from benchmarks.measure import Part, Target, paired_ratio, percentile
from cli.progress import say
from libs.events.topics import create_topics

_RESTART = "UPDATE relay_cursor SET position = 0"


async def measure(*, quick: bool) -> Part:
    """Relay the same log again and again, each time to a topic of its own."""
    events, rounds = (30_000, 3) if quick else (60_000, 5)
    ours, bare = [], []
    with servers.postgres("relay") as server, servers.kafka() as bootstrap:
        async with (
            servers.database(server, context="contracts") as dsn,
            asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool,
        ):
            await fill(pool, after=0, until=events)
            records = await records_of(pool, identity=await identity_of(pool))
            turns = [(f"relayed-{turn}", f"bare-{turn}") for turn in range(rounds + 1)]
            await create_topics(
                [topic for topics in turns for topic in topics], bootstrap=bootstrap
            )
            gc.freeze()  # what only the benchmark holds is not the relay's to search through
            for turn, topics in enumerate(turns):
                say(f"relay: round {turn} of {rounds}")
                await pool.execute(_RESTART)
                took = await relayed(
                    pool, dsn=dsn, bootstrap=bootstrap, topic=topics[0], head=events
                )
                took_bare = await sent_bare(records, bootstrap=bootstrap, topic=topics[1])
                if turn:
                    ours.append(events / took)
                    bare.append(events / took_bare)
    ratio = paired_ratio(ours, bare)
    return Part(
        name="relay",
        title="Relay: from the log to Kafka",
        notes=(
            f"{events:,} events; relay: read from PostgreSQL, made into records, sent, all",
            "  acknowledged, cursor stored; at most one batch a partition on its way",
            "send_batch: the same records, ready, by aiokafka's send_batch, nothing else",
        ),
        columns=("round", "relay /s", "send_batch /s", "of send_batch"),
        rows=(
            *(
                (str(turn), one, other, one / other)
                for turn, (one, other) in enumerate(zip(ours, bare, strict=True), start=1)
            ),
            ("middle", percentile(ours, percent=50), percentile(bare, percent=50), ratio),
        ),
        targets=(
            Target(
                what="relay over send_batch of ready bytes",
                measured=ratio,
                bound="at least",
                limit=0.5,
            ),
        ),
    )
