"""`python -m tests.integration.rebuild.killed DSN STEPS`: rebuilds, and kills itself in between."""

import asyncio
import os
import signal
import sys

import asyncpg

from libs.dates.clock import SystemClock
from libs.events.keys import MemoryKeys
from libs.events.shadow import View, beside
from libs.events.store import PostgresLog
from tests.support.way import take_notes


async def main(dsn: str, *, steps: int) -> None:
    """Rebuild the notes, and die as by SIGKILL after so many steps."""
    left = steps

    def told(position: int, target: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    view = View("notes", ("note",), take_notes)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        log = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        async with log, beside(view, log=log, pool=pool, dsn=dsn) as shadow:
            await shadow.begin()
            await shadow.follow(told=told)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], steps=int(sys.argv[2])))
