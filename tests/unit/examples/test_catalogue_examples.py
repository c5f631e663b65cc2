"""The worked examples of the clause catalogue, computed by the code that carries the clauses out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cli.catalogue import read_catalogue
from cli.citations import read_citations
from tests.unit.examples import (  # noqa: F401 - they register what computes
    nqms,
    nsec_charges,
    nsec_contracts,
    played,
    west,
    west_contracts,
)
from tests.unit.examples.computing import COMPUTED, as_written

CHECKOUT = Path(__file__).parents[3]
UNEXPRESSED = Path(__file__).with_name("unexpressed")
"""By clause and place (from 1), why an example is not computed."""


class Example(NamedTuple):
    """A worked example and its place among those of its clause, from 1."""

    clause: str
    place: int
    given: Any

    @property
    def computed(self) -> bool:
        """Whether a function is registered for it, and nothing says why it can't be computed."""
        excused = (self.clause, self.place) in EXCUSED
        return not excused and isinstance(self.given, dict) and self.given.get("fn") in COMPUTED


def _examples() -> Iterator[Example]:
    for path in sorted((CHECKOUT / "terms" / "clauses").glob("*.yaml")):
        for entry in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["clauses"]:
            for place, given in enumerate(entry.get("examples", ()), start=1):
                yield Example(entry["id"], place, given)


def _reasons() -> dict[tuple[str, int], str]:
    files = sorted(UNEXPRESSED.glob("*.yaml"))
    return {
        (clause, place): reason
        for file in files
        for clause, places in yaml.safe_load(file.read_text("utf-8")).items()
        for place, reason in places.items()
    }


EXCUSED = _reasons()
EXAMPLES = tuple(_examples())


@pytest.mark.parametrize(
    "worked",
    [
        pytest.param(each, id=f"{each.clause}#{each.place}", marks=pytest.mark.clause(each.clause))
        for each in EXAMPLES
        if each.computed
    ],
)
def test_a_worked_example_comes_out_as_the_catalogue_says(worked: Example) -> None:
    expected = worked.given["out"]
    found = COMPUTED[worked.given["fn"]](**worked.given["in"])
    assert {key: as_written(found.get(key)) for key in expected} == expected


def test_every_example_of_a_clause_carried_out_is_computed_or_says_why_not() -> None:
    catalogue = read_catalogue(CHECKOUT)
    citations = read_citations(CHECKOUT, catalogue=catalogue)
    carried_out = {each.id for each in (*citations.code, *citations.terms)}
    wanted = {(each.clause, each.place) for each in EXAMPLES if each.clause in carried_out}
    computed = {(each.clause, each.place) for each in EXAMPLES if each.computed}
    assert wanted - computed - EXCUSED.keys() == set(), "neither computed nor listed with a reason"
    assert EXCUSED.keys() - {(each.clause, each.place) for each in EXAMPLES} == set(), "no example"
    assert all(reason.strip() for reason in EXCUSED.values())
