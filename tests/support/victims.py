"""Processes of their own that tests pause and kill: callers, a relay, readers, a view.

They are forked from one process that has everything imported, so that starting one takes no time.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Literal

from libs.dates.clock import SystemClock
from libs.events.consumer import Consumer
from libs.events.database import Connection, Pool, open_pool
from libs.events.envelope import Event, Recorded
from libs.events.follow import Follower
from libs.events.keys import MemoryKeys
from libs.events.projector import Projector
from libs.events.reaction import Effect, Reaction
from libs.events.reactor import Reactor
from libs.events.relay import Relay
from libs.events.store import PostgresLog
from libs.events.vocabulary.billing import PaymentReversed
from libs.events.vocabulary.contracts import ServiceStarted
from libs.process.running import Run, until_stopped
from tests.support.callers import keep_calling
from tests.support.way import take_notes

Kind = Literal["caller", "relay", "projector", "slow projector", "reactor", "follower"]

_CONTEXT = multiprocessing.get_context("forkserver")
_EFFECT_SECONDS = 0.02
_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a process does, and with what.

    `dsn` is the database of the log for a caller, a relay and a follower, and the reader's own for
    the others. `calls` is where a caller writes down what it was told, by `name`.
    """

    kind: Kind
    dsn: str
    bootstrap: str
    topic: str
    name: str = ""
    seed: int = 0
    calls: Path = Path("/dev/null")
    lease_seconds: float = 20.0
    transaction_seconds: float = 60.0
    patience_seconds: float = 30.0
    every_seconds: float = 0.02


class Victim:
    """A running process."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self._process.is_alive() and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it where it stands."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Its exit code, when it has ended; negative for the signal that ended it."""
        while self._process.is_alive():  # noqa: ASYNC110 - the system tells by looking
            await asyncio.sleep(_LOOK_SECONDS)
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode


@asynccontextmanager
async def a_process(part: Part) -> AsyncIterator[Victim]:
    """Such a process; it is killed at the end at the latest."""
    _CONTEXT.set_forkserver_preload([__name__])
    process = _CONTEXT.Process(target=_play, args=(part,), daemon=True)
    process.start()
    victim = Victim(process)
    try:
        yield victim
    finally:
        victim.kill()
        await victim.wait()


def _play(part: Part) -> None:
    asyncio.run(_main(part))


async def _main(part: Part) -> None:
    if part.kind == "relay":
        relay = Relay(
            dsn=part.dsn,
            bootstrap=part.bootstrap,
            topic=part.topic,
            lease_seconds=part.lease_seconds,
        )
        await until_stopped(relay.run)
        return
    async with open_pool(
        part.dsn, min_size=0, max_size=4, transaction_seconds=part.transaction_seconds
    ) as pool:
        if part.kind in {"projector", "slow projector"}:
            effect = take_notes if part.kind == "projector" else _slow_notes
            await until_stopped(a_projector(part, pool=pool, effect=effect).run)
            return
        context = "billing" if part.kind == "reactor" else "contracts"
        async with await PostgresLog.open(
            pool, context=context, keys=MemoryKeys(), clock=SystemClock()
        ) as log:
            await until_stopped(with_log(part, pool=pool, log=log))


def with_log(part: Part, *, pool: Pool, log: PostgresLog) -> Run:
    """What a process does that has a log open."""
    if part.kind == "reactor":
        return a_reactor(part, pool=pool, log=log).run
    if part.kind == "follower":
        return Follower("notes", log=log, pool=pool, effect=take_notes).run

    async def call(stop: asyncio.Event) -> None:
        await keep_calling(
            log,
            stop,
            name=part.name,
            seed=part.seed,
            file=part.calls,
            every_seconds=part.every_seconds,
        )

    return call


def a_projector(part: Part, *, pool: Pool, effect: Effect = take_notes) -> Consumer:
    """A reader that notes every event."""
    notes = Projector("notes", effect=effect, pool=pool, keys=MemoryKeys())
    return Consumer(
        notes,
        topics=[part.topic],
        group=f"{part.topic}-notes",
        bootstrap=part.bootstrap,
        pool=pool,
    )


def a_reactor(part: Part, *, pool: Pool, log: PostgresLog) -> Consumer:
    """A reader that answers every event with one of its own log."""
    reactor = Reactor("answers", react=_answer, log=log, pool=pool, keys=MemoryKeys())
    return Consumer(
        reactor,
        topics=[part.topic],
        group=f"{part.topic}-answers",
        bootstrap=part.bootstrap,
        pool=pool,
    )


def _answer(event: Recorded[Event]) -> Sequence[Reaction]:
    started = event.event
    assert isinstance(started, ServiceStarted)
    answer = PaymentReversed(
        account_id=started.contract_id,
        payment_id=event.envelope.event_id,
        reversed_on=started.started_on,
        reason=str(event.envelope.version),
    )
    return [Reaction(stream_id=event.envelope.stream_id, decision=lambda _: [answer])]


async def _slow_notes(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
    """Notes with time enough between two for a signal to come in the middle of a batch."""
    for event in batch:
        await take_notes(connection, [event])
        await asyncio.sleep(_EFFECT_SECONDS)
