"""The project's Python files, parsed."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cli.state import CHECKOUT

PROGRAM = ("cli", "libs", "services")
EVERYTHING = (*PROGRAM, "benchmarks", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Python file; `path` counts from the checkout."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        return self.path.parent.as_posix()

    def at(self, node: ast.AST) -> str:
        """The place of a node, as an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def sources(folders: Iterable[str]) -> Iterator[Source]:
    """All Python files below the folders."""
    for folder in folders:
        yield from _sources_below(folder)


@cache
def _sources_below(folder: str) -> tuple[Source, ...]:
    """The files as they are when the tests run; each is parsed once for all rules."""
    files = sorted((CHECKOUT / folder).rglob("*.py"))
    return tuple(
        Source(path=file.relative_to(CHECKOUT), text=text, tree=ast.parse(text))
        for file in files
        for text in (file.read_text(encoding="utf-8"),)
    )


def parsed(text: str, *, path: str = "services/billing/domain/x.py") -> Source:
    """A file that is not there, to show that a rule finds what it forbids."""
    return Source(path=Path(path), text=text, tree=ast.parse(text))
