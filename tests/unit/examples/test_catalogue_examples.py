"""The worked examples of the clause catalogue, computed by the code that carries the clauses out."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cli.catalogue import read_catalogue
from cli.citations import read_citations
from tests.unit.examples import nqms  # noqa: F401 - registers what computes its examples
from tests.unit.examples.computing import COMPUTED, as_written

CHECKOUT = Path(__file__).parents[3]
UNEXPRESSED = Path(__file__).with_name("unexpressed")
"""By clause and place (from 1), why an example of a clause carried out is not computed."""


class Example(NamedTuple):
    """A worked example and its place among those of its clause, from 1."""

    clause: str
    place: int
    given: Any

    @property
    def computed(self) -> bool:
        """Whether a function is registered for it."""
        return isinstance(self.given, dict) and self.given.get("fn") in COMPUTED


def _examples() -> Iterator[Example]:
    for path in sorted((CHECKOUT / "terms" / "clauses").glob("*.yaml")):
        for entry in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["clauses"]:
            for place, given in enumerate(entry.get("examples", ()), start=1):
                yield Example(entry["id"], place, given)


def _reasons() -> Mapping[str, Mapping[int, str]]:
    files = sorted(UNEXPRESSED.glob("*.yaml"))
    return {
        clause: why for f in files for clause, why in yaml.safe_load(f.read_text("utf-8")).items()
    }


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
    left = {
        (each.clause, each.place)
        for each in EXAMPLES
        if each.clause in carried_out and not each.computed
    }
    reasons = _reasons()
    excused = {(clause, place) for clause, places in reasons.items() for place in places}
    assert all(reason.strip() for places in reasons.values() for reason in places.values())
    assert left - excused == set(), "neither computed nor listed with a reason"
    assert excused - left == set(), "listed, but computed or gone"
