"""What the pages name is there: files, links, commands, programs, and the decisions' index.

Each check is a function from a page to what is wrong with it, and is shown to find it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli.__main__ import COMMANDS
from cli.state import CHECKOUT
from libs.events.kafka import Identity, to_record
from libs.telemetry import names

_FOLDERS = {path.name for path in CHECKOUT.iterdir() if path.is_dir() and path.name[0] != "."}
_BLANK = re.compile(r"[<>…{]")

_CODE = re.compile(r"`([^`\n]+)`|^ {4,}(.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"\./yk ([a-z]+)(?: ([a-z]+))?")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of prose; `path` counts from the checkout."""

    path: Path
    text: str

    @property
    def folder(self) -> Path:
        return (CHECKOUT / self.path).parent


def pages() -> Iterator[Page]:
    """Every page that is written for people to begin with."""
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "services/*/README.md"):
        for file in sorted(CHECKOUT.glob(pattern)):
            yield Page(path=file.relative_to(CHECKOUT), text=file.read_text(encoding="utf-8"))


def missing_files(page: Page) -> Iterator[str]:
    """Paths in code that begin with a folder of the checkout and lead nowhere; `*` stands for any."""
    for code in ("".join(found) for found in _CODE.findall(page.text)):
        for word in code.split():
            path = word.strip(".,:;()\"'")
            inside = path.partition("/")[0] in _FOLDERS and "/" in path
            if inside and not _BLANK.search(path) and not any(CHECKOUT.glob(path)):
                yield path


def broken_links(page: Page) -> Iterator[str]:
    """Links to files that are not there, or to headings that the other page does not have."""
    for link in _LINK.findall(page.text):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.folder / file if file else CHECKOUT / page.path
        known = page.text if not file else ""
        if file and target.exists() and target.suffix == ".md":
            known = target.read_text(encoding="utf-8")
        there = target.exists() or not file
        if not there or (anchor and anchor not in _anchors(known)):
            yield link


def unknown_commands(page: Page) -> Iterator[str]:
    """Commands of `./yk` that it does not have, or parts of one that its module does not name."""
    for name, part in _COMMAND.findall(page.text):
        module = CHECKOUT / "cli" / "commands" / f"{name}.py"
        if name not in COMMANDS or not module.is_file():
            yield name
        elif part in {"where", "retry", "skip"} and f"def {part}(" not in module.read_text("utf-8"):
            yield f"{name} {part}"


def altered_programs(page: Page) -> Iterator[str]:
    """Python shown on a page of examples that stands in none of the examples."""
    programs = [file.read_text("utf-8") for file in (CHECKOUT / "docs/examples").glob("*.py")]
    for shown in _FENCED.findall(page.text):
        if not any(shown in program for program in programs):
            yield shown.splitlines()[0]


def _anchors(text: str) -> set[str]:
    """The names by which headings are linked to."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


Check = Callable[[Page], Iterator[str]]
CASES: tuple[tuple[Check, str], ...] = (
    (missing_files, "see `libs/events/no_such_module.py`"),
    (missing_files, "    ./yk play tests/cases/nobody-*.json"),
    (broken_links, "see [there](no-such-page.md)"),
    (broken_links, "see [below](#no-such-heading)\n\n# Another heading"),
    (unknown_commands, "run `./yk dance`"),
    (unknown_commands, "run `./yk parked where`"),
    (altered_programs, "```python\nprint('never written')\n```\n"),
)


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.path)) for page in pages()])
@pytest.mark.parametrize("check", [missing_files, broken_links, unknown_commands, altered_programs])
def test_what_a_page_names_is_there(page: Page, check: Check) -> None:
    assert list(check(page)) == []


@pytest.mark.parametrize(
    ("check", "text"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in CASES]
)
def test_the_check_finds_what_is_not_there(check: Check, text: str) -> None:
    assert list(check(Page(path=Path("docs/x.md"), text=text)))


def test_the_index_of_decisions_names_each_once_by_its_title() -> None:
    folder = CHECKOUT / "docs" / "decisions"
    listed = re.findall(
        r"^- \[(\d{4})\]\((\S+)\) (.+)$", (folder / "README.md").read_text(), re.MULTILINE
    )
    titles = [
        (file.name[:4], file.name, file.read_text("utf-8").splitlines()[0])
        for file in sorted(folder.glob("[0-9]*.md"))
    ]
    found = [(number, name, f"# {number}: {title}") for number, name, title in listed]
    assert sorted(found) == titles, "docs/decisions/README.md lists every decision by its title"
    assert len({number for number, *_ in titles}) == len(titles), "a number is given twice"


def test_the_page_for_partners_names_every_header_of_a_record() -> None:
    identity = Identity(context="contracts", log_epoch=UUID(int=1))
    numbers = {"version": 1, "position": 1, "sequence": 1}
    at = datetime(2026, 4, 1, tzinfo=UTC)
    row: Any = defaultdict(str, stream_id=UUID(int=2), recorded_at=at, **numbers)
    _, _, headers = to_record(row, identity=identity, hop="a hop")
    page = (CHECKOUT / "docs" / "partners.md").read_text("utf-8")
    section = page.partition("\n## A record\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(told) == sorted(name for name, _ in headers)


def test_the_page_for_operators_names_every_metric() -> None:
    page = (CHECKOUT / "docs" / "operating.md").read_text("utf-8")
    kinds = ("RELAY_", "CONSUMER_", "VIEW_")
    metrics = {value for name, value in vars(names).items() if name.startswith(kinds)}
    assert set(re.findall(r"yakkan\.(?:relay|consumer|view)\.[a-z.]+[a-z]", page)) == metrics
