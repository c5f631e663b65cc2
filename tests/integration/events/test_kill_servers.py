"""The database and the broker, struck while each exact moment of the way of events stands still.

A stage for each thing that is asked of the server holds its request or answer, before, during or
after it, in turn (with `YK_TEST_MOMENTS=all` at all three); when all are there, the server is
struck once, comes back, and every stage goes on. Then the independent counter looks.
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
from cli.servers.postgres import PostgresServer
from cli.state import CHECKOUT, State
from tests.integration.events.stage import READERS, Databases, Stage, a_stage, bystanders
from tests.servers import Servers
from tests.support.moments import Moment, Way, When, in_turn, to_kafka, to_postgres, turns
from tests.support.victims import Kind

PRODUCE = ("Produce",)
_LATEST_SIGHT = 3

Name = Literal["postgres", "kafka"]
Fault = Literal["kill", "pause", "restart"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


class Sight(NamedTuple):
    """Whose request is looked for, and what it says."""

    of: Kind
    marks: tuple[str, ...]


# What is looked for when a server is struck; or why there is nothing to look for. A connection that
# breaks has two ends, and stands as `cut` in the matrix of the processes.
MATRIX: dict[Name, dict[str, Sight | str]] = {
    "postgres": {
        "commit": Sight("caller", ("COMMIT", "pg_advisory_xact_lock")),
        "acknowledgement": "Kafka's, of which the database knows nothing",
        "cursor of the relay": Sight("relay", ("UPDATE relay_cursor SET position",)),
        "cursor of a reader": Sight(
            "projector", ("COMMIT", "INTO consumer_cursor", "RETURNING sequence")
        ),
        "cursor of a view": Sight("follower", ("COMMIT", "UPDATE view_cursor")),
    },
    "kafka": {
        "commit": "the database's, of which the broker knows nothing",
        "acknowledgement": Sight("relay", PRODUCE),
        "cursor": "stands in the database, not in Kafka",
    },
}
# For how long everybody here waits for a database, an append included. Until all moments stand still
# the first of them has been held up for a while, and must not be given up before the strike.
PATIENCE_SECONDS = 10.0
# Longer than that, and than the broker's clients wait for an answer.
PAUSE_SECONDS = 12.0


class Server:
    """A server of the test's own, that can be struck."""

    def __init__(self, name: Name, state: State) -> None:
        self._table = ProcessTable(state)
        self._name = name
        self._server: PostgresServer | KafkaServer = (
            PostgresServer(state)
            if name == "postgres"
            else KafkaServer(state, usual_port=choose(None))
        )

    def start(self) -> str:
        return self._server.start(tied=True)

    def stop(self) -> None:
        self._server.stop()

    def signal(self, number: signal.Signals) -> list[psutil.Process]:
        """Send it to the server's processes, the first one first; gives them."""
        record = self._table.find(self._name)
        assert record is not None
        first = psutil.Process(record.pid)
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            os.kill(process.pid, number)
        return processes


@contextmanager
def a_server(name: Name) -> Iterator[Server]:
    # pytest's own folders are closed to the user that the database runs as
    folder = CHECKOUT / ".yk" / "test" / f"struck-{uuid4().hex[:8]}"
    server = Server(name, State(folder))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("turn", turns())
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", get_args(Name))
async def test_nothing_is_lost_doubled_or_swapped(
    *, name: Name, fault: Fault, turn: int, servers: Servers, tmp_path: Path, seed: int
) -> None:
    with a_server(name) as server:
        address = await asyncio.to_thread(server.start)
        databases = Databases(address if name == "postgres" else servers.postgres_dsn)
        bootstrap = address if name == "kafka" else servers.kafka_bootstrap
        sights = [sight for sight in MATRIX[name].values() if isinstance(sight, Sight)]
        try:
            async with AsyncExitStack() as stack:
                held = [
                    await _set(
                        await a_stage(databases, bootstrap=bootstrap, folder=tmp_path, seed=seed),
                        sight,
                        in_turn(FAULTS.index(fault), number, turn),
                        stack,
                    )
                    for number, sight in enumerate(sights)
                ]
                await asyncio.gather(*(one.way.reached() for one in held))
                await _strike(server, fault)
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


async def _set(empty: Stage, sight: Sight, when: When, stack: AsyncExitStack) -> Held:
    reader: Kind = sight.of if sight.of in READERS else "projector"
    stage = replace(empty, readers=frozenset({reader}), patience_seconds=PATIENCE_SECONDS)
    part = stage.part(sight.of)
    to_database, dsn = await stack.enter_async_context(to_postgres(part.dsn))
    to_broker, bootstrap = await stack.enter_async_context(to_kafka(part.bootstrap))
    over = {sight.of: stage.part(sight.of, name="seen", dsn=dsn, bootstrap=bootstrap)}
    nth = Random(f"{stage.seed}/{sight}/{when}").randint(1, _LATEST_SIGHT)  # noqa: S311 - to be repeated
    way = to_broker if sight.marks == PRODUCE else to_database
    way.stop_at(Moment(sight.marks, when, nth))
    await stack.enter_async_context(bystanders(stage, kinds={"relay", *stage.readers}, over=over))
    calling = await stack.enter_async_context(AsyncExitStack())
    await calling.enter_async_context(bystanders(stage, kinds={"caller"}, over=over))
    return Held(stage, way, calling)


async def _strike(server: Server, fault: Fault) -> None:
    """Do it, and bring the server back."""
    match fault:
        case "kill":
            # one that is dying still counts as running, and is not started
            await asyncio.to_thread(psutil.wait_procs, server.signal(signal.SIGKILL))
            await asyncio.to_thread(server.start)
        case "restart":
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
        case "pause":
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(PAUSE_SECONDS)
            server.signal(signal.SIGCONT)
