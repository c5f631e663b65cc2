"""An API process: uvicorn with FastAPI over a log, as the services' APIs. Argument: DSN.

Prints where it listens. `POST /contracts?events=5` makes a contract of so many events.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import psutil
import uvicorn
import uvloop
from fastapi import Depends, FastAPI, Request, Response
from uuid_utils.compat import uuid7

from benchmarks.events.facts import facts
from benchmarks.resident import Answer, serve
from cli.ports import LOOPBACK, choose
from libs.dates.clock import SystemClock
from libs.events.envelope import Cause
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.store import PostgresLog


def _log_of(request: Request) -> PostgresLog:
    log: PostgresLog = request.app.state.log
    return log


Log = Annotated[PostgresLog, Depends(_log_of)]


async def make_contract(log: Log, response: Response, events: int = 1) -> dict[str, str]:
    """Append a stream of so many events; its id."""
    stream_id = uuid7()
    append = StreamAppend(stream_id=stream_id, events=facts(stream_id, events=events), expected=0)
    appended = await log.append(append, cause=Cause(correlation_id=uuid7(), actor="bench"))
    response.headers["Yakkan-Position"] = str(appended.position)
    return {"contract_id": str(stream_id)}


async def main(dsn: str) -> None:
    """Serve HTTP, and tell where, until standard input ends."""
    async with _application(dsn) as app:
        port = choose(None)
        server = uvicorn.Server(
            uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", access_log=False)
        )
        serving = asyncio.create_task(server.serve())

        async def address() -> Answer:
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                await asyncio.sleep(0.01)
            return {"host": LOOPBACK, "port": port}

        async def cpu() -> Answer:
            used = psutil.Process().cpu_times()
            return {"cpu": used.user + used.system}

        await serve(address=address, cpu=cpu)
        server.should_exit = True
        await serving


@asynccontextmanager
async def _application(dsn: str) -> AsyncIterator[FastAPI]:
    async with asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool:
        opened = await PostgresLog.open(
            pool, context="contracts", keys=MemoryKeys(), clock=SystemClock()
        )
        async with opened as log:
            app = FastAPI()
            app.state.log = log
            app.post("/contracts", status_code=201)(make_contract)
            yield app


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
