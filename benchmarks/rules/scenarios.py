"""How many scenarios a second one core plays offline, and where the time goes."""

import asyncio
import cProfile
import heapq
import pstats
import time
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.measure import Part, Target
from cli.play.offline import TERMS, Installation, play_offline, read_book
from cli.play.scenario import Scenario
from libs.dates.clock import SystemClock
from libs.events.envelope import Cause, Event
from libs.events.log import StreamAppend
from libs.events.memory import MemoryLog

MOST_SECONDS_FOR_A_THOUSAND = 2.0
_SHOWN = 12
_MOST_EVENTS = 10_000

Cases = Mapping[str, Sequence[Scenario]]
"""Scenarios by service."""

_Append = tuple[str, UUID, list[Event]]
"""The context of a log, a stream of it, and the stream's events."""


def play_scenarios(cases: Cases, *, seconds: float) -> Part:
    """Play all cases round after round for about `seconds`, each service by itself.

    Of this process's time the least of the rounds counts, once everything is read and loaded: what
    else the machine does only ever adds. In turns with the plays, the events that came of them are
    appended to logs in memory with nothing decided or computed: no play can cost less.
    """
    share = seconds / len(cases)
    rows: list[tuple[str | int | float, ...]] = []
    played = plays = appends = 0.0
    for service, scenarios in sorted(cases.items()):
        bare = asyncio.run(_appends_of(scenarios))
        play, append = _least(scenarios, bare=bare, seconds=share)
        rows.append((service, len(scenarios), *_each(play, append, many=len(scenarios))))
        played, appends, plays = played + play, appends + append, plays + len(scenarios)
    rows.append(("all", int(plays), *_each(played, appends, many=int(plays))))
    return Part(
        name="scenarios",
        title="Scenarios played offline in one process",
        notes=("processor time, start-up left out; the golden cases of each service in turn",),
        columns=("service", "cases", "ms each", "a second", "times appending alone"),
        rows=tuple(rows),
        targets=(
            Target(
                what="seconds for a thousand scenarios, all services in their shares",
                measured=played / plays * 1000,
                bound="at most",
                limit=MOST_SECONDS_FOR_A_THOUSAND,
            ),
        ),
    )


def _each(play: float, append: float, *, many: int) -> tuple[float, float, float]:
    """Milliseconds a play, plays a second, and how often appending its events alone."""
    return play / many * 1000, many / play, play / append


def profile_scenarios(cases: Cases) -> Part:
    """Where the time of plays goes: each module's own time, its built-in calls counted in."""
    scenarios = [scenario for group in cases.values() for scenario in group]
    asyncio.run(_play(scenarios))
    profile = cProfile.Profile()
    profile.enable()
    asyncio.run(_play(scenarios))
    profile.disable()
    own = _own_time(pstats.Stats(profile))
    whole = sum(own.values())
    return Part(
        name="profile",
        title="Where the time of a play goes",
        notes=("own time by module, under the profiler, which makes calls dearer than they are",),
        columns=("module", "share"),
        rows=tuple(
            (name, f"{share / whole:.1%}")
            for name, share in heapq.nlargest(_SHOWN, own.items(), key=itemgetter(1))
        ),
        targets=(),
    )


def _least(
    scenarios: Sequence[Scenario], *, bare: Sequence[_Append], seconds: float
) -> tuple[float, float]:
    """The least processor time of a round: of playing all, and of appending their events."""
    plays: list[float] = []
    appends: list[float] = []
    while sum(plays) < seconds or not plays:
        plays.append(_timed(_play(scenarios)))
        appends.append(_timed(_append(bare)))
    return min(plays), min(appends)


def _timed(work: Coroutine[Any, Any, None]) -> float:
    before = time.process_time()
    asyncio.run(work)
    return time.process_time() - before


async def _appends_of(scenarios: Sequence[Scenario]) -> list[_Append]:
    """What the plays append, stream by stream."""
    found: list[_Append] = []
    for scenario in scenarios:
        played = Installation(scenario, read_book(scenario.service, folder=TERMS))
        await played.play()
        for log in (played.case.contracts, played.case.sites, played.case.billing.log):
            streams: dict[UUID, list[Event]] = {}
            for recorded in await log.read(0, limit=_MOST_EVENTS):
                streams.setdefault(recorded.envelope.stream_id, []).append(recorded.event)
            found += [(log.context, stream, events) for stream, events in streams.items()]
    return found


async def _append(bare: Sequence[_Append]) -> None:
    cause = Cause(correlation_id=UUID(int=1), actor="benchmark")
    for context, stream_id, events in bare:
        log = MemoryLog(context, clock=SystemClock())
        for version, event in enumerate(events):
            append = StreamAppend(stream_id=stream_id, events=(event,), expected=version)
            await log.append(append, cause=cause)


async def _play(scenarios: Sequence[Scenario]) -> None:
    for scenario in scenarios:
        await play_offline(scenario)


def _own_time(stats: pstats.Stats) -> defaultdict[str, float]:
    """Seconds by module; what is built in counts where it was called from."""
    own: defaultdict[str, float] = defaultdict(float)
    found: dict[
        tuple[str, int, str],
        tuple[int, int, float, float, dict[tuple[str, int, str], tuple[int, int, float, float]]],
    ] = stats.stats  # type: ignore[attr-defined] # not in the stubs
    for (file, _, _), (_, _, seconds, _, callers) in found.items():
        if file != "~":
            own[_module(file)] += seconds
            continue
        for (calling, _, _), (_, _, part, _) in callers.items():
            own[_module(calling)] += part
    return own


def _module(file: str) -> str:
    """The file as it is named in the project, or the package it belongs to."""
    path = Path(file)
    here = Path(__file__).parents[2]
    if path.is_relative_to(here) and "site-packages" not in path.parts:
        return path.relative_to(here).as_posix()
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1]
    return f"Python: {path.name}"
