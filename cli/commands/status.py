"""`./yk status`: what runs, and what should."""

from collections.abc import Collection, Iterable

import typer

from cli.environments import OPERATIONS, REHEARSAL, services_there
from cli.processes import ProcessRecord
from cli.services import ROLES, process_name
from cli.state import DEVELOPMENT
from cli.system import System


def run() -> None:
    """Show what runs, where, and whether it is well; exit status 1 when something is not.

    Where some processes of an environment run, those of it that don't are missing.
    """
    report = System(DEVELOPMENT).report()
    if not report:
        typer.echo("nothing is running")
        return
    print_report(report)
    missing = missing_beside({record.name for record, _ in report})
    for name in missing:
        typer.echo(f"{name:<22} not running: ./yk up starts it, ./yk logs {name} says why it ended")
    if missing or not all(well for _, well in report):
        raise typer.Exit(1)


def print_report(report: Iterable[tuple[ProcessRecord, bool]]) -> None:
    """Print a line a process: name, state, pid, address."""
    for record, well in report:
        state = "well" if well else "does not answer"
        typer.echo(f"{record.name:<22} {state:<16} {record.pid:>8}  {record.address}")


def missing_beside(running: Collection[str]) -> tuple[str, ...]:
    """Name the services' processes that an environment lacks beside those that run."""
    missing: list[str] = []
    for environment in (OPERATIONS, REHEARSAL):
        names = [
            process_name(service, role, environment=environment.name)
            for service in services_there()
            for role in ROLES
        ]
        if any(name in running for name in names):
            missing += [name for name in names if name not in running]
    return tuple(missing)
