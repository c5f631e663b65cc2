"""The glossary holds every proposed event name once, and no name for two things."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from cli.catalogue import read_catalogue

ROOT = Path(__file__).resolve().parents[2]
TERMS = "## Terms"
EVENT_NAMES = "## Event names"


def table(heading: str, *, columns: int) -> list[list[str]]:
    """Give the rows of the tables with that many columns below a heading, headers left out."""
    section = (ROOT / "docs" / "glossary.md").read_text("utf-8").partition(f"\n{heading}\n")[2]
    lines = section.partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    bodies = [row for row, below in zip(rows, [*rows[1:], [""]], strict=True) if below[0] != "---"]
    return [row for row in bodies if len(row) == columns and row[0] != "---"]


def proposed_names() -> set[str]:
    """Give the event names in the catalogue's clauses of contracts and billing."""
    return {
        name
        for path in (ROOT / "terms" / "clauses").glob("*.yaml")
        for entry in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["clauses"]
        if entry["context"] in {"contracts", "billing"}
        for name in entry.get("events") or ()
    }


def declared_names() -> set[str]:
    """Give `<context>.<name>` of every event type written in the vocabulary."""
    sources = (ROOT / "libs" / "events" / "vocabulary").glob("*.py")
    written = (
        re.findall(r'"([a-z]+\.[a-z-]+)\.v\d+"', path.read_text("utf-8")) for path in sources
    )
    return {name for names in written for name in names}


def test_every_proposed_event_name_stands_in_the_table_once() -> None:
    listed = Counter(name for row in table(EVENT_NAMES, columns=4) for name in row[3].split(", "))
    assert sorted(name for name, times in listed.items() if times > 1) == []
    assert sorted(proposed_names() - set(listed)) == []
    assert sorted(set(listed) - proposed_names()) == []


def test_every_event_of_the_table_stands_in_it_once() -> None:
    events = Counter(row[0] for row in table(EVENT_NAMES, columns=4) if row[0] != "–")
    assert [event for event, times in events.items() if times > 1] == []


def test_every_event_of_the_table_is_declared_or_said_to_come_later() -> None:
    declared = declared_names()
    wrong = {
        event: state
        for event, state, *_ in table(EVENT_NAMES, columns=4)
        if state != ("–" if event == "–" else "declared" if event in declared else "later")
    }
    assert wrong == {}


def test_a_meaning_that_differs_in_a_clause_is_one_the_table_knows() -> None:
    events = {row[0] for row in table(EVENT_NAMES, columns=4)}
    proposed, known = proposed_names(), set(read_catalogue(ROOT))
    for name, clauses, targets in table(EVENT_NAMES, columns=3):
        assert name in proposed
        assert set(clauses.split(", ")) <= known
        assert set(targets.split(", then ")) <= events


@pytest.mark.parametrize("column", [0, 1], ids=["in the terms", "in code"])
def test_no_word_of_the_glossary_means_two_things(column: int) -> None:
    rows = [row for row in table(TERMS, columns=3) if row[1]]
    words = Counter(word for row in rows for word in re.split("、|, ", row[column]))
    assert [word for word, times in words.items() if times > 1] == []


def test_every_clause_of_the_glossary_exists() -> None:
    rows = [row for row in table(TERMS, columns=3) if row[1]]
    cited = {clause for row in rows for clause in row[2].split(", ")}
    assert sorted(cited - set(read_catalogue(ROOT))) == []
