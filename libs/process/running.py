"""Running what a process does until it is told to stop; what is in hand is finished first."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from libs.events.weather import pause

_AFTER_A_SLIP_SECONDS = 0.1

Run = Callable[[asyncio.Event], Awaitable[None]]


async def until_stopped(*runs: Run) -> None:
    """Run all side by side until SIGTERM or SIGINT; when one fails, stop the others and raise."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await side_by_side(*runs, stop=stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def side_by_side(*runs: Run, stop: asyncio.Event) -> None:
    """Run all until `stop` is set; one that ends by itself or fails stops the others.

    One that is cancelled though nobody here asked for it (drivers let such a word slip out when a
    connection breaks under them) is begun again: it is the weather, and no reason to end.
    """
    tasks = [asyncio.ensure_future(_through_slips(run, stop)) for run in runs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


async def _through_slips(run: Run, stop: asyncio.Event) -> None:
    task = asyncio.current_task()
    assert task is not None
    while True:
        try:
            await run(stop)
        except asyncio.CancelledError:
            if task.cancelling():
                raise
            name = getattr(run, "__qualname__", type(run).__name__)
            structlog.get_logger().warning("begun again after a slip of a driver", run=name)
            await pause(_AFTER_A_SLIP_SECONDS, stop=stop)
        else:
            return
        if stop.is_set():
            return
