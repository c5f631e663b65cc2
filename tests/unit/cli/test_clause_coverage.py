"""The coverage of clauses, on a small tree made up for it."""

from pathlib import Path

import pytest

from cli.catalogue import ClauseId, parts_of, read_catalogue
from cli.citations import Citations, clauses_of_docstring, read_citations
from cli.clauses import Count, Coverage, below_floor, coverage, read_floor, record_floor

CATALOGUE = """\
clauses:
  - {id: ABC-1, where: 1, title: Fee, context: billing, executable: true, rule: A fee is owed.}
  - {id: ABC-2.1a, where: 2, title: Start, context: contracts, executable: true, rule: It starts.}
  - {id: ABC-2.1b, where: 2, title: End, context: contracts, executable: true, rule: It ends.}
  - {id: ABC-2.10, where: 2, title: Area, context: contracts, executable: true, rule: Here only.}
  - {id: ABC-3, where: 3, title: Court, context: contracts, executable: false, rule: A court.}
"""


def a_tree(root: Path, *, code: str = "", tests: str = "", terms: str = "", case: str = "") -> Path:
    """Write a project of one module of each kind below `root`."""
    for name, text in {
        "terms/clauses/abc.yaml": CATALOGUE,
        "terms/abc.yaml": terms,
        "services/billing/rules.py": code,
        "tests/unit/test_rules.py": tests,
        "tests/cases/abc-01.json": case or "{}",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def reached(root: Path) -> tuple[Coverage, Citations]:
    known = read_catalogue(root)
    citations = read_citations(root, catalogue=known)
    return coverage(known, citations=citations), citations


def documented(*ids: str) -> str:
    return f'def fee():\n    """What is owed.\n\n    Clauses: {", ".join(ids)}.\n    """\n'


def marked(*ids: str) -> str:
    listed = ", ".join(f'"{each}"' for each in ids)
    return f"import pytest\n\n@pytest.mark.clause({listed})\ndef test_fee():\n    pass\n"


def test_a_clause_carried_out_and_tested_is_covered(tmp_path: Path) -> None:
    result, _ = reached(a_tree(tmp_path, code=documented("ABC-1"), tests=marked("ABC-1")))
    assert result.by_context == {"billing": Count(1, 1), "contracts": Count(3, 0)}
    assert result.by_terms == {"abc": Count(4, 1)}
    assert result.uncovered == ["ABC-2.1a", "ABC-2.1b", "ABC-2.10"]
    assert result.unknown == []


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"code": documented("ABC-1")}, id="only code"),
        pytest.param({"tests": marked("ABC-1")}, id="only a test"),
        pytest.param({"terms": "fee: {amount: 5, clause: ABC-1}"}, id="only terms"),
        pytest.param(
            {"code": documented("ABC-1"), "case": '{"lines": [{"clause": "ABC-1"}]}'},
            id="code and a case that no test plays",
        ),
        pytest.param(
            {"code": 'CLAUSE = "ABC-1"\n', "tests": marked("ABC-1")},
            id="named, not carried out",
        ),
    ],
)
def test_half_a_clause_is_not_covered(tmp_path: Path, tree: dict[str, str]) -> None:
    result, _ = reached(a_tree(tmp_path, **tree))
    assert result.by_context["billing"] == Count(1, 0)
    assert result.unknown == []


def test_an_entry_of_the_terms_carries_a_clause_out(tmp_path: Path) -> None:
    terms = "versions:\n  - from: 2024-01-01\n    fee: {amount: 5, clause: [ABC-1, ABC-2.1a]}\n"
    result, citations = reached(
        a_tree(tmp_path, terms=terms, tests=marked("ABC-1") + "# none for the other\n")
    )
    assert result.by_context["billing"].covered == 1
    assert [each.place() for each in citations.terms] == ["terms/abc.yaml:3 versions.fee"] * 2


