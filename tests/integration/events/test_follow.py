"""Views follow their own log by position, pass over nothing, and can be made anew."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.follow import Follower, NotLevel, wait_for
from libs.events.view_cursors import level
from libs.events.waking import Bell
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


async def empty(connection: Connection) -> None:
    await connection.execute("TRUNCATE note")


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


async def test_a_rebuilt_view_is_as_the_live_one_was(source: Place) -> None:
    view = a_view(source)
    await append_starts(source.log, streams=5, versions=4)
    assert await view.catch_up() == 20
    live = await notes(source.pool)
    assert await view.rebuild(empty=empty) == 20
    assert await notes(source.pool) == live


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
