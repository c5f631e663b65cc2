"""Rounds of all checks: told as they go, kept so that a broken-off run can be gone on with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from libs.events.reconcile import Check, Drift, Place, Round, go_on

_LIMIT = 2_000


class Kept(BaseModel):
    """How far a check came before the run was broken off; without a place it was done."""

    looked: int
    drift: tuple[Drift, ...]
    place: Place | None


class Progress(BaseModel):
    """How far a run has come, by service and check."""

    checks: dict[str, Kept] = {}


class Told(NamedTuple):
    """A round of a service's check that has ended."""

    service: str
    round: Round


class Notebook:
    """Where progress is kept: a file, written after each piece and removed at the end."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        there = resume and path.is_file()
        self._progress = Progress.model_validate_json(path.read_bytes()) if there else Progress()

    def of(self, name: str) -> Kept:
        """How far a check has come."""
        return self._progress.checks.get(name, Kept(looked=0, drift=(), place={}))

    def note(self, name: str, kept: Kept) -> None:
        """Keep how far a check has come."""
        self._progress.checks[name] = kept
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self._progress.model_dump_json())

    def done(self) -> None:
        """All was looked at."""
        self._path.unlink(missing_ok=True)


async def round_of(
    service: str,
    check: Check,
    *,
    notebook: Notebook,
    told: Callable[[str, int], None],
    limit: int = _LIMIT,
) -> Told:
    """Look at everything of a check, from where the notebook says; `told` hears how much."""
    name = f"{service} {check.name}"
    kept = notebook.of(name)
    so_far = Round(check.name, kept.looked, kept.drift)
    if kept.place is None:
        return Told(service, so_far)

    def piece(place: Place, found: Round) -> None:
        notebook.note(name, Kept(looked=found.looked, drift=found.drift, place=place))
        told(name, found.looked)

    ended = await go_on(check, kept.place, so_far, limit=limit, told=piece)
    notebook.note(name, Kept(looked=ended.looked, drift=ended.drift, place=None))
    return Told(service, ended)


def line(told: Told) -> str:
    """A round in one line."""
    count = len(told.round.drift)
    outcome = "agree" if not count else f"DRIFT in {count} place{'s' if count > 1 else ''}"
    return f"{told.service:<14} {told.round.check:<34} {told.round.looked:>9,} looked at: {outcome}"


def lines(rounds: Sequence[Told]) -> list[str]:
    """What does not agree, in words."""
    return [
        f"{told.service}: {drift.check}: {drift.words}"
        for told in rounds
        for drift in told.round.drift
    ]
