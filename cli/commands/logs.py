"""`./yk logs`: what the processes say."""

import os
from typing import Annotated

import typer

from cli.processes import CannotStart, ProcessTable
from cli.state import DEVELOPMENT

_LINES = "200"


def run(
    name: Annotated[str | None, typer.Argument(help="The process; all without it.")] = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines come.")] = False,
) -> None:
    """Print the end of a process's log, or of all logs."""
    logs = sorted(DEVELOPMENT.logs.glob("*.log"))
    if name is not None:
        logs = [log for log in logs if log == ProcessTable(DEVELOPMENT).log_path(name)]
    if not logs:
        raise CannotStart("There is no such log." if name else "There are no logs yet.")
    followed = ["-F"] if follow else []
    os.execvp("tail", ["tail", "-n", _LINES, *followed, *(str(log) for log in logs)])
