"""A process that is told to stop ends soon, though the broker be away, and nothing is lost by it."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Literal

import pytest

from tests.integration.events.stage import MakeStage, bystanders
from tests.support.moments import Moment, to_kafka
from tests.support.victims import Kind, a_process

Away = Literal["refuses", "is silent"]

# What Kubernetes waits between telling and killing.
_KILLED_AFTER_SECONDS = 30
READS: frozenset[Kind] = frozenset({"projector"})
SENDS: frozenset[Kind] = frozenset({"relay"})
_IN_HAND: dict[Kind, str] = {"relay": "Produce", "projector": "Fetch"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("away", ["refuses", "is silent"])
@pytest.mark.parametrize("kind", ["relay", "projector"])
async def test_it_ends_before_it_is_killed(kind: Kind, away: Away, make_stage: MakeStage) -> None:
    reads = kind == "projector"
    stage = replace(await make_stage(), readers=READS if reads else frozenset())
    async with AsyncExitStack() as stack:
        way, bootstrap = await stack.enter_async_context(to_kafka(stage.bootstrap))
        await stack.enter_async_context(bystanders(stage, kinds=SENDS if reads else ()))
        calling = await stack.enter_async_context(AsyncExitStack())
        await calling.enter_async_context(bystanders(stage, kinds={"caller"}))
        told = await stack.enter_async_context(a_process(stage.part(kind, bootstrap=bootstrap)))
        await stage.moves()
        way.stop_at(Moment((_IN_HAND[kind],), "before"))
        await way.reached()
        if away == "refuses":
            way.cut()
        else:
            way.hush()
        told.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_KILLED_AFTER_SECONDS):
            assert await told.wait() == 0
        await stack.enter_async_context(a_process(stage.part(kind, name="successor")))
        await stage.moves()
        await calling.aclose()
        await stage.rests()
    await stage.is_well()
