"""Reconciling: what must agree, looked at piece by piece, and what does not, told in words.

A check looks at one piece at a time, each in a snapshot of its own, so a round of any size takes
little memory, can be broken off and gone on with, and disturbs nobody. What only has not arrived
yet is no drift: a check compares up to where both sides have come. What a check finds is looked
at a second time before it is told, in another snapshot, as some effects see a little ahead.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

Place = dict[str, Any]
"""Where a check goes on, as JSON; an empty one is the beginning."""


class Drift(BaseModel):
    """What does not agree: where, in words; since when as far as that is known; what to do."""

    model_config = ConfigDict(frozen=True)

    check: str
    place: str
    what: str
    since: str | None = None
    advice: str

    @property
    def words(self) -> str:
        """All of it in one line."""
        since = "" if self.since is None else f" (since {self.since})"
        return f"{self.place}: {self.what}{since}. {self.advice}"


class Looked(NamedTuple):
    """What a look found, over how many things, and where the next goes on (None: at the end)."""

    drift: Sequence[Drift]
    looked: int
    next: Place | None


class Check(Protocol):
    """One thing that must agree."""

    @property
    def name(self) -> str:
        """The name under which its place and its findings are kept."""
        ...

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at about `limit` things from `place` on; raises the weather."""
        ...


async def look_twice(check: Check, place: Place, *, limit: int) -> Looked:
    """Look, and where something is found look again: what is there both times is told."""
    first = await check.look(place, limit=limit)
    if not first.drift:
        return first
    second = await check.look(place, limit=limit)
    seen = {(found.place, found.what) for found in first.drift}
    return second._replace(
        drift=[found for found in second.drift if (found.place, found.what) in seen]
    )


class Round(NamedTuple):
    """A whole round of a check."""

    check: str
    looked: int
    drift: tuple[Drift, ...]


async def whole_round(
    check: Check, *, limit: int, told: Callable[[Place, Round], None] | None = None
) -> Round:
    """Look at everything once; `told` hears of each piece, so that it can be gone on with."""
    return await go_on(check, {}, Round(check.name, 0, ()), limit=limit, told=told)


async def go_on(
    check: Check,
    place: Place,
    so_far: Round,
    *,
    limit: int,
    told: Callable[[Place, Round], None] | None = None,
) -> Round:
    """Go on with a round from `place` to its end."""
    at: Place | None = place
    while at is not None:
        looked = await look_twice(check, at, limit=limit)
        so_far = Round(check.name, so_far.looked + looked.looked, (*so_far.drift, *looked.drift))
        at = looked.next
        if told is not None and at is not None:
            told(at, so_far)
    return so_far
