"""Running what a process does until it is told to stop; what is in hand is finished first."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

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
    """Run all until `stop` is set; one that ends by itself or fails stops the others."""
    tasks = [asyncio.ensure_future(run(stop)) for run in runs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
