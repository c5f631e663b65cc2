"""`./yk down`: stop what `up` started."""

import typer

from cli.progress import step
from cli.state import DEVELOPMENT
from cli.system import System


def run() -> None:
    """Stop all that `up` started, and nothing else; data stays."""
    with step("Stopping"):
        stopped = System(DEVELOPMENT).stop()
    typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
