"""Waiting for the database that a process begins with, so that the order of starting is free."""

import asyncio

import asyncpg
import structlog

from libs.events.weather import NotWell, is_weather, pause, pauses
from libs.process.running import until_stopped
from libs.web.app import make_worker_app
from libs.web.server import beside

PATIENCE_SECONDS = 300.0
_ANSWER_SECONDS = 5.0


async def database_there(
    dsn: str, *, title: str, host: str, port: int, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return when the database answers; tell meanwhile on `port` that we live and are not ready.

    Raises what came of the last attempt when it stays away for `patience_seconds`, or at once when
    it answers and refuses us; SystemExit when told to stop meanwhile.
    """
    if await _answers(dsn, title=title):
        return
    end = asyncio.get_running_loop().time() + patience_seconds
    there = False

    async def wait(stop: asyncio.Event) -> None:
        nonlocal there
        for seconds in pauses():
            await pause(seconds, stop=stop)
            if stop.is_set():
                return
            late = asyncio.get_running_loop().time() >= end
            there = await _answers(dsn, title=title, is_last=late)
            if there:
                return

    app = make_worker_app(title, ready={"database": _is_away})
    await until_stopped(wait, beside(app, host=host, port=port))
    if not there:
        raise SystemExit(0)


async def _is_away() -> None:
    raise NotWell("the database has not answered since this process started; it waits for it")


async def _answers(dsn: str, *, title: str, is_last: bool = False) -> bool:
    try:
        connection = await asyncpg.connect(
            dsn, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS
        )
        try:
            await connection.execute("SELECT 1")
        finally:
            connection.terminate()
    except Exception as error:
        if is_last or not is_weather(error):
            raise
        structlog.get_logger().warning(
            "waits for its database", process=title, error=type(error).__name__
        )
        return False
    return True
