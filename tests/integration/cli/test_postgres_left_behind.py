"""A PostgreSQL of which a process was left behind by a kill comes up once that one is gone."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import psutil
import pytest

from cli.processes import ProcessTable
from cli.servers import postgres
from cli.servers.postgres import PostgresServer
from cli.state import CHECKOUT, State
from tests.support.way import until


@pytest.fixture
def state() -> Iterator[State]:
    # pytest's own folders are closed to the user that the database runs as
    state = State(CHECKOUT / ".yk" / "test" / f"left-{uuid4().hex[:8]}")
    try:
        yield state
    finally:
        PostgresServer(state).stop()
        shutil.rmtree(state.folder, ignore_errors=True)


async def test_it_starts_when_the_last_process_of_a_killed_one_is_gone(state: State) -> None:
    server = PostgresServer(state)
    dsn = await asyncio.to_thread(server.start, tied=True)
    connection = await asyncpg.connect(dsn)
    session = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    session.send_signal(signal.SIGSTOP)
    try:
        first = ProcessTable(state).find(postgres.NAME)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        await asyncio.to_thread(psutil.Process(first.pid).wait)
        starting = asyncio.ensure_future(asyncio.to_thread(server.start, tied=True))

        async def refused() -> bool:
            return "still in use" in ProcessTable(state).log_path(postgres.NAME).read_text()

        await until(refused)
        assert not starting.done()
    finally:
        session.send_signal(signal.SIGCONT)
    again = await asyncpg.connect(await starting)
    assert await again.fetchval("SELECT pg_backend_pid()") != session.pid
    await again.close()
    connection.terminate()
