"""Callers that append from several tasks at once, and write down what they asked and were told."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

from libs.events.envelope import Cause
from libs.events.log import LogUnavailable, OutcomeUnknown, StreamAppend
from libs.events.refusals import Stale
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import ServiceStarted
from tests.support.counter import Call

_NAMES = UUID("2f0b5d7e-6d0f-4f5e-9a55-0c7f1e2d3b4a")
_STREAMS = 12
_CALLERS = 4
_MOST_EVENTS = 4
_OFTEN_SECONDS = 0.02


class Notes:
    """A file of calls; what was written stands there though its process is killed at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, call: Call) -> None:
        os.write(self._descriptor, call.line())


@contextmanager
def notes_in(file: Path) -> Iterator[Notes]:
    """Notes at the end of a file, which other processes write to as well."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield Notes(descriptor)
    finally:
        os.close(descriptor)


async def keep_calling(
    log: PostgresLog,
    stop: asyncio.Event,
    *,
    name: str,
    seed: int,
    file: Path,
    every_seconds: float = _OFTEN_SECONDS,
) -> None:
    """Append from four callers at once until told to stop.

    They fight for a few streams, among themselves (so within one batch) and with other processes;
    now and then one comes with a version that is surely old.
    """
    with notes_in(file) as notes:
        callers = [
            _Caller(f"{name}/{number}", log=log, seed=seed, notes=notes)
            for number in range(_CALLERS)
        ]
        while not stop.is_set():
            await asyncio.gather(*(caller.call() for caller in callers))
            await asyncio.sleep(every_seconds)


class _Caller:
    def __init__(self, name: str, *, log: PostgresLog, seed: int, notes: Notes) -> None:
        self._name = name
        self._log = log
        self._random = Random(f"{seed}/{name}")  # noqa: S311 - to be repeated, not to be secret
        self._notes = notes
        self._turn = 0

    async def call(self) -> None:
        self._turn += 1
        name = f"{self._name}/{self._turn}"
        count = self._random.choice((1, 1, 2))
        streams = [
            uuid5(_NAMES, str(number)) for number in self._random.sample(range(_STREAMS), k=count)
        ]
        try:
            wishes = [await self._wish(stream) for stream in streams]
        except LogUnavailable:
            return
        events = tuple(
            (wish.stream_id, wish.expected + number)
            for wish in wishes
            for number in range(1, len(wish.events) + 1)
        )
        self._notes.write(Call(name, "asked", events))
        try:
            await self._log.append(*wishes, cause=Cause(correlation_id=streams[0], actor=name))
        except OutcomeUnknown:
            return
        except (Stale, LogUnavailable):
            self._notes.write(Call(name, "refused"))
            return
        self._notes.write(Call(name, "acknowledged"))

    async def _wish(self, stream: UUID) -> StreamAppend:
        version = len(await self._log.load(stream))
        old = version > 0 and self._random.random() < 0.1
        events = [
            ServiceStarted(contract_id=stream, started_on=date(2026, 1, 1) + timedelta(days=number))
            for number in range(self._random.randint(1, _MOST_EVENTS))
        ]
        return StreamAppend(
            stream_id=stream, events=events, expected=version - 1 if old else version
        )
