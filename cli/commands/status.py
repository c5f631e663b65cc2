"""`./yk status`: what runs."""

from collections.abc import Iterable

import typer

from cli.processes import ProcessRecord
from cli.state import DEVELOPMENT
from cli.system import System


def run() -> None:
    """Show what runs, where, and whether it is well; exit status 1 when something is not."""
    report = System(DEVELOPMENT).report()
    if not report:
        typer.echo("nothing is running")
        return
    print_report(report)
    if not all(well for _, well in report):
        raise typer.Exit(1)


def print_report(report: Iterable[tuple[ProcessRecord, bool]]) -> None:
    """Print a line a process: name, state, pid, address."""
    for record, well in report:
        state = "well" if well else "does not answer"
        typer.echo(f"{record.name:<22} {state:<16} {record.pid:>8}  {record.address}")
