"""What each clause of the terms says, from the catalogue in `terms/clauses/`."""

from functools import cache
from pathlib import Path

import yaml

from services.billing.domain.explanation import ClauseText


@cache
def clause_texts(folder: Path) -> dict[str, ClauseText]:
    """Every clause of the catalogue by id; read once, for it is large."""
    found: dict[str, ClauseText] = {}
    for path in sorted((folder / "clauses").glob("*.yaml")):
        document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        for entry in document["clauses"]:
            found[entry["id"]] = ClauseText(
                id=entry["id"],
                where=entry["where"],
                title=entry["title"],
                rule=" ".join(str(entry["rule"]).split()),
            )
    return found
