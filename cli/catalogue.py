"""The clause catalogue: what each clause of the terms means, and which context owns it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NewType

import yaml

ClauseId = NewType("ClauseId", str)

Stamped = tuple[Path, int]
"""A file, and when it was last changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of the catalogue; `terms` is the catalogue file it stands in.

    `reading` says which reading was chosen where the text is open; empty where it is not.
    """

    id: ClauseId
    terms: str
    context: str
    title: str
    rule: str
    where: str
    executable: bool
    reading: str = ""


def read_catalogue(root: Path) -> dict[ClauseId, Clause]:
    """Read all catalogue files of the checkout, in the order of the documents.

    Raises ValueError when two clauses have one id.
    """
    return clauses_of(root / "terms")


def clauses_of(folder: Path) -> dict[ClauseId, Clause]:
    """Read all catalogue files beside a folder of terms. Raises ValueError as `read_catalogue`."""
    return dict(_read(stamped((folder / "clauses").glob("*.yaml"))))


def stamped(paths: Iterable[Path]) -> tuple[Stamped, ...]:
    """The files in order, each with the time of its last change: what was read of them holds."""
    return tuple((path, path.stat().st_mtime_ns) for path in sorted(paths))


@lru_cache(maxsize=8)
def _read(files: tuple[Stamped, ...]) -> Mapping[ClauseId, Clause]:
    found: dict[ClauseId, Clause] = {}
    for path, _ in files:
        document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        for entry in document["clauses"]:
            clause = Clause(
                id=ClauseId(entry["id"]),
                terms=path.stem,
                context=entry["context"],
                title=entry["title"],
                rule=" ".join(str(entry["rule"]).split()),
                where=entry["where"],
                executable=entry["executable"],
                reading=" ".join(str(entry.get("ambiguity") or "").split()),
            )
            if clause.id in found:
                message = f"{path.name}: {clause.id} stands in the catalogue twice"
                raise ValueError(message)
            found[clause.id] = clause
    return found


def parts_of(paragraph: str, *, catalogue: Mapping[ClauseId, Clause]) -> tuple[Clause, ...]:
    """Give the clause of this id, or the clauses into which the catalogue splits the paragraph.

    NSEC-14.5 has the parts NSEC-14.5a to NSEC-14.5c; NSEC-14.10 is no part of NSEC-14.1.
    """
    if whole := catalogue.get(ClauseId(paragraph)):
        return (whole,)
    part = re.compile(re.escape(paragraph) + r"(?:\.|(?<=[0-9])[a-z])")
    return tuple(clause for clause in catalogue.values() if part.match(clause.id))
