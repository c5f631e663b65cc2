"""A process that is started before its database waits for it, and says so."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from cli.ports import choose
from libs.process.starting import database_there
from tests.conftest import MakeDatabase
from tests.integration.events.postgres_way import PostgresWay, a_postgres_way
from tests.support.way import until

HOST = "127.0.0.1"

WAITS = """
import asyncio, sys
from libs.process.starting import database_there

async def begin():
    await database_there(sys.argv[1], title="early", host="127.0.0.1", port=int(sys.argv[2]))
    print("begun", flush=True)

asyncio.run(begin())
"""


@pytest.fixture
async def way(database: MakeDatabase) -> AsyncIterator[PostgresWay]:
    async with a_postgres_way(await database()) as way:
        yield way


@asynccontextmanager
async def an_early_process(
    way: PostgresWay, *, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has been started while its database is away, and tells that it waits."""
    way.cut()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WAITS, way.dsn, str(port)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ},
    )

    async def waits() -> bool:
        return await told(port, "ready") == (
            503,
            "the database has not answered since this process started; it waits for it",
        )

    try:
        await until(waits)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(port: int, what: str) -> tuple[int, object] | None:
    """The status and what is said of the database; None while nobody answers."""
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
        try:
            answer = await client.get(f"/health/{what}")
        except httpx2.TransportError:
            return None
        return answer.status_code, answer.json().get("database")


async def test_it_begins_when_its_database_is_there(way: PostgresWay) -> None:
    port = choose(None)
    async with an_early_process(way, port=port) as process:
        assert await told(port, "live") == (200, None)
        await way.open()
        output, _ = await process.communicate()
        assert output.endswith(b"begun\n")
        assert process.returncode == 0


async def test_it_ends_when_it_is_told_to_stop_meanwhile(way: PostgresWay) -> None:
    async with an_early_process(way, port=choose(None)) as process:
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        assert b"begun" not in output
        assert process.returncode == 0


async def test_it_fails_when_its_database_stays_away(way: PostgresWay) -> None:
    way.cut()
    with pytest.raises(OSError, match="Connect call failed"):
        await database_there(
            way.dsn, title="early", host=HOST, port=choose(None), patience_seconds=0
        )


async def test_it_fails_at_once_when_its_database_refuses_it(way: PostgresWay) -> None:
    unknown = way.dsn.rpartition("/")[0] + "/nowhere"
    with pytest.raises(Exception, match="does not exist"):
        await database_there(unknown, title="early", host=HOST, port=choose(None))
