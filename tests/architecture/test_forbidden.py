"""What must not be written, wherever it would be easy to.

Each rule is a function from a file to the places that break it, and is shown to find them.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.architecture.sources import EVERYTHING, PROGRAM, Source, parsed, sources

LONGEST_MODULE = 800
SERVICE_NAMES = {"service", "service_name", "service_id"}
# Written so that it does not find itself.
UNFINISHED = re.compile(r"#.*\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")


def doubles(source: Source) -> Iterator[ast.AST]:
    """Stand-ins for our own code: a test runs the real thing."""
    for node in ast.walk(source.tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("unittest"):
                yield node
            case ast.Import(names=names) if any(n.name.startswith("unittest") for n in names):
                yield node
            case ast.arg(arg="mocker"):
                yield node
            case _:
                pass


def skips(source: Source) -> Iterator[ast.AST]:
    """Tests that do not run: what is required and missing must fail."""
    for node in ast.walk(source.tree):
        match node:
            case (
                ast.Attribute(value=ast.Name(id="pytest"), attr="skip" | "importorskip")
                | ast.Attribute(value=ast.Attribute(attr="mark"), attr="skip" | "skipif")
            ):
                yield node
            case _:
                pass


def clock_readings(source: Source) -> Iterator[ast.AST]:
    """Readings of the clock: time is an argument, and `libs/dates` is where it comes from."""
    if source.folder == "libs/dates" or source.path.parts[0] == "cli":
        return
    for node in ast.walk(source.tree):
        match node:
            case (
                ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="datetime" | "date")
                        | ast.Attribute(attr="datetime" | "date"),
                        attr="now" | "utcnow" | "today",
                    )
                )
                | ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="time"))
            ):
                yield node
            case _:
                pass


def differences_by_name(source: Source) -> Iterator[ast.AST]:
    """Rules that ask which service it is: the difference is a named field of the terms."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Compare(left=left, comparators=[right]) if _names_service(left) and _has_text(
                right
            ):
                yield node
            case ast.Match(subject=subject, cases=cases) if _names_service(subject) and any(
                _has_text(part) for case in cases for part in ast.walk(case.pattern)
            ):
                yield node
            case _:
                pass


def inexact_numbers(source: Source) -> Iterator[ast.AST]:
    """Floats and bare rounding, where amounts are computed."""
    if "domain" not in source.path.parts:
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Constant(value=float()):
                yield node
            case ast.Call(func=ast.Name(id="round" | "float")):
                yield node
            case _:
                pass


def swallowed_errors(source: Source) -> Iterator[ast.AST]:
    """Errors of any kind that are caught and forgotten."""
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node
            case ast.ExceptHandler(
                type=ast.Name(id="Exception" | "BaseException"), body=[ast.Pass() | ast.Continue()]
            ):
                yield node
            case _:
                pass


def unfinished_work(source: Source) -> Iterator[ast.AST]:
    """Notes to come back later."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield ast.Pass(lineno=number)


def long_modules(source: Source) -> Iterator[ast.AST]:
    """Modules that nobody reads to the end."""
    if len(source.text.splitlines()) > LONGEST_MODULE:
        yield source.tree


def _names_service(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in SERVICE_NAMES
        case _:
            return False


def _has_text(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(node)
    )


Rule = Callable[[Source], Iterator[ast.AST]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A rule, where it holds, and a text that breaks it."""

    rule: Rule
    folders: tuple[str, ...]
    broken: str


CASES = (
    Case(rule=doubles, folders=EVERYTHING, broken="from unittest.mock import patch"),
    Case(rule=skips, folders=("tests",), broken="@pytest.mark.skipif(True)\ndef test(): ..."),
    Case(rule=clock_readings, folders=PROGRAM, broken="today = datetime.now(UTC).date()"),
    Case(
        rule=differences_by_name,
        folders=("libs", "services"),
        broken="if contract.service == 'WUTM': days = 0",
    ),
    Case(rule=inexact_numbers, folders=("libs", "services"), broken="fee = round(fee * 1.1)"),
    Case(
        rule=swallowed_errors,
        folders=EVERYTHING,
        broken="try:\n    send()\nexcept Exception:\n    pass",
    ),
    Case(rule=unfinished_work, folders=EVERYTHING, broken=f"x = 1  # {'TO'}DO: the rest"),
    Case(rule=long_modules, folders=EVERYTHING, broken="x = 1\n" * (LONGEST_MODULE + 1)),
)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.rule.__name__) for case in CASES])
def test_there_are_none(case: Case) -> None:
    found = [source.at(node) for source in sources(case.folders) for node in case.rule(source)]
    assert found == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.rule.__name__) for case in CASES])
def test_the_rule_finds_what_it_forbids(case: Case) -> None:
    assert list(case.rule(parsed(case.broken)))


def test_a_choice_by_name_is_found_in_a_match_too() -> None:
    text = "match service:\n    case 'MYSEC': days = 1"
    assert list(differences_by_name(parsed(text)))
