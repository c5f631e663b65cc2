"""A reader's cursor moves only from where it was found, so that one of two takes an event."""

import asyncio
from uuid import UUID

import pytest

from libs.events.cursors import Cursor, load_cursors, move_cursor, note_offset
from libs.events.cursors import Place as At
from libs.events.database import transaction
from libs.events.log import CursorTaken
from tests.support.way import Place, until

AT = At(consumer="notes", topic="contracts", partition=3)
LOG = UUID(int=1)
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def move(place: Place, *, after: int, sequence: int, log_epoch: UUID = LOG) -> None:
    async with transaction(place.pool) as connection:
        await move_cursor(
            connection, AT, after=after, sequence=sequence, log_epoch=log_epoch, offset=sequence
        )


async def found(place: Place) -> Cursor:
    async with transaction(place.pool) as connection:
        return (await load_cursors(connection, "notes"))[AT]


@pytest.mark.parametrize("after", [0, 4], ids=["at its first event", "later"])
async def test_of_two_transactions_that_move_one_cursor_the_second_to_commit_is_refused(
    target: Place, after: int
) -> None:
    if after:
        await move(target, after=0, sequence=after)

    async def second_waits() -> bool:
        return bool(await target.pool.fetchval(WAITING))

    async with transaction(target.pool) as first:
        await move_cursor(first, AT, after=after, sequence=5, log_epoch=LOG, offset=5)
        second = asyncio.ensure_future(move(target, after=after, sequence=6))
        await until(second_waits)
    with pytest.raises(CursorTaken):
        await second
    assert await found(target) == Cursor(sequence=5, log_epoch=LOG, kafka_offset=5)


@pytest.mark.parametrize(
    ("after", "sequence", "log_epoch"),
    [
        pytest.param(0, 9, LOG, id="as if it took nothing yet"),
        pytest.param(4, 9, LOG, id="from behind"),
        pytest.param(6, 9, LOG, id="from ahead"),
        pytest.param(5, 5, LOG, id="to where it stands"),
        pytest.param(5, 6, UUID(int=2), id="of another log"),
    ],
)
async def test_a_cursor_moves_from_where_it_stands_only(
    target: Place, after: int, sequence: int, log_epoch: UUID
) -> None:
    await move(target, after=0, sequence=5)
    with pytest.raises(CursorTaken):
        await move(target, after=after, sequence=sequence, log_epoch=log_epoch)
    assert (await found(target)).sequence == 5


async def test_a_hint_for_a_sequence_that_is_past_changes_nothing(target: Place) -> None:
    await move(target, after=0, sequence=5)
    async with transaction(target.pool) as connection:
        await note_offset(connection, AT, sequence=4, offset=99)
    assert (await found(target)).kafka_offset == 5
