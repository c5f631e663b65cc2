"""Where clauses are named: in docstrings, strings, terms, test markers and golden cases.

Nothing is imported to find this out: code and tests are parsed, terms and cases are read.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cli.catalogue import Clause, ClauseId, Stamped, parts_of, stamped

CODE_FOLDERS = ("libs", "services")
TEST_FOLDERS = ("tests",)
CASES = Path("tests/cases")
CLAUSE_KEYS = frozenset({"clause", "clauses"})

_NOTE = re.compile(r"\([^()]*\)")
_MARKER = re.compile(r"\.clause\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A place that names a clause; `name` is the function, class or terms key there."""

    id: ClauseId
    path: str
    line: int
    name: str

    def place(self) -> str:
        """Give path, line and name, as an editor opens it."""
        return f"{self.path}:{self.line} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Citations:
    """All places that name clauses, by what the place is.

    `mentions` are ids written as plain strings in code (the clause of a refusal or of an invoice
    line) and in the terms under other names than `clause`, `cases` those of expected lines in the
    golden cases. They do not say that anything is carried out, and may name a paragraph whose parts
    alone the catalogue has.
    """

    code: tuple[Citation, ...]
    terms: tuple[Citation, ...]
    tests: tuple[Citation, ...]
    mentions: tuple[Citation, ...]
    cases: tuple[Citation, ...]

    def unknown(self, catalogue: Mapping[ClauseId, Clause]) -> tuple[Citation, ...]:
        """Give the citations of ids that no catalogue file has."""
        exact = (each for each in (*self.code, *self.terms, *self.tests))
        return (
            *(each for each in exact if each.id not in catalogue),
            *(
                each
                for each in (*self.mentions, *self.cases)
                if not parts_of(each.id, catalogue=catalogue)
            ),
        )


def read_citations(root: Path, *, catalogue: Mapping[ClauseId, Clause]) -> Citations:
    """Find every place in the tree below `root` that names a clause."""
    prefixes = "|".join(sorted({clause_id.partition("-")[0] for clause_id in catalogue}))
    return _read(root, prefixes, stamped(_files(root)))


def _files(root: Path) -> Iterator[Path]:
    """All files that citations are looked for in."""
    for folder in (*CODE_FOLDERS, *TEST_FOLDERS):
        yield from (root / folder).rglob("*.py")
    yield from (root / "terms").glob("*.yaml")
    yield from (root / CASES).glob("*.json")


@lru_cache(maxsize=4)
def _read(root: Path, prefixes: str, _files: tuple[Stamped, ...]) -> Citations:
    worth_parsing = re.compile(rf"Clauses:|(?:{prefixes})-")
    clause_id = re.compile(rf"(?:{prefixes})-[A-Z0-9][A-Za-z0-9.-]*")
    code: list[Citation] = []
    mentions: list[Citation] = []
    for path, tree in _modules(root, folders=CODE_FOLDERS, having=worth_parsing):
        code.extend(_cited_by_docstrings(tree, path=path))
        mentions.extend(_mentioned(tree, path=path, pattern=clause_id))
    mentions.extend(_mentioned_by_terms(root, pattern=clause_id))
    return Citations(
        code=tuple(code),
        terms=tuple(_cited_by_terms(root)),
        tests=tuple(
            citation
            for path, tree in _modules(root, folders=TEST_FOLDERS, having=_MARKER)
            for citation in _cited_by_markers(tree, path=path)
        ),
        mentions=tuple(mentions),
        cases=tuple(_cited_by_cases(root)),
    )


def clauses_of_docstring(docstring: str) -> tuple[ClauseId, ...]:
    """Give the ids on the `Clauses:` line of a docstring.

    Ids are separated by commas; notes in parentheses are dropped. The line goes on where the next
    is indented deeper, where it ended in a comma, and inside parentheses. What stands between two
    commas is taken whole, so a word too many shows up as an unknown id.
    """
    lines = iter(docstring.expandtabs().splitlines())
    text = ""
    for line in lines:
        if line.strip().startswith("Clauses:"):
            indent = len(line) - len(line.lstrip())
            text = line.partition("Clauses:")[2].strip()
            break
    for line in lines:
        deeper = len(line) - len(line.lstrip()) > indent
        inside = text.count("(") > text.count(")")
        if not line.strip() or not (deeper or inside or text.endswith(",")):
            break
        text = f"{text} {line.strip()}"
    parts = (part.strip().rstrip(".").rstrip() for part in _NOTE.sub("", text).split(","))
    return tuple(ClauseId(part) for part in parts if part)


def _modules(
    root: Path, *, folders: Iterable[str], having: re.Pattern[str]
) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            source = path.read_text("utf-8")
            if having.search(source):
                yield path.relative_to(root).as_posix(), ast.parse(source, filename=str(path))


