"""Every process of the way of events, struck in every manner at every exact moment.

One test strikes one victim in one manner, each moment on a stage of its own, side by side: at each
thing it does before, during or after it, in turn, so that every manner and every victim has all
three; at all three with `YK_TEST_MOMENTS=all`. Afterwards the independent counter looks: what was acknowledged stands in the log, the log is
the topic, and each event had its effect once, in the order of its stream, in every reader.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import product
from random import Random
from typing import Literal, NamedTuple, get_args

import pytest

from tests.integration.events.stage import READERS, MakeStage, Stage, bystanders
from tests.support.moments import Moment, Way, When, in_turn, to_kafka, to_postgres, turns
from tests.support.victims import Kind, Victim, a_process

Fault = Literal["kill", "pause", "restart", "cut"]
Server = Literal["postgres", "kafka"]

APPEND = ("COMMIT", "pg_advisory_xact_lock")
MOVED = ("INTO consumer_cursor", "RETURNING sequence")


class Sight(NamedTuple):
    """Over which way a request goes, and what it says."""

    server: Server
    marks: tuple[str, ...]


# What is looked for at each victim; or why there is nothing to look for.
MATRIX: dict[Kind, dict[str, Sight | str]] = {
    "caller": {
        "commit": Sight("postgres", APPEND),
        "acknowledgement": "sends nothing to Kafka: the relay does",
        "cursor": "keeps none; a reader's cursor rides in its append, see reactor",
    },
    "relay": {
        "commit": "has no transaction but the one statement that moves its cursor",
        "acknowledgement": Sight("kafka", ("Produce",)),
        "cursor": Sight("postgres", ("UPDATE relay_cursor SET position",)),
    },
    "projector": {
        "commit": Sight("postgres", ("COMMIT", *MOVED)),
        "acknowledgement": "what it tells Kafka is a hint that nothing reads back",
        "cursor": Sight("postgres", MOVED),  # first in its transaction: the middle of a batch
    },
    "reactor": {
        "commit": Sight("postgres", (*APPEND, "consumer_cursor")),
        "acknowledgement": "as the projector",
        "cursor": Sight("postgres", ("UPDATE consumer_cursor",)),
    },
    "follower": {
        "commit": Sight("postgres", ("COMMIT", "UPDATE view_cursor")),
        "acknowledgement": "reads its own log, without Kafka",
        "cursor": Sight("postgres", ("UPDATE view_cursor",)),
    },
}
READERS_BESIDE: dict[Kind, frozenset[Kind]] = {
    "caller": READERS,
    "relay": frozenset({"projector"}),
    "projector": frozenset({"projector"}),
    "reactor": frozenset({"reactor"}),
    "follower": frozenset({"follower"}),
}
FAULTS: tuple[Fault, ...] = get_args(Fault)
CELLS = [
    pytest.param(victim, fault, id=f"{victim}-{fault}") for victim, fault in product(MATRIX, FAULTS)
]
_LATEST_SIGHT = 4


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("victim", "fault"), CELLS)
async def test_nothing_is_lost_doubled_or_swapped(
    victim: Kind, fault: Fault, make_stage: MakeStage
) -> None:
    sights = [sight for sight in MATRIX[victim].values() if isinstance(sight, Sight)]
    cell = list(MATRIX).index(victim) + FAULTS.index(fault)
    strikes = [
        _strike(
            replace(await make_stage(), readers=READERS_BESIDE[victim]),
            victim=victim,
            fault=fault,
            sight=sight,
            when=in_turn(cell, number, turn),
        )
        for number, sight in enumerate(sights)
        for turn in turns()
    ]
    answers = await asyncio.gather(*strikes, return_exceptions=True)
    assert [str(answer) for answer in answers if answer is not None] == []


async def _strike(stage: Stage, *, victim: Kind, fault: Fault, sight: Sight, when: When) -> None:
    name = f"{victim}, {fault}, {when} {'/'.join(sight.marks)}"
    nth = Random(f"{stage.seed}/{name}").randint(1, _LATEST_SIGHT)  # noqa: S311 - to be repeated
    try:
        async with AsyncExitStack() as stack:
            part = stage.part(victim)
            to_database, dsn = await stack.enter_async_context(to_postgres(part.dsn))
            to_broker, bootstrap = await stack.enter_async_context(to_kafka(part.bootstrap))
            way = to_database if sight.server == "postgres" else to_broker
            way.stop_at(Moment(sight.marks, when, nth))
            await stack.enter_async_context(
                bystanders(stage, kinds={"relay", *stage.readers} - {victim})
            )
            calling = await stack.enter_async_context(AsyncExitStack())
            await calling.enter_async_context(bystanders(stage, kinds={"caller"}))
            struck = await _play(stage, victim, stack, name="victim", dsn=dsn, bootstrap=bootstrap)
            await way.reached()
            played = [struck, await _hit(stage, victim, fault, struck=struck, way=way, stack=stack)]
            await stage.moves()
            await calling.aclose()
            if victim == "caller":
                for one in played:
                    one.kill()
            await stage.rests()
        await stage.is_well()
    except (AssertionError, TimeoutError) as error:
        raise AssertionError(f"{name}, sight {nth}, seed {stage.seed}: {error!r}") from error


async def _hit(
    stage: Stage, victim: Kind, fault: Fault, *, struck: Victim, way: Way, stack: AsyncExitStack
) -> Victim:
    """Do it; gives the process that goes on."""
    match fault:
        case "kill":
            struck.kill()
            await struck.wait()
            way.cut()
            return await _play(stage, victim, stack, name="successor")
        case "restart":
            struck.send_signal(signal.SIGTERM)
            way.go_on()
            assert await struck.wait() == 0
            return await _play(stage, victim, stack, name="successor")
        case "cut":
            way.cut()
            await way.open()
            return struck
        case "pause":
            struck.send_signal(signal.SIGSTOP)
            successor = await _play(stage, victim, stack, name="successor")
            await stage.moves()
            struck.send_signal(signal.SIGCONT)
            way.go_on()
            return successor


async def _play(
    stage: Stage,
    kind: Kind,
    stack: AsyncExitStack,
    *,
    name: str,
    dsn: str = "",
    bootstrap: str = "",
) -> Victim:
    part = stage.part(kind, name=name, dsn=dsn, bootstrap=bootstrap)
    return await stack.enter_async_context(a_process(part))
