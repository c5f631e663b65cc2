"""Why a clause has the effect it has: its meaning, its reading, and where it is carried out."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.catalogue import Clause, ClauseId, parts_of
from cli.citations import Citations

_WIDTH = 100
_ROW = re.compile(r"^\| (R\d+) \|")


def explanation(
    clause: Clause, *, citations: Citations, catalogue: Mapping[ClauseId, Clause], root: Path
) -> Iterator[str]:
    """Give the lines that explain a clause: rule, reading, functions, terms, tests, cases."""
    kind = "" if clause.executable else " (text, nothing to carry out)"
    yield f"{clause.id} · {clause.title}"
    yield f"{clause.where} · terms/clauses/{clause.terms}.yaml"
    yield f"\n{clause.rule}\n"
    yield f"owner  {clause.context}{kind}"
    yield from _listed("reading", list(_readings(clause, root=root)))
    for label, places in (
        ("code", citations.code),
        ("named", citations.mentions),
        ("terms", citations.terms),
        ("tests", citations.tests),
        ("cases", citations.cases),
    ):
        found = [
            citation.place()
            for citation in places
            if clause in parts_of(citation.id, catalogue=catalogue)
        ]
        yield f"{label:<6} " + ("\n       ".join(dict.fromkeys(found)) or "-")
    yield ""


def _readings(clause: Clause, *, root: Path) -> Iterator[str]:
    """Give what was chosen where the text is open: in the catalogue, and in the list of readings."""
    if clause.reading:
        yield clause.reading
    for line in (root / "terms" / "readings.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if _ROW.match(line) and clause.id in re.split(r"[,\s]+", cells[2]):
            question = cells[1] if cells[1].endswith("?") else f"{cells[1]}:"
            yield f"{cells[0]} {question} {cells[3]}"


def _listed(label: str, texts: list[str]) -> Iterator[str]:
    if not texts:
        return
    yield label
    for text in texts:
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent="       · ", subsequent_indent="         "
        )
