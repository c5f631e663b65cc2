"""Many processes append, and readers of one group come, leave and are killed meanwhile."""

from contextlib import AsyncExitStack
from random import Random
from signal import SIGTERM

import asyncpg
import pytest

from tests.conftest import MakeDatabase
from tests.integration.events.stage import READERS, MakeStage, bystanders
from tests.support.counter import Found
from tests.support.victims import a_process

CALLERS = 3
CHANGES = 4


@pytest.mark.timeout(300)
async def test_readers_of_a_group_come_leave_and_are_killed(make_stage: MakeStage) -> None:
    stage = await make_stage()
    chance = Random(stage.seed)  # noqa: S311 - to be repeated
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bystanders(stage, kinds={"relay", "reactor", "follower"}))
        calling = await stack.enter_async_context(AsyncExitStack())
        await calling.enter_async_context(bystanders(stage, kinds={"caller"}))
        readers = [await stack.enter_async_context(a_process(stage.part("projector")))]
        for _ in range(CHANGES):
            change = chance.choice(("come", "leave", "kill")) if len(readers) < 3 else "kill"
            if change == "come" or len(readers) == 1:
                readers.append(await stack.enter_async_context(a_process(stage.part("projector"))))
            elif change == "leave":
                left = readers.pop(chance.randrange(len(readers)))
                left.send_signal(SIGTERM)
                assert await left.wait() == 0
            else:
                readers.pop(chance.randrange(len(readers))).kill()
            await stage.moves()
        await calling.aclose()
        await stage.rests()
    await stage.is_well()


@pytest.mark.timeout(300)
async def test_processes_append_many_events_while_another_database_writes(
    make_stage: MakeStage, database: MakeDatabase
) -> None:
    stage = await make_stage()
    foreign = await asyncpg.connect(await database())
    try:
        await foreign.execute("CREATE TABLE written (n integer)")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(foreign.transaction())
            await foreign.execute("INSERT INTO written VALUES (1)")
            await stack.enter_async_context(bystanders(stage, kinds={"relay", *READERS}))
            callers = [
                await stack.enter_async_context(
                    a_process(stage.part("caller", name=f"caller-{number}"))
                )
                for number in range(CALLERS)
            ]
            await stage.moves(by=60)
            for caller in callers:
                caller.send_signal(SIGTERM)
                assert await caller.wait() == 0
            # everything has come everywhere, and the foreign transaction still stands open
            await stage.rests()
            assert await foreign.fetchval("SELECT pg_current_xact_id_if_assigned()") is not None
    finally:
        await foreign.close()
    found = await stage.is_well()
    assert _kinds_of_calls(found) == {"several events", "several streams", "refused", "from all"}


def _kinds_of_calls(found: Found) -> set[str]:
    """What took place at all, so that a count of nothing proves nothing unseen."""
    stood = {call.name for call in found.calls if call.outcome == "acknowledged"}
    asked = [call for call in found.calls if call.name in stood and call.outcome == "asked"]
    kinds = {
        "several events": any(len(call.events) > 1 for call in asked),
        "several streams": any(len({stream for stream, _ in call.events}) > 1 for call in asked),
        "refused": any(call.outcome == "refused" for call in found.calls),
        "from all": len({name.split("/")[0] for name in stood}) == CALLERS,
    }
    return {kind for kind, seen in kinds.items() if seen}
