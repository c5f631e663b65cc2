import asyncio

import pytest

from libs.process.running import side_by_side


async def test_all_end_when_told_to_stop() -> None:
    stop = asyncio.Event()
    ended: list[str] = []

    async def one(told: asyncio.Event) -> None:
        await told.wait()
        ended.append("one")

    async def other(told: asyncio.Event) -> None:
        await told.wait()
        ended.append("other")

    task = asyncio.ensure_future(side_by_side(one, other, stop=stop))
    stop.set()
    await task

    assert sorted(ended) == ["one", "other"]


async def test_one_that_fails_stops_the_others_and_is_told() -> None:
    ended: list[str] = []

    async def fails(_told: asyncio.Event) -> None:
        raise ConnectionError("gone")

    async def waits(told: asyncio.Event) -> None:
        await told.wait()
        ended.append("waits")

    with pytest.raises(ConnectionError, match="gone"):
        await side_by_side(fails, waits, stop=asyncio.Event())

    assert ended == ["waits"]


async def test_one_that_does_not_end_is_cancelled_after_its_grace_and_no_failure() -> None:
    stop = asyncio.Event()
    cancelled: list[int] = []

    async def closes_slowly(_told: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    task = asyncio.ensure_future(side_by_side(closes_slowly, stop=stop, grace_seconds=0))
    stop.set()
    async with asyncio.timeout(30):
        await task

    assert cancelled == [1]
