"""Whether everything has come to rest: all sent, all taken, all views level, nothing parked.

Each service tells how it stands; only all of them together can say that nothing moves.
"""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from libs.events import parking
from libs.events.database import Connection, Pool


class ConsumerStanding(BaseModel):
    """How far a reader has come in one partition of a topic."""

    model_config = ConfigDict(frozen=True)

    consumer: str
    topic: str
    partition: int
    sequence: int


class ParkedCount(BaseModel):
    """Streams of a reader that wait, and that are parked for another reason."""

    model_config = ConfigDict(frozen=True)

    waiting: int
    parked: int


class Standing(BaseModel):
    """How one service stands. Positions are of its own log; sequences are of topics."""

    model_config = ConfigDict(frozen=True)

    context: str
    log_epoch: str
    topic: str
    head: int
    sent: int
    partitions: dict[int, int]
    readers: dict[str, tuple[str, ...]]
    consumers: tuple[ConsumerStanding, ...]
    views: dict[str, int]
    parked: dict[str, ParkedCount]


LOG = """
SELECT context, log_epoch, log_head.position AS head, relay_cursor.position AS sent
FROM log_identity, log_head, relay_cursor
"""
PARTITIONS = "SELECT partition, sequence FROM partition_head ORDER BY partition"
CONSUMERS = """
SELECT consumer, topic, partition, sequence FROM consumer_cursor
ORDER BY consumer, topic, partition
"""
VIEWS = "SELECT view, position FROM view_cursor ORDER BY view"


async def standing(
    pool: Pool, *, topic: str, readers: Mapping[str, tuple[str, ...]], views: tuple[str, ...]
) -> Standing:
    """How a service stands, at one moment.

    `topic` is its own; `readers` names the topics of each of its readers, and `views` its views,
    so that one that has not begun yet is seen to be behind.
    """
    async with pool.acquire() as borrowed, borrowed.transaction(isolation="repeatable_read"):
        connection: Connection = borrowed  # type: ignore[assignment] # the pool's proxy for one
        log = await connection.fetchrow(LOG)
        assert log is not None, "the database holds no log"
        known = {row["view"]: row["position"] for row in await connection.fetch(VIEWS)}
        counted = await parking.counts(connection)
        return Standing(
            context=log["context"],
            log_epoch=str(log["log_epoch"]),
            topic=topic,
            head=log["head"],
            sent=log["sent"],
            partitions={
                row["partition"]: row["sequence"] for row in await connection.fetch(PARTITIONS)
            },
            readers=dict(readers),
            consumers=tuple(ConsumerStanding(**row) for row in await connection.fetch(CONSUMERS)),
            views={view: known.get(view, 0) for view in views},
            parked={
                consumer: ParkedCount(waiting=waiting, parked=parked)
                for consumer, (waiting, parked) in counted.items()
            },
        )


def at_rest(standings: Mapping[str, Standing]) -> list[str]:
    """What still moves or stands in the way, in words; nothing when all is at rest.

    Asked of standings that were taken one after the other, an empty answer holds only when it
    comes twice with the same heads.
    """
    sources = {standing.topic: standing for standing in standings.values()}
    return [
        f"{service}: {words}"
        for service, standing in standings.items()
        for words in _moving(standing, sources=sources)
    ]


def heads(standings: Mapping[str, Standing]) -> dict[str, int]:
    """The head of each log, to be compared with those of another look."""
    return {service: standing.head for service, standing in standings.items()}


def _moving(standing: Standing, *, sources: Mapping[str, Standing]) -> Iterator[str]:
    if standing.sent < standing.head:
        yield f"{standing.head - standing.sent} events are not sent"
    for view, position in standing.views.items():
        if position < standing.head:
            yield f"the view {view} is {standing.head - position} events behind"
    for consumer, count in standing.parked.items():
        if count.waiting:
            yield f"{consumer} has {count.waiting} streams that wait"
        if count.parked:
            yield f"{consumer} has {count.parked} parked streams"
    yield from _behind(standing, sources=sources)


def _behind(standing: Standing, *, sources: Mapping[str, Standing]) -> Iterator[str]:
    taken = {(at.consumer, at.topic, at.partition): at.sequence for at in standing.consumers}
    for consumer, topics in standing.readers.items():
        for topic in topics:
            source = sources.get(topic)
            if source is None:
                yield f"{consumer} reads {topic}, of which nobody told how it stands"
                continue
            behind = sum(
                max(0, end - taken.get((consumer, topic, partition), 0))
                for partition, end in source.partitions.items()
            )
            if behind:
                yield f"{consumer} is {behind} events behind in {topic}"
