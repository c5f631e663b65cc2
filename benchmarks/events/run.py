"""`./yk bench events`: its parts, one after the other."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib import import_module

from benchmarks.measure import Part

PARTS = ("append", "relay", "consume", "effect", "replay", "growth")

Measure = Callable[..., Awaitable[Part]]


async def run(only: Sequence[str], *, quick: bool, told: Callable[[Part], None]) -> list[Part]:
    """Measure the parts named, in their order, all when none is; tells of each when it is done."""
    found = []
    for name in PARTS:
        if only and name not in only:
            continue
        measure: Measure = import_module(f"benchmarks.events.{name}").measure
        began = time.perf_counter()
        part = replace(await measure(quick=quick), seconds=time.perf_counter() - began)
        told(part)
        found.append(part)
    return found
