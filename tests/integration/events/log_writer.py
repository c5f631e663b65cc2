"""A process that appends to a log until it has done its part or is killed; run by tests.

Arguments: DSN, name, callers, appends a caller, and the streams that all processes fight for.
For every acknowledged append it prints a line: position of the last event, and how many events.
"""

import asyncio
import sys
from datetime import date, timedelta
from uuid import UUID, uuid5

import asyncpg

from libs.dates.clock import SystemClock
from libs.events.envelope import Cause
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.refusals import Stale
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import ServiceStarted

NAMES = UUID("2f0b5d7e-6d0f-4f5e-9a55-0c7f1e2d3b4a")


def stream(number: int) -> UUID:
    """A stream that every process knows."""
    return uuid5(NAMES, str(number))


async def write(dsn: str, name: str, *, callers: int, appends: int, streams: int) -> None:
    """Append from several callers at once; a loser takes the next turn."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=6) as pool:
        opened = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        async with opened as log:
            await asyncio.gather(
                *(
                    _call(log, name, caller=caller, appends=appends, streams=streams)
                    for caller in range(callers)
                )
            )


async def _call(log: PostgresLog, name: str, *, caller: int, appends: int, streams: int) -> None:
    for turn in range(appends):
        one = stream((caller * 7 + turn * 3) % streams)
        other = stream((caller * 5 + turn) % streams)
        events = [_fact(one, turn) for _ in range(1 + (caller + turn) % 4)]
        wishes = [StreamAppend(stream_id=one, events=events, expected=len(await log.load(one)))]
        if turn % 3 == 0 and other != one:
            version = len(await log.load(other))
            wishes.append(
                StreamAppend(stream_id=other, events=[_fact(other, turn)], expected=version)
            )
        cause = Cause(correlation_id=one, actor=f"{name}/{caller}/{turn}")
        try:
            appended = await log.append(*wishes, cause=cause)
        except Stale:
            print("loser", flush=True)  # noqa: T201 - what the test reads
            continue
        print(appended.position, len(appended.events), cause.actor, flush=True)  # noqa: T201


def _fact(stream_id: UUID, turn: int) -> ServiceStarted:
    return ServiceStarted(
        contract_id=stream_id, started_on=date(2026, 1, 1) + timedelta(days=turn % 300)
    )


if __name__ == "__main__":
    _, to, who, *numbers = sys.argv
    asyncio.run(
        write(to, who, callers=int(numbers[0]), appends=int(numbers[1]), streams=int(numbers[2]))
    )
