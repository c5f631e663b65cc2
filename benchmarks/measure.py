"""The arithmetic of benchmarks: ratios of pairs taken in turns, and how long callers waited.

What else a machine does disturbs both of a pair alike, so a ratio is taken pair by pair, and of the
ratios the middle one counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from typing_extensions import override

Bound = Literal["at least", "at most"]
Cell = str | int | float


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The middle one of our values over theirs, pair by pair; raises ValueError without a pair."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    if not ratios:
        raise ValueError("there is no pair to compare")
    return median(ratios)


def percentile(values: Sequence[float], *, percent: float) -> float:
    """The smallest value that at least so many percent do not exceed; 100 is the largest."""
    if not values:
        raise ValueError("there is no value")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def thinned(values: Sequence[float], *, most: int) -> list[float]:
    """At most so many of the values, spread evenly over their order, the largest among them."""
    ordered = sorted(values)
    if len(ordered) <= most:
        return ordered
    return [ordered[(number + 1) * len(ordered) // most - 1] for number in range(most)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was to be reached, and what was measured."""

    what: str
    measured: float
    bound: Bound
    limit: float

    @property
    def met(self) -> bool:
        """Whether it was reached; exactly at the limit counts."""
        if self.bound == "at least":
            return self.measured >= self.limit
        return self.measured <= self.limit

    @override
    def __str__(self) -> str:
        """In words, as it is printed."""
        word = "reached" if self.met else "MISSED"
        return f"{word}: {self.what}: {self.measured:.3g}, {self.bound} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part of a benchmark found: notes on how, a table, and the targets held to."""

    name: str
    title: str
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    targets: tuple[Target, ...]
    seconds: float = 0.0
