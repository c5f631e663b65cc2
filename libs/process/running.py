"""Running what a process does until it is told to stop; what is in hand is finished first."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from libs.events.weather import pause

_AFTER_A_SLIP_SECONDS = 0.1
GRACE_SECONDS = 15.0
_CANCEL_SECONDS = 2.0

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


async def side_by_side(
    *runs: Run, stop: asyncio.Event, grace_seconds: float = GRACE_SECONDS
) -> None:
    """Run all until `stop` is set; one that ends by itself or fails stops the others.

    What has not ended `grace_seconds` after that, because a server does not answer, is cancelled:
    its transactions and cursors stand where they were, as after a kill.

    One that is cancelled though nobody here asked for it (drivers let such a word slip out when a
    connection breaks under them) is begun again: it is the weather, and no reason to end.
    """
    tasks = [asyncio.create_task(_through_slips(run, stop), name=_name(run)) for run in runs]
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, told], return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        stop.set()
        given_up = await _ended(tasks, grace_seconds=grace_seconds)
    for task in tasks:
        if task not in given_up or not task.cancelled():
            task.result()


async def _ended(
    tasks: list["asyncio.Task[None]"], *, grace_seconds: float
) -> set["asyncio.Task[None]"]:
    """Return when all have ended; gives those that had to be cancelled for it."""
    _, late = await asyncio.wait(tasks, timeout=grace_seconds)
    given_up = set(late)
    while late:
        names = sorted(task.get_name() for task in late)
        structlog.get_logger().warning("does not end and is cancelled", runs=names)
        for task in late:
            task.cancel()
        # one that closes what it holds may wait for the same server once more
        _, late = await asyncio.wait(late, timeout=_CANCEL_SECONDS)
    return given_up


async def _through_slips(run: Run, stop: asyncio.Event) -> None:
    task = asyncio.current_task()
    assert task is not None
    while True:
        try:
            await run(stop)
        except asyncio.CancelledError:
            if task.cancelling():
                raise
            structlog.get_logger().warning("begun again after a slip of a driver", run=_name(run))
            await pause(_AFTER_A_SLIP_SECONDS, stop=stop)
        else:
            return
        if stop.is_set():
            return


def _name(run: Run) -> str:
    return getattr(run, "__qualname__", type(run).__name__)
