"""What a process does beside others, when a driver lets a cancellation slip out."""

import asyncio

import pytest

from libs.process.running import side_by_side


async def test_a_run_that_nobody_cancelled_is_begun_again() -> None:
    begun: list[str] = []

    async def slips(stop: asyncio.Event) -> None:
        begun.append("slips")
        if len(begun) < 3:
            raise asyncio.CancelledError
        stop.set()

    async def goes_on(stop: asyncio.Event) -> None:
        await stop.wait()
        begun.append("went on")

    await side_by_side(slips, goes_on, stop=asyncio.Event())
    assert begun == ["slips", "slips", "slips", "went on"]


async def test_a_slip_while_stopping_ends_the_run() -> None:
    async def slips(stop: asyncio.Event) -> None:
        stop.set()
        raise asyncio.CancelledError

    await side_by_side(slips, stop=asyncio.Event())


async def test_who_is_cancelled_ends() -> None:
    begun = asyncio.Event()
    times: list[str] = []

    async def waits(_stop: asyncio.Event) -> None:
        times.append("begun")
        begun.set()
        await asyncio.Event().wait()

    stop = asyncio.Event()
    both = asyncio.ensure_future(side_by_side(waits, _ends, stop=stop))
    await begun.wait()
    for task in asyncio.all_tasks():
        if "_through_slips" in repr(task.get_coro()):
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both
    assert times == ["begun"]


async def _ends(stop: asyncio.Event) -> None:
    await stop.wait()
