"""The broker, struck while each exact moment of the way of events stands still.

A stage for each moment holds its request or answer; when all are there, the server is struck once,
comes back, and every stage goes on. Then the independent counter looks.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, get_args
from uuid import uuid4

import psutil
import pytest

from cli.ports import choose
from cli.processes import ProcessTable
from cli.servers.kafka import KafkaServer
from cli.state import CHECKOUT, State
from tests.integration.events.stage import Databases, Stage, a_stage, bystanders
from tests.servers import Servers
from tests.support.moments import Moment, Way, When, to_kafka
from tests.support.victims import Kind

PRODUCE = ("Produce",)
_LATEST_SIGHT = 3

Name = Literal["kafka"]
Fault = Literal["kill", "pause", "restart"]


class Sight(NamedTuple):
    """Whose request is looked for, and what it says."""

    of: Kind
    marks: tuple[str, ...]


# What is looked for when a server is struck; or why there is nothing to look for. A connection that
# breaks has two ends, and stands as `cut` in the matrix of the processes.
MATRIX: dict[Name, dict[str, Sight | str]] = {
    "kafka": {
        "commit": "the database's, of which the broker knows nothing",
        "acknowledgement": Sight("relay", PRODUCE),
        "cursor": "stands in the database, not in Kafka",
    },
}
# Longer than the broker's clients wait for an answer.
PAUSE_SECONDS: dict[Name, float] = {"kafka": 12.0}


class Server:
    """A server of the test's own, that can be struck."""

    def __init__(self, name: Name, state: State) -> None:
        self._table = ProcessTable(state)
        self._name = name
        self._server = KafkaServer(state, usual_port=choose(None))

    def start(self) -> str:
        return self._server.start(tied=True)

    def stop(self) -> None:
        self._server.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send it to the server's processes, the first one first."""
        record = self._table.find(self._name)
        assert record is not None
        first = psutil.Process(record.pid)
        for process in (first, *first.children(recursive=True)):
            os.kill(process.pid, number)


@contextmanager
def a_server(name: Name) -> Iterator[Server]:
    folder = CHECKOUT / ".yk" / "test" / f"struck-{uuid4().hex[:8]}"
    server = Server(name, State(folder))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", get_args(Fault))
@pytest.mark.parametrize("name", get_args(Name))
async def test_nothing_is_lost_doubled_or_swapped(
    name: Name, fault: Fault, servers: Servers, tmp_path: Path, seed: int
) -> None:
    with a_server(name) as server:
        address = await asyncio.to_thread(server.start)
        databases = Databases(servers.postgres_dsn)
        bootstrap = address
        try:
            async with AsyncExitStack() as stack:
                held = [
                    await _held(
                        await a_stage(databases, bootstrap=bootstrap, folder=tmp_path, seed=seed),
                        sight,
                        when,
                        stack,
                    )
                    for sight in MATRIX[name].values()
                    if isinstance(sight, Sight)
                    for when in get_args(When)
                ]
                await asyncio.gather(*(one.way.reached() for one in held))
                await _strike(server, fault, seconds=PAUSE_SECONDS[name])
                for one in held:
                    one.way.go_on()
                await asyncio.gather(*(one.stage.moves() for one in held))
                await asyncio.gather(*(one.calling.aclose() for one in held))
                await asyncio.gather(*(one.stage.rests() for one in held))
            for one in held:
                await one.stage.is_well()
        finally:
            await databases.drop()


class Held(NamedTuple):
    """A stage whose moment is held up by a way, and what ends its callers."""

    stage: Stage
    way: Way
    calling: AsyncExitStack


async def _held(empty: Stage, sight: Sight, when: When, stack: AsyncExitStack) -> Held:
    stage = replace(
        empty, readers=frozenset({"projector"} if sight.of in {"caller", "relay"} else {sight.of})
    )
    part = stage.part(sight.of)
    way, bootstrap = await stack.enter_async_context(to_kafka(part.bootstrap))
    over = {sight.of: stage.part(sight.of, name="seen", bootstrap=bootstrap)}
    nth = Random(f"{stage.seed}/{sight}/{when}").randint(1, _LATEST_SIGHT)  # noqa: S311 - to be repeated
    way.stop_at(Moment(sight.marks, when, nth))
    await stack.enter_async_context(bystanders(stage, kinds={"relay", *stage.readers}, over=over))
    calling = await stack.enter_async_context(AsyncExitStack())
    await calling.enter_async_context(bystanders(stage, kinds={"caller"}, over=over))
    return Held(stage, way, calling)


async def _strike(server: Server, fault: Fault, *, seconds: float) -> None:
    """Do it, and bring the server back."""
    match fault:
        case "kill":
            server.signal(signal.SIGKILL)
            await asyncio.to_thread(server.start)
        case "restart":
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
        case "pause":
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            server.signal(signal.SIGCONT)
