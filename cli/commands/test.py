"""`./yk test`: the tests, by pytest."""

import os
import sys

import typer

from cli.state import CHECKOUT

SUITES = ("unit", "contract", "integration", "acceptance", "architecture")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def run(arguments: list[str] | None = typer.Argument(None)) -> None:
    """Run all tests, or those of a suite; what follows goes to pytest."""
    rest = arguments or []
    folder = []
    if rest and rest[0] in SUITES:
        folder, rest = [f"tests/{rest[0]}"], rest[1:]
    os.chdir(CHECKOUT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *folder, *rest])
