"""A reader that decides, going on after a log that it reads was restored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from cli.processes import CannotStart
from cli.rebuild.opened import Opened
from libs.events import recovering, rewinding
from libs.events.database import Pool, Row

RECORDED_AT = "SELECT max(recorded_at) FROM event WHERE position <= $1"
EARLIEST_FORK = "SELECT min(position) FROM log_fork"


@dataclass(slots=True, kw_only=True)
class BuiltAgain:
    """Topics gone on with at the fork, by how many events both logs have.

    `orphans` are own events that rest on events of which no log knows any more.
    """

    topics: dict[str, int] = field(default_factory=dict)
    orphans: list[Row] = field(default_factory=list)


async def build_again(service: Opened, reader: str, *, sources: Mapping[str, Pool]) -> BuiltAgain:
    """Forget what a reader took of logs that are no more; `sources` are the logs' by topic.

    Raises CannotStart where a log can't say up to where it is the one that was taken.
    """
    done = BuiltAgain()
    forked_at: datetime | None = None
    for topic, known in await _known(service.pool, reader):
        if topic not in sources:
            raise CannotStart(f"{reader} reads {topic}, which no service here publishes.")
        async with sources[topic].acquire() as borrowed:
            connection: asyncpg.Connection[asyncpg.Record] = borrowed  # type: ignore[assignment] # the pool's proxy for one
            present, common = await recovering.common_with(connection, known)
            if present == known:
                continue
            if common is None:
                raise CannotStart(
                    f"The log of {topic} does not know that it ever was {known}; nobody can say"
                    f" what {reader} decided on. Restore {topic} by ./yk restore."
                )
            position = await connection.fetchval(EARLIEST_FORK)
            at = await connection.fetchval(RECORDED_AT, position) or datetime.min.replace(
                tzinfo=UTC
            )
        forked_at = at if forked_at is None else min(at, forked_at)
        await rewinding.go_back(
            service.pool, reader, topic=topic, known=known, present=present, common=common
        )
        done.topics[topic] = sum(common)
    if forked_at is not None:
        done.orphans = await rewinding.resting_on_nothing(
            service.pool, sources=list(sources.values()), since=forked_at
        )
    return done


async def _known(pool: Pool, reader: str) -> list[tuple[str, UUID]]:
    """The topics of a reader, with each log of which it took events."""
    rows = await rewinding.cursors_of(pool, reader)
    return list(dict.fromkeys((row["topic"], row["log_epoch"]) for row in rows))
