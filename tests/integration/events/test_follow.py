"""Views follow their own log by position, pass over nothing, and can be made anew."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
import structlog

from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.follow import Follower, NotLevel, wait_for
from libs.events.log import LogUnavailable
from libs.events.view_cursors import level
from libs.events.waking import Bell
from libs.events.weather import NotWell
from tests.support.way import (
    Place,
    append_starts,
    is_once_and_in_order,
    notes,
    running,
    take_notes,
    until,
)


def a_view(place: Place, *, bell: Bell | None = None) -> Follower:
    return Follower("notes", log=place.log, pool=place.pool, effect=take_notes, bell=bell)


async def test_a_view_takes_each_event_of_its_log_once_while_several_append(
    source: Place,
) -> None:
    bell = Bell(source.dsn)
    async with running(bell.run), running(a_view(source, bell=bell).run):
        await append_starts(source.log, streams=20, versions=10)
        position = await source.log.position()
        await wait_for(source.pool, "notes", position=position, seconds=60)
    assert is_once_and_in_order(await notes(source.pool), streams=20, versions=10)


async def test_two_processes_that_run_one_view_write_each_row_once(source: Place) -> None:
    async with running(a_view(source).run), running(a_view(source).run):
        await append_starts(source.log, streams=20, versions=20)
        position = await source.log.position()
        await wait_for(source.pool, "notes", position=position, seconds=60)
    assert is_once_and_in_order(await notes(source.pool), streams=20, versions=20)


async def test_a_reader_that_waits_longer_than_it_would_is_told(source: Place) -> None:
    await append_starts(source.log, streams=1, versions=1)
    with pytest.raises(NotLevel):
        await wait_for(source.pool, "notes", position=1, seconds=0.05)
    assert await level(source.pool, "notes") == 0


async def test_a_view_whose_effect_fails_stands_still_and_says_so_until_it_works(
    source: Place,
) -> None:
    fails = asyncio.Event()
    fails.set()

    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        await take_notes(connection, batch)
        if fails.is_set():
            raise ValueError("a bug")

    view = Follower("notes", log=source.log, pool=source.pool, effect=effect)

    async def in_trouble() -> bool:
        return view.trouble == "ValueError"

    await append_starts(source.log, streams=1, versions=3)
    async with running(view.run):
        await until(in_trouble)
        assert await notes(source.pool) == []
        fails.clear()
        await wait_for(source.pool, "notes", position=3, seconds=60)
    assert await notes(source.pool) == [(UUID(int=1), version) for version in (1, 2, 3)]


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(TimeoutError("too slow"), id="a time-out"),
        pytest.param(FileNotFoundError("no template"), id="a file"),
        pytest.param(asyncpg.QueryCanceledError("too long"), id="a statement that was ended"),
    ],
)
async def test_a_view_that_fails_by_itself_is_in_trouble_after_five_tries(
    source: Place, failing: Exception
) -> None:
    tries = 0
    fails = asyncio.Event()
    fails.set()

    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        nonlocal tries
        tries += 1
        if fails.is_set():
            raise failing
        await take_notes(connection, batch)

    view = Follower("notes", log=source.log, pool=source.pool, effect=effect)
    tries_when_told = 0

    async def in_trouble() -> bool:
        nonlocal tries_when_told
        tries_when_told = tries_when_told or (tries if view.trouble else 0)
        return view.trouble == type(failing).__name__

    await append_starts(source.log, streams=1, versions=3)
    with structlog.testing.capture_logs() as said:
        async with running(view.run):
            await until(in_trouble)
            with pytest.raises(NotWell, match="the view notes stands still"):
                await view.well()
            fails.clear()
            await wait_for(source.pool, "notes", position=3, seconds=60)
    await view.well()
    assert tries_when_told >= 5
    told = [one["event"] for one in said if one["event"] != "view tries again"]
    assert told == ["view stands still", "view goes on"]
    assert await notes(source.pool) == [(UUID(int=1), version) for version in (1, 2, 3)]


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(LogUnavailable("away"), id="the log is away"),
        pytest.param(asyncpg.TooManyConnectionsError("full"), id="no room"),
        pytest.param(asyncpg.DeadlockDetectedError("deadlock"), id="a deadlock"),
    ],
)
async def test_weather_is_no_trouble_of_a_view_however_long_it_lasts(
    source: Place, failing: Exception
) -> None:
    tries = 0

    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        nonlocal tries
        tries += 1
        if tries < 8:
            raise failing
        await take_notes(connection, batch)

    view = Follower("notes", log=source.log, pool=source.pool, effect=effect)
    await append_starts(source.log, streams=1, versions=1)
    with structlog.testing.capture_logs() as said:
        async with running(view.run):
            await wait_for(source.pool, "notes", position=1, seconds=60)
    assert {one["event"] for one in said} == {"view tries again"}
    assert tries == 8
