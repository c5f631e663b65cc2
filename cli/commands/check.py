"""`./yk check`: what must hold before a commit."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import typer

from cli.state import CHECKOUT

STEPS = {
    "format": ("ruff", "format", "--check"),
    "lint": ("ruff", "check", "--output-format", "concise"),
    "types": ("mypy", "."),
    "imports": ("lint-imports",),
    "tests": ("pytest", "tests/unit", "tests/architecture", "-q", "-n", "2"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended; `output` is all it printed."""

    status: int
    output: str
    seconds: float


def run() -> None:
    """Check format, lint, types, imports, unit and architecture tests; says what failed."""
    # Two at a time: the type check takes about as long as the others together.
    with ThreadPoolExecutor(max_workers=2) as pool:
        pending = {name: pool.submit(_outcome, step) for name, step in _longest_first()}
        failed = False
        for name in STEPS:
            outcome = pending[name].result()
            failed = failed or outcome.status != 0
            mark = "ok" if outcome.status == 0 else "FAILED"
            typer.echo(f"{name:<8} {mark:<6} {outcome.seconds:5.1f} s")
            if outcome.status != 0:
                typer.echo(outcome.output)
    if failed:
        raise typer.Exit(1)


def _longest_first() -> list[tuple[str, tuple[str, ...]]]:
    return sorted(STEPS.items(), key=lambda item: item[0] != "types")


def _outcome(step: tuple[str, ...]) -> Outcome:
    started = time.monotonic()
    done = subprocess.run(
        [Path(sys.executable).with_name(step[0]), *step[1:]],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(status=done.returncode, output=done.stdout, seconds=time.monotonic() - started)
