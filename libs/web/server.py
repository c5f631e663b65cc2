"""Running an application until a stop signal; the requests in hand are finished first."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from libs.process.running import Run

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """Stops at a signal and leaves it at that, so that its caller can close what it holds.

    uvicorn's own raises the signal again at its end, which kills the process on the spot.
    """

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal; off the main thread, where none arrive, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True


class _Beside(uvicorn.Server):
    """Leaves the signals to who runs it."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def beside(app: FastAPI, *, port: int, host: str = "127.0.0.1") -> Run:
    """Serve `app` as one of the things that a process does, until told to stop."""

    async def run(stop: asyncio.Event) -> None:
        serving = _Beside(_config(app, host=host, port=port, grace_seconds=1))
        task = asyncio.ensure_future(serving.serve())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        serving.should_exit = True
        await task

    return run


def server(app: FastAPI, *, port: int, host: str = "127.0.0.1", grace_seconds: int = 10) -> Server:
    """Make what serves `app`: `await ….serve()` runs it, `….should_exit = True` stops it."""
    return Server(_config(app, host=host, port=port, grace_seconds=grace_seconds))


def _config(app: FastAPI, *, host: str, port: int, grace_seconds: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
    )
