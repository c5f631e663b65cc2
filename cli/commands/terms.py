"""`./yk terms`: the terms of the services, checked, shown, compared and explained."""

from pathlib import Path
from typing import Annotated

import typer

from cli.terms.check import check as check_folder
from libs.terms.faults import WrongTerms
from libs.terms.offered import services_of

ROOT = Path(__file__).resolve().parents[2]
TERMS = ROOT / "terms"

app = typer.Typer(
    help="Check, show, compare and explain the terms of the services.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@app.callback()
def terms() -> None:
    """Check, show, compare and explain the terms of the services."""


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


def shown(path: Path) -> str:
    """Give a path as short as the reader can open it from where they are."""
    here = Path.cwd()
    whole = path.resolve()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(path)
