"""`./yk terms`: the terms of the services, checked, shown, compared and explained."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cli.catalogue import clauses_of
from cli.commands.clauses import where
from cli.processes import CannotStart
from cli.terms.changes import amendment
from cli.terms.check import check as check_folder
from cli.terms.reading import Book
from cli.terms.schema import schemas
from cli.terms.showing import amendment_data, amendment_text, reading_data, reading_text
from libs.dates.clock import SystemClock
from libs.dates.japan import japan_date
from libs.terms.faults import WrongTerms, near
from libs.terms.in_force import NotYetInForce
from libs.terms.offered import services_of

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
TERMS = ROOT / "terms"
SCHEMAS = TERMS / "schema"

app = typer.Typer(
    help="Check, show, compare and explain the terms of the services.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@app.callback()
def terms() -> None:
    """Check, show, compare and explain the terms of the services."""


Service = Annotated[str, typer.Argument(metavar="SERVICE", help="Its code, as WUTM.")]
Folder = Annotated[Path, typer.Option("--terms", metavar="FOLDER", help="Other terms to read.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_DAY = ["%Y-%m-%d"]


@app.command()
def show(
    service: Service,
    *,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=_DAY, help="The day; today if left out.")
    ] = None,
    folder: Folder = TERMS,
    as_json: AsJson = False,
) -> None:
    """Print what applies to a service on a day, in sentences, with the clauses behind them."""
    day = on.date() if on else japan_date(SystemClock().now())
    found = _in_force(lambda: _book(service, folder=folder).on(day))
    known = clauses_of(folder)
    if as_json:
        typer.echo(
            json.dumps(
                reading_data(found, catalogue=known, shown=shown), ensure_ascii=False, indent=1
            )
        )
    else:
        typer.echo("\n".join(reading_text(found, catalogue=known, shown=shown)))


@app.command()
def diff(
    service: Service,
    from_on: Annotated[datetime, typer.Argument(metavar="FROM", formats=_DAY)],
    to_on: Annotated[datetime, typer.Argument(metavar="TO", formats=_DAY)],
    *,
    folder: Folder = TERMS,
    as_json: AsJson = False,
) -> None:
    """Print what changed in the terms of a service from one day to another; nothing if nothing."""
    first, last = sorted((from_on.date(), to_on.date()))
    book = _book(service, folder=folder)
    found = _in_force(lambda: amendment(book, from_on=first, to_on=last))
    known = clauses_of(folder)
    if as_json:
        typer.echo(
            json.dumps(
                amendment_data(found, catalogue=known, shown=shown), ensure_ascii=False, indent=1
            )
        )
    elif found.changes or found.took_effect:
        typer.echo("\n".join(amendment_text(found, catalogue=known, shown=shown)))


def _book(service: str, *, folder: Path) -> Book:
    """Read the terms of a service. Raises CannotStart for an unknown one and for wrong terms."""
    try:
        known = services_of(folder)
        if service.upper() not in known:
            hint = near(service.upper(), known) or f"; there are {', '.join(known)}"
            raise CannotStart(f"there are no terms of {service}{hint}")
        return Book(service.upper(), folder=folder)
    except WrongTerms as wrong:
        raise CannotStart(f"these terms are wrong:\n{wrong}") from wrong


def _in_force(read: Callable[[], T]) -> T:
    try:
        return read()
    except NotYetInForce as refused:
        raise CannotStart(refused.detail) from refused


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Terms to check.")] = TERMS,
) -> None:
    """Print all that is wrong with a folder of terms as `file:line: reason`.

    Exit status 1 when anything is.
    """
    try:
        check_folder(folder)
    except WrongTerms as wrong:
        for fault in wrong.faults:
            typer.echo(f"{shown(fault.path)}:{fault.line}: {fault.reason}")
        raise typer.Exit(1) from wrong
    services = services_of(folder)
    typer.echo(f"{shown(folder)}: nothing is wrong with the terms of {', '.join(services)}")


@app.command()
def explain(clause_id: Annotated[str, typer.Argument(metavar="CLAUSE")]) -> None:
    """Print a clause's rule and reading, its functions, entries, tests and golden cases."""
    where(clause_id)


@app.command()
def schema() -> None:
    """Write the JSON Schemas by which an editor checks the files of terms."""
    for name, text in schemas(TERMS).items():
        path = SCHEMAS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        typer.echo(shown(path))


def shown(path: Path) -> str:
    """Give a path as short as the reader can open it from where they are."""
    here = Path.cwd()
    whole = path.resolve()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(path)
