"""A pool of a service, over a way to PostgreSQL whose other end is gone without a farewell."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cli.chaos.ways import PostgresWay
from cli.servers.postgres import PostgresServer
from cli.state import CHECKOUT, State
from libs.events.database import open_pool
from libs.events.weather import is_weather

_PATIENCE_SECONDS = 0.5


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    # pytest's own folders are closed to the user that the server runs as.
    folder = CHECKOUT / ".yk" / "test" / f"ways-{uuid4().hex[:8]}"
    server = PostgresServer(State(folder))
    try:
        server.start(tied=True)
        yield server.sockets
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def way(sockets: Path) -> AsyncIterator[PostgresWay]:
    way = PostgresWay(sockets)
    await way.open()
    try:
        yield way
    finally:
        await way.close()


def _dsn(way: PostgresWay) -> str:
    return f"postgresql://postgres@127.0.0.1:{way.port}/postgres"


async def test_a_pool_comes_back_after_its_connections_were_forgotten(way: PostgresWay) -> None:
    pool = await open_pool(_dsn(way), min_size=4, max_size=4, patience_seconds=_PATIENCE_SECONDS)
    try:
        way.forget()
        failures: list[BaseException] = []
        for _ in range(8):
            try:
                assert await pool.fetchval("SELECT 1") == 1
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                failures.append(error)
        assert await pool.fetchval("SELECT 1") == 1
        assert failures
        assert all(is_weather(error) for error in failures)
    finally:
        pool.terminate()


async def test_what_is_sent_into_a_silent_way_arrives_late(way: PostgresWay) -> None:
    connection = await asyncpg.connect(_dsn(way))
    await connection.execute("CREATE TEMPORARY TABLE late (one integer)")
    way.silence()
    asked = asyncio.ensure_future(connection.execute("INSERT INTO late VALUES (1)"))
    await asyncio.wait((asked,), timeout=_PATIENCE_SECONDS)
    assert not asked.done()
    way.mend()
    await asked
    assert await connection.fetchval("SELECT count(*) FROM late") == 1
    await connection.close()


async def test_a_cut_breaks_connections_and_refuses_new_ones_until_mended(
    way: PostgresWay,
) -> None:
    connection = await asyncpg.connect(_dsn(way))
    way.cut()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("SELECT 1")
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await asyncpg.connect(_dsn(way))
    way.mend()
    again = await asyncpg.connect(_dsn(way))
    assert await again.fetchval("SELECT 1") == 1
    await again.close()
