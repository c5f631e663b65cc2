"""Every clause named in code, terms, tests and cases exists, and coverage never falls."""

from pathlib import Path

from cli.clauses import (
    below_floor,
    coverage,
    read_catalogue,
    read_citations,
    read_floor,
)

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = {"contracts", "billing", "monitoring", "notifications", "terms"}


def test_every_clause_has_an_owner() -> None:
    assert {clause.context for clause in read_catalogue(ROOT).values()} == CONTEXTS


def test_no_clause_is_cited_that_the_catalogue_lacks() -> None:
    catalogue = read_catalogue(ROOT)
    unknown = read_citations(ROOT, catalogue=catalogue).unknown(catalogue)
    assert [f"{each.id} at {each}" for each in unknown] == []


def test_coverage_is_not_below_what_was_recorded() -> None:
    catalogue = read_catalogue(ROOT)
    reached = coverage(catalogue, citations=read_citations(ROOT, catalogue=catalogue))
    assert below_floor(reached, floor=read_floor(ROOT)) == {}
