"""`./yk reconcile` tells rounds in words, and goes on where it was broken off."""

from pathlib import Path

import pytest

from cli.reconcile.rounds import Notebook, Told, line, lines, round_of
from libs.events.reconcile import Check, Drift, Looked, Place, Round, look_twice

DRIFT = Drift(
    check="counting",
    place="number 3",
    what="3 is missing",
    since="2026-04-01T00:00:00+09:00",
    advice="Count again",
)


class Counting:
    """Counts to nine, three at a look; at a number it may be broken off."""

    name = "counting"

    def __init__(self, *, breaks_at: int | None = None) -> None:
        self.breaks_at = breaks_at
        self.began_at: list[int] = []

    async def look(self, place: Place, *, limit: int) -> Looked:
        after: int = place.get("after", 0)
        if after == self.breaks_at:
            raise KeyboardInterrupt
        self.began_at.append(after)
        end = after + min(limit, 3)
        found = [DRIFT] if after == 0 else []
        return Looked(found, 3, {"after": end} if end < 9 else None)


def silent(name: str, looked: int) -> None:
    assert (name, looked > 0) == ("billing counting", True)


async def told(check: Check, notebook: Notebook) -> Told:
    return await round_of("billing", check, notebook=notebook, told=silent)


async def test_a_run_that_was_broken_off_goes_on_with_what_it_had_found(tmp_path: Path) -> None:
    path = tmp_path / "reconcile.json"
    first = Counting(breaks_at=6)
    with pytest.raises(KeyboardInterrupt):
        await told(first, Notebook(path, resume=False))
    second = Counting()
    found = await told(second, Notebook(path, resume=True))
    assert second.began_at == [6]
    assert (found.round.looked, found.round.drift) == (9, (DRIFT,))
    again = Counting()
    assert await told(again, Notebook(path, resume=True)) == found
    assert again.began_at == []
    anew = Counting()
    assert await told(anew, Notebook(path, resume=False)) == found
    assert anew.began_at == [0, 0, 3, 6], "where something is found it is looked at twice"


def test_a_round_is_a_line_and_what_is_found_a_sentence() -> None:
    clean = Told("billing", Round("documents", 1_467, ()))
    assert line(clean).split() == ["billing", "documents", "1,467", "looked", "at:", "agree"]
    assert lines([clean]) == []
    drifting = Told("billing", Round("counting", 9, (DRIFT,)))
    assert line(drifting).endswith("DRIFT in 1 place")
    assert lines([drifting]) == [
        "billing: counting: number 3: 3 is missing (since 2026-04-01T00:00:00+09:00). Count again"
    ]


class Passing:
    """Finds something the first time, and something else the second."""

    name = "passing"

    def __init__(self) -> None:
        self.looks = 0

    async def look(self, place: Place, *, limit: int) -> Looked:
        assert (place, limit) == ({}, 5)
        self.looks += 1
        return Looked([DRIFT.model_copy(update={"what": f"look {self.looks}"})], 1, None)


async def test_what_is_not_found_twice_is_not_told() -> None:
    passing = Passing()
    assert (await look_twice(passing, {}, limit=5)).drift == []
    assert passing.looks == 2
