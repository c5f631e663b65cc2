"""Processes of their own that tests kill: a relay, and a consumer that writes notes.

`python -m tests.support.victims relay DSN BOOTSTRAP TOPIC` or `… consumer DSN BOOTSTRAP TOPIC`.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from libs.events.consumer import Consumer
from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.keys import MemoryKeys
from libs.events.projector import Projector
from libs.events.relay import Relay
from tests.support.way import take_notes

_CHECKOUT = Path(__file__).parents[2]
_EFFECT_SECONDS = 0.02


@asynccontextmanager
async def a_process(
    kind: str, *, dsn: str, bootstrap: str, topic: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Such a process; it is killed at the end at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.victims", kind, dsn, bootstrap, topic, cwd=_CHECKOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _slow_notes(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
    """Notes with time enough between two for a signal to come in the middle of a batch."""
    for event in batch:
        await take_notes(connection, [event])
        await asyncio.sleep(_EFFECT_SECONDS)


async def _main(kind: str, dsn: str, bootstrap: str, topic: str) -> None:
    stop = asyncio.Event()
    if kind == "relay":
        await Relay(dsn=dsn, bootstrap=bootstrap, topic=topic).run(stop)
        return
    async with asyncpg.create_pool(dsn, min_size=1) as pool:
        notes = Projector("notes", effect=_slow_notes, pool=pool, keys=MemoryKeys())
        consumer = Consumer(
            notes, topics=[topic], group=f"{topic}-notes", bootstrap=bootstrap, pool=pool
        )
        await consumer.run(stop)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