def test_a_clause_without_rule_counts_nowhere(tmp_path: Path) -> None:
    result, _ = reached(a_tree(tmp_path, code=documented("ABC-3"), tests=marked("ABC-3")))
    assert result.by_terms == {"abc": Count(4, 0)}
    assert result.unknown == []


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({"code": documented("ABC-9")}, "services/billing/rules.py:1 fee"),
        ({"code": 'def fee():\n    return "ABC-9"\n'}, "services/billing/rules.py:2"),
        ({"tests": marked("ABC-1", "ABC-9")}, "tests/unit/test_rules.py:3 test_fee"),
        ({"terms": "fee:\n  clause: ABC-9\n"}, "terms/abc.yaml:2 fee"),
        ({"case": '{"lines": [{"clause": "ABC-9"}]}'}, "tests/cases/abc-01.json:1"),
        ({"code": documented("ABC-2.1")}, "services/billing/rules.py:1 fee"),
    ],
    ids=[
        "docstring",
        "string",
        "marker",
        "terms",
        "case",
        "a paragraph where a part is meant",
    ],
)
def test_an_unknown_id_is_found_with_its_place(
    tmp_path: Path, tree: dict[str, str], place: str
) -> None:
    root = a_tree(tmp_path, **tree)
    result, citations = reached(root)
    assert len(result.unknown) == 1
    assert [each.place() for each in citations.unknown(read_catalogue(root))] == [place]


def test_a_line_may_name_a_paragraph_that_the_catalogue_splits(tmp_path: Path) -> None:
    result, _ = reached(a_tree(tmp_path, code='CLAUSE = "ABC-2.1"\n'))
    assert result.unknown == []


def test_parts_end_at_a_component(tmp_path: Path) -> None:
    known = read_catalogue(a_tree(tmp_path))
    assert [each.id for each in parts_of("ABC-2.1", catalogue=known)] == [
        "ABC-2.1a",
        "ABC-2.1b",
    ]
    assert [each.id for each in parts_of("ABC-2.10", catalogue=known)] == ["ABC-2.10"]
    assert parts_of("ABC-2.1c", catalogue=known) == ()


@pytest.mark.parametrize(
    "marker",
    [
        pytest.param('IDS = ("ABC-1",)\npytestmark = pytest.mark.clause(*IDS)', id="a tuple"),
        pytest.param(
            'IDS = {"one": ["ABC-1"]}\nP = [pytest.param(k, marks=pytest.mark.clause(*IDS[k]))]',
            id="a mapping by case",
        ),
        pytest.param('P = pytest.param(1, marks=pytest.mark.clause(*["ABC-1"]))', id="in place"),
    ],
)
def test_markers_made_from_constants_count(tmp_path: Path, marker: str) -> None:
    _, citations = reached(a_tree(tmp_path, tests=f"import pytest\n{marker}\n"))
    assert [each.id for each in citations.tests] == ["ABC-1"]


@pytest.mark.parametrize(
    ("docstring", "ids"),
    [
        ("What.\n\nClauses: ABC-1, ABC-2.1a.", ["ABC-1", "ABC-2.1a"]),
        ("What.\n\nClauses: ABC-1 (a, b), ABC-2.1a (c).\nMore.", ["ABC-1", "ABC-2.1a"]),
        ("What.\n\nClauses: ABC-1,\nABC-2.1a\nMore.", ["ABC-1", "ABC-2.1a"]),
        ("What.\n\nClauses: ABC-1 (a\nb), ABC-2.1a\n\nMore.", ["ABC-1", "ABC-2.1a"]),
        ("What.\n\nClauses: ABC-1\n    , ABC-2.1a\n", ["ABC-1", "ABC-2.1a"]),
        ("What.\n\nClauses: ABC-1 and ABC-2.1a", ["ABC-1 and ABC-2.1a"]),
        ("No clause is named here: ABC-1.", []),
    ],
    ids=["plain", "notes", "comma", "open note", "indented", "a word too many", "none"],
)
def test_the_clauses_line_of_a_docstring(docstring: str, ids: list[str]) -> None:
    assert list(clauses_of_docstring(docstring)) == [ClauseId(each) for each in ids]


def test_two_clauses_of_one_id_are_refused(tmp_path: Path) -> None:
    root = a_tree(tmp_path)
    (root / "terms/clauses/other.yaml").write_text(CATALOGUE, "utf-8")
    with pytest.raises(ValueError, match="ABC-1 stands in the catalogue twice"):
        read_catalogue(root)


def test_the_floor_rises_and_never_falls(tmp_path: Path) -> None:
    root = a_tree(tmp_path, code=documented("ABC-1"), tests=marked("ABC-1"))
    before, _ = reached(root)
    assert read_floor(root) == {}
    assert record_floor(root, reached=before) == {"billing": 1, "contracts": 0}
    assert below_floor(before, floor=read_floor(root)) == {}

    after, _ = reached(a_tree(root, code=documented("ABC-2.1a"), tests=marked("ABC-2.1a")))
    assert below_floor(after, floor=read_floor(root)) == {"billing": 1}
    assert record_floor(root, reached=after) == {"billing": 1, "contracts": 1}
