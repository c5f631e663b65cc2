"""`./yk fmt`: formatting."""

import subprocess
import sys

import typer

from cli.state import CHECKOUT


def run() -> None:
    """Format the code and repair what the linter can repair."""
    for arguments in (["check", "--fix", "--quiet", "--exit-zero"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *arguments]
        status = subprocess.run(ruff, cwd=CHECKOUT, check=False).returncode
        if status:
            raise typer.Exit(status)
