"""A reader that keeps rows in two tables, which must always say the same."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from libs.events.consumer import Consumer
from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.projector import Projector
from libs.events.reaction import Effect
from libs.events.shadow_reader import Kept, ReaderBeside, reader_beside
from tests.support.way import Place, running, until

READER = "tally-keeper"
TABLES = """
CREATE TABLE seen (
    event_id uuid PRIMARY KEY, stream_id uuid NOT NULL, version integer NOT NULL
);
CREATE TABLE tally (stream_id uuid CONSTRAINT tally_once PRIMARY KEY, events integer NOT NULL);
"""
SEE = "INSERT INTO seen (event_id, stream_id, version) VALUES ($1, $2, $3)"
COUNT = """
INSERT INTO tally AS known (stream_id, events) VALUES ($1, 1)
ON CONFLICT ON CONSTRAINT tally_once DO UPDATE SET events = known.events + 1
"""


async def keep(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
    """An effect: each event seen, and counted; nothing keeps one from being counted twice."""
    for each in batch:
        at = each.envelope
        await connection.execute(SEE, at.event_id, at.stream_id, at.version)
        await connection.execute(COUNT, at.stream_id)


def kept(*topics: str) -> Kept:
    """What the reader keeps."""
    return Kept(reader=READER, topics=topics, tables=("seen", "tally"), effect=keep)


def reader(target: Place, *topics: str, bootstrap: str, effect: Effect = keep) -> Consumer:
    """The reader as a worker runs it."""
    return Consumer(
        Projector(READER, effect=effect, pool=target.pool, keys=target.keys),
        topics=topics,
        group=f"{topics[0]}-{READER}",
        bootstrap=bootstrap,
        pool=target.pool,
    )


@asynccontextmanager
async def beside_it(
    target: Place, *, topic: str, bootstrap: str, source: Place, what: Kept | None = None
) -> AsyncIterator[ReaderBeside]:
    """The second of what it keeps."""
    async with reader_beside(
        what or kept(topic),
        log=target.log,
        keys=target.keys,
        dsn=target.dsn,
        bootstrap=bootstrap,
        sources={topic: source.pool},
    ) as shadow:
        yield shadow


@asynccontextmanager
async def living(target: Place, *, topic: str, bootstrap: str) -> AsyncIterator[None]:
    """The live reader runs for as long as the block."""
    async with running(reader(target, topic, bootstrap=bootstrap).run):
        yield


async def counted(pool: Pool) -> dict[UUID, tuple[int, int]]:
    """By stream what the tally says, and how many different events of it were seen."""
    rows = await pool.fetch(
        "SELECT stream_id, events, (SELECT count(DISTINCT version) FROM seen"
        " WHERE seen.stream_id = tally.stream_id) AS seen FROM tally"
    )
    return {row["stream_id"]: (row["events"], row["seen"]) for row in rows}


def each_once(*, streams: int, versions: int) -> dict[UUID, tuple[int, int]]:
    """What `counted` finds when each event had effect once."""
    return {UUID(int=number): (versions, versions) for number in range(1, streams + 1)}


async def until_taken(pool: Pool, *, events: int) -> None:
    """Return when the live reader's cursors count so many events."""

    async def taken() -> bool:
        found = await pool.fetchval(
            "SELECT sum(sequence) FROM public.consumer_cursor WHERE consumer = $1", READER
        )
        return bool((found or 0) >= events)

    await until(taken)


async def rows_of(pool: Pool) -> list[str]:
    """Every row that is live, cursors and parked events included."""
    found = await pool.fetch(
        "SELECT row_to_json(seen)::text AS row FROM public.seen"
        " UNION ALL SELECT row_to_json(tally)::text FROM public.tally"
        " UNION ALL SELECT row_to_json(consumer_cursor)::text FROM public.consumer_cursor"
        " UNION ALL SELECT row_to_json(parked_event)::text FROM public.parked_event"
    )
    return sorted(row["row"] for row in found)
