"""`python -m tests.integration.rebuild.killed_reading DSN SOURCE TOPIC KAFKA STEPS`: dies between."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

import asyncpg

from libs.dates.clock import SystemClock
from libs.events.keys import MemoryKeys
from libs.events.shadow_reader import reader_beside
from libs.events.store import PostgresLog
from tests.integration.rebuild.tallies import kept


async def main(dsn: str, source: str, topic: str, *, kafka: str, steps: int) -> None:
    """Build the tallies beside, and die as by SIGKILL after so many steps."""
    left = steps

    def told(position: int, target: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(asyncpg.create_pool(each, min_size=1, max_size=2))
            for each in (dsn, source)
        ]
        log = await PostgresLog.open(
            pools[0], context="billing", keys=MemoryKeys(), clock=SystemClock()
        )
        await stack.enter_async_context(log)
        shadow = await stack.enter_async_context(
            reader_beside(
                kept(topic),
                log=log,
                keys=MemoryKeys(),
                dsn=dsn,
                bootstrap=kafka,
                sources={topic: pools[1]},
            )
        )
        await shadow.begin()
        await shadow.follow(told=told)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], kafka=sys.argv[4], steps=int(sys.argv[5])))
