"""What callers were answered, on disk before the caller does anything else."""

import os
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

Outcome = Literal["acknowledged", "refused"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command and its answer.

    `correlation` is the command's alone, so it finds the command's events. `makes` is the type of
    the event that an acknowledged command makes. `position` and `version` are as answered, of the
    log and of the stream. `contest` names commands of which exactly one may be acknowledged: given
    at once on one version.
    """

    context: str
    operation: str
    correlation: str
    key: str
    makes: str
    outcome: Outcome
    status: int
    attempts: int
    at_seconds: float
    position: int | None = None
    version: int | None = None
    stream_id: str | None = None
    replayed: bool = False
    code: str | None = None
    contest: str | None = None


class Journal:
    """A file to which answers are added, each flushed to the disk before `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self.entries: list[Entry] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def add(self, entry: Entry) -> None:
        """Keep an answer."""
        os.write(self._file, msgspec.json.encode(entry) + b"\n")
        os.fsync(self._file)
        self.entries.append(entry)


def read_journal(path: Path) -> tuple[Entry, ...]:
    """All entries of a journal."""
    lines = path.read_bytes().splitlines()
    return tuple(msgspec.json.decode(line, type=Entry) for line in lines)
