"""Who may import whom, and what packages hold."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

from cli.state import CHECKOUT
from libs.refusal.refusal import Refusal
from tests.architecture.sources import EVERYTHING, PROGRAM, sources


def test_the_rules_of_import_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_packages_run_nothing_when_imported() -> None:
    filled = [
        str(source.path)
        for source in sources(EVERYTHING)
        if source.path.name == "__init__.py" and source.text
    ]
    assert filled == []


def test_a_context_has_one_refusal_a_code_and_a_code_has_one_title() -> None:
    for source in sources(PROGRAM):
        if source.path.name != "__main__.py":
            import_module(".".join(source.path.with_suffix("").parts).removesuffix(".__init__"))
    places: dict[tuple[str, str], set[str]] = {}
    titles: dict[str, set[str]] = {}
    for refusal in _descendants(Refusal):
        folder, context, *_ = refusal.__module__.split(".")
        if folder in PROGRAM:
            place = f"{refusal.__module__}.{refusal.__qualname__}"
            places.setdefault((context, refusal.code), set()).add(place)
            titles.setdefault(refusal.code, set()).add(refusal.title)
    assert {code: found for code, found in places.items() if len(found) > 1} == {}
    assert {code: found for code, found in titles.items() if len(found) > 1} == {}


def _descendants(of: type[Refusal]) -> set[type[Refusal]]:
    children = set(of.__subclasses__())
    return children.union(*(_descendants(child) for child in children))