def _cited_by_docstrings(tree: ast.Module, *, path: str) -> Iterator[Citation]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for clause_id in clauses_of_docstring(ast.get_docstring(node) or ""):
                yield Citation(id=clause_id, path=path, line=node.lineno, name=node.name)


def _mentioned(tree: ast.Module, *, path: str, pattern: re.Pattern[str]) -> Iterator[Citation]:
    for text, line in _strings(tree):
        if pattern.fullmatch(text):
            yield Citation(id=ClauseId(text), path=path, line=line, name="")


def _cited_by_markers(tree: ast.Module, *, path: str) -> Iterator[Citation]:
    """Find the literal ids of `pytest.mark.clause(…)`, starred constants of the module included."""
    constants = dict(_constants(tree))
    for owner, call in _marker_calls(tree):
        for argument in call.args:
            for text, line in _strings(_source_of(argument, constants=constants)):
                yield Citation(id=ClauseId(text), path=path, line=line, name=owner)


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def _source_of(argument: ast.expr, *, constants: Mapping[str, ast.expr]) -> ast.expr:
    """Follow `*IDS` and `*IDS[key]` to the constant of the module; of a mapping, take any value."""
    node = argument.value if isinstance(argument, ast.Starred) else argument
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        node = constants.get(node.id, node)
    if isinstance(node, ast.Dict):
        return ast.Tuple(elts=node.values)
    return node


def _marker_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Give the calls with the test they decorate, then those that decorate none."""
    seen: set[ast.Call] = set()
    for owner in ast.walk(tree):
        if isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for call in owner.decorator_list:
                for node in _marker_calls_in(call):
                    seen.add(node)
                    yield owner.name, node
    for node in _marker_calls_in(tree):
        if node not in seen:
            yield "", node


def _marker_calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_marker(node.func):
            yield node


def _is_marker(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "clause"
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "mark"
    )


def _strings(node: ast.AST) -> Iterator[tuple[str, int]]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value, inner.lineno


def _cited_by_terms(root: Path) -> Iterator[Citation]:
    for path in sorted((root / "terms").glob("*.yaml")):
        node = yaml.compose(path.read_bytes(), Loader=yaml.CSafeLoader)
        if node is not None:
            yield from _cited_by_entry(node, path=path.relative_to(root).as_posix(), name="")


def _cited_by_entry(node: Node, *, path: str, name: str) -> Iterator[Citation]:
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _cited_by_entry(item, path=path, name=name)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value in CLAUSE_KEYS:
                for scalar in _scalars(value):
                    line = scalar.start_mark.line + 1
                    yield Citation(id=ClauseId(scalar.value), path=path, line=line, name=name)
            else:
                yield from _cited_by_entry(value, path=path, name=f"{name}.{key.value}".lstrip("."))


def _mentioned_by_terms(root: Path, *, pattern: re.Pattern[str]) -> Iterator[Citation]:
    """Find ids under other names than `clause`: which clause a line cites in which case."""
    for path in sorted((root / "terms").glob("*.yaml")):
        node = yaml.compose(path.read_bytes(), Loader=yaml.CSafeLoader)
        if node is not None:
            place = path.relative_to(root).as_posix()
            yield from _mentioned_by_entry(node, path=place, name="", pattern=pattern)


def _mentioned_by_entry(
    node: Node, *, path: str, name: str, pattern: re.Pattern[str]
) -> Iterator[Citation]:
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from _mentioned_by_entry(item, path=path, name=name, pattern=pattern)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value not in CLAUSE_KEYS:
                below = f"{name}.{key.value}".lstrip(".")
                yield from _mentioned_by_entry(value, path=path, name=below, pattern=pattern)
    elif isinstance(node, ScalarNode) and pattern.fullmatch(node.value):
        line = node.start_mark.line + 1
        yield Citation(id=ClauseId(node.value), path=path, line=line, name=name)


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for _, value in node.value:
            yield from _scalars(value)


def _cited_by_cases(root: Path) -> Iterator[Citation]:
    """Find the clauses on the lines that golden cases expect; a case alone covers nothing."""
    for path in sorted((root / CASES).glob("*.json")):
        text = path.read_text("utf-8")
        place = path.relative_to(root).as_posix()
        for clause_id in dict.fromkeys(_clause_values(json.loads(text))):
            line = text[: text.index(f'"{clause_id}"')].count("\n") + 1
            yield Citation(id=ClauseId(clause_id), path=place, line=line, name="")


def _clause_values(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _clause_values(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in CLAUSE_KEYS:
                yield from [inner] if isinstance(inner, str) else inner
            else:
                yield from _clause_values(inner)
