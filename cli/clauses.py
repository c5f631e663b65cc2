"""How much of the clause catalogue is carried out and tested, and the floor it may not go below."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.catalogue import Clause, ClauseId
from cli.citations import Citations

FLOOR = Path("terms/coverage.json")


@dataclass(slots=True)
class Count:
    """Executable clauses of a group, and those of them that are covered."""

    executable: int = 0
    covered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the catalogue is carried out and tested."""

    by_context: dict[str, Count]
    by_terms: dict[str, Count]
    uncovered: list[ClauseId]
    unknown: list[ClauseId]


def coverage(catalogue: Mapping[ClauseId, Clause], *, citations: Citations) -> Coverage:
    """Count the executable clauses that are both carried out and tested."""
    carried_out = {each.id for each in (*citations.code, *citations.terms)}
    covered = carried_out & {each.id for each in citations.tests}
    executable = [clause for clause in catalogue.values() if clause.executable]
    by_context: dict[str, Count] = defaultdict(Count)
    by_terms: dict[str, Count] = defaultdict(Count)
    for clause in executable:
        for count in (by_context[clause.context], by_terms[clause.terms]):
            count.executable += 1
            count.covered += clause.id in covered
    return Coverage(
        by_context=dict(by_context),
        by_terms=dict(by_terms),
        uncovered=[clause.id for clause in executable if clause.id not in covered],
        unknown=sorted({each.id for each in citations.unknown(catalogue)}),
    )


def read_floor(root: Path) -> dict[str, int]:
    """Read how many clauses of each context were covered when last recorded; none, if never."""
    path = root / FLOOR
    if not path.exists():
        return {}
    floor: dict[str, int] = json.loads(path.read_text("utf-8"))
    return floor


def below_floor(reached: Coverage, *, floor: Mapping[str, int]) -> dict[str, int]:
    """Give, by context, how many covered clauses are missing to the recorded floor."""
    missing = {
        context: least - reached.by_context.get(context, Count()).covered
        for context, least in floor.items()
    }
    return {context: count for context, count in missing.items() if count > 0}


def record_floor(root: Path, *, reached: Coverage) -> dict[str, int]:
    """Raise the recorded floor to what is reached, context by context; it is never lowered."""
    floor = read_floor(root)
    raised = {
        context: max(count.covered, floor.get(context, 0))
        for context, count in sorted(reached.by_context.items())
    }
    (root / FLOOR).write_text(json.dumps(raised, indent=2) + "\n", "utf-8")
    return raised
