"""Every clause named in code, terms, tests and cases exists, and coverage never falls."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.catalogue import read_catalogue
from cli.citations import read_citations
from cli.clauses import below_floor, coverage, read_floor
from cli.commands.clauses import app

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = {"contracts", "billing", "monitoring", "notifications", "terms"}


def test_every_clause_has_an_owner() -> None:
    assert {clause.context for clause in read_catalogue(ROOT).values()} == CONTEXTS


def test_no_clause_is_cited_that_the_catalogue_lacks() -> None:
    catalogue = read_catalogue(ROOT)
    unknown = read_citations(ROOT, catalogue=catalogue).unknown(catalogue)
    assert [f"{each.id} at {each.place()}" for each in unknown] == []


def test_coverage_is_not_below_what_was_recorded() -> None:
    catalogue = read_catalogue(ROOT)
    reached = coverage(catalogue, citations=read_citations(ROOT, catalogue=catalogue))
    assert below_floor(reached, floor=read_floor(ROOT)) == {}


def test_the_command_prints_the_coverage_as_json() -> None:
    printed = CliRunner().invoke(app, ["--json"])
    assert printed.exit_code == 0, printed.stderr
    answer = json.loads(printed.stdout)
    assert list(answer) == ["by_context", "by_terms", "uncovered", "unknown"]
    assert answer["unknown"] == []
    for groups in (answer["by_context"], answer["by_terms"]):
        open_clauses = sum(count["executable"] - count["covered"] for count in groups.values())
        assert open_clauses == len(answer["uncovered"])


def test_where_says_what_a_clause_means_and_where_it_is_found() -> None:
    printed = CliRunner().invoke(app, ["where", "NSEC-14.5"])
    assert printed.exit_code == 0
    for part in ("NSEC-14.5a", "NSEC-14.5b", "NSEC-14.5c", "owner  billing", "cas-05.json"):
        assert part in printed.stdout


def test_where_refuses_a_clause_that_does_not_exist() -> None:
    printed = CliRunner().invoke(app, ["where", "NSEC-99"])
    assert printed.exit_code == 1
    assert "no clause NSEC-99" in printed.stderr
