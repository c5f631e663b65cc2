"""What is wrong with a file of terms: the file, the line and the reason, as an editor opens it."""

import difflib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from typing_extensions import override

Place: TypeAlias = tuple[Hashable, ...]
"""Keys and indexes on the way to an entry."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in a file of terms, told as `file:line: reason`."""

    path: Path
    line: int
    reason: str

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class WrongTerms(ValueError):
    """Files of terms cannot be right; says every fault that was found, one a line."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults

    @property
    def path(self) -> Path:
        """The file of the first fault."""
        return self.faults[0].path

    @property
    def line(self) -> int:
        """The line of the first fault."""
        return self.faults[0].line

    @property
    def reason(self) -> str:
        """The reason of the first fault."""
        return self.faults[0].reason


class WrongEntry(ValueError):
    """What a section says cannot be right: the reason, and the place of the entry below it.

    `naming` is a value under that place; the line is that of its first mention there.
    """

    def __init__(self, reason: str, *, at: Place = (), naming: str | None = None) -> None:
        super().__init__(reason)
        self.at = at
        self.naming = naming


def near(name: str, known: Iterable[str]) -> str:
    """Give `, did you mean x?` where a known name looks like this one, else nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f", did you mean {found[0]}?" if found else ""


def refuse(faults: Iterable[Fault]) -> None:
    """Raise WrongTerms with these faults, each once, by file and line; nothing where there is none."""
    told = sorted(set(faults))
    if told:
        raise WrongTerms(*told)
