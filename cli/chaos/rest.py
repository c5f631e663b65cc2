"""Whether the system has come to rest, asked of its databases and of nobody else."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

READERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contracts": {"contracts-reactions": ("billing",)},
    "billing": {
        "billing-facts": ("contracts", "monitoring"),
        "billing-accounts": ("contracts",),
    },
    "monitoring": {"monitoring": ("contracts",)},
    "notifications": {"notifications": ("contracts", "monitoring", "billing")},
}
"""By service, each reader of topics and the contexts whose topics it reads."""
VIEWS: Mapping[str, tuple[str, ...]] = {
    "contracts": ("contracts", "deadlines", "dunning"),
    "billing": ("books",),
    "monitoring": ("sites",),
    "notifications": ("notices",),
}
"""By service, views that follow its own log; others that have begun are looked at too."""
_LOOK_SECONDS = 0.5
_TELL_SECONDS = 10.0


class NeverAtRest(Exception):
    """Something does not come to rest in the time given; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one service's database stands. Sequences are by partition."""

    head: int
    sent: int
    sequences: Mapping[int, int]
    taken: Mapping[tuple[str, str, int], int]
    views: Mapping[str, int]
    parked: int
    skipped: int
    unfinished: int
    due: int


async def wait_for_rest(
    dsns: Mapping[str, str], *, seconds: float, tell: Callable[[str], None]
) -> None:
    """Return when nothing moves, seen twice with the same heads. Raises `NeverAtRest`."""
    began_at = told_at = time.monotonic()
    rested: dict[str, int] | None = None
    while True:
        standings = await standings_of(dsns)
        moving = list(still_moving(standings))
        heads = {service: standing.head for service, standing in standings.items()}
        if not moving and heads == rested:
            return
        rested = None if moving else heads
        now = time.monotonic()
        if now - began_at > seconds:
            raise NeverAtRest(f"after {seconds:.0f} s: {'; '.join(moving)}")
        if moving and now - told_at > _TELL_SECONDS:
            told_at = now
            tell(f"waiting for rest: {'; '.join(moving)}")
        await asyncio.sleep(_LOOK_SECONDS)


async def standings_of(dsns: Mapping[str, str]) -> dict[str, Standing]:
    """How all stand, asked one after the other."""
    return {service: await _standing(service, dsn) for service, dsn in dsns.items()}


_POSITIONS = """
SELECT log_head.position AS head, relay_cursor.position AS sent,
    (SELECT count(*) FROM parked_event) AS parked, (SELECT count(*) FROM skipped_event) AS skipped
FROM log_head, relay_cursor
"""
_SEQUENCES = "SELECT partition, sequence FROM partition_head"
_TAKEN = "SELECT consumer, topic, partition, sequence FROM consumer_cursor"
_VIEWS = "SELECT view, position FROM view_cursor"
_NONE = "SELECT 0"
# Deadlines are met in rounds with a pause between, in which nothing else may move.
_DUE = {
    "contracts": "SELECT count(*) FROM deadline WHERE due_at <= now()",
    "billing": """
        SELECT count(*) FROM billing_account WHERE late_on <= (now() AT TIME ZONE 'Asia/Tokyo')::date
        """,
    "monitoring": "SELECT count(*) FROM site WHERE due_at <= now()",
}
_UNFINISHED = {
    "billing": "SELECT count(*) FROM invoice_run WHERE finished IS NULL",
    "notifications": """
        SELECT (SELECT count(*) FROM occasion WHERE NOT queued)
            + (SELECT count(*) FROM notice WHERE state = 'queued')
        """,
}


async def _standing(service: str, dsn: str) -> Standing:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            positions = await connection.fetchrow(_POSITIONS)
            assert positions is not None, "the database holds no log"
            taken = {
                (row["consumer"], row["topic"].rpartition(".")[2], row["partition"]): row[
                    "sequence"
                ]
                for row in await connection.fetch(_TAKEN)
            }
            return Standing(
                head=positions["head"],
                sent=positions["sent"],
                parked=positions["parked"],
                skipped=positions["skipped"],
                sequences=await _pairs(connection, _SEQUENCES),
                taken=taken,
                views=await _pairs(connection, _VIEWS),
                unfinished=await connection.fetchval(_UNFINISHED.get(service, _NONE)),
                due=await connection.fetchval(_DUE.get(service, _NONE)),
            )
    finally:
        await connection.close()


async def _pairs(connection: "asyncpg.Connection[asyncpg.Record]", query: str) -> dict[Any, int]:
    return {row[0]: row[1] for row in await connection.fetch(query)}


def still_moving(standings: Mapping[str, Standing]) -> Iterator[str]:
    """What still moves or stands in the way, in words."""
    for service, standing in standings.items():
        if standing.sent != standing.head:
            yield f"{service} has sent up to {standing.sent} of {standing.head}"
        for view in sorted({*VIEWS[service], *standing.views}):
            if standing.views.get(view, 0) != standing.head:
                level = standing.views.get(view, 0)
                yield f"{service}'s view {view} is at {level} of {standing.head}"
        for reader, sources in READERS[service].items():
            for source in sources:
                behind = sum(
                    sequence - standing.taken.get((reader, source, partition), 0)
                    for partition, sequence in standings[source].sequences.items()
                )
                if behind:
                    yield f"{service}'s reader {reader} is {behind} events behind in {source}"
        yield from _left(service, standing)


def _left(service: str, standing: Standing) -> Iterator[str]:
    """What a service has still to do, or can't do."""
    if standing.parked or standing.skipped:
        yield f"{service} has {standing.parked} events parked and {standing.skipped} skipped"
    if standing.unfinished:
        yield f"{service} has {standing.unfinished} runs, occasions or notices unfinished"
    if standing.due:
        yield f"{service} has {standing.due} deadlines due"
