"""`./yk bench`: how quick the parts are, each held to a limit measured in the same run."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.measure import Part
from benchmarks.report import json_of, text_of
from cli.processes import CannotStart, ended_by_signals

app = typer.Typer(
    help="Measure, print ratios in plain words, and write them as JSON.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Quick = Annotated[bool, typer.Option(help="Fewer and shorter cases, under three minutes.")]
Json = Annotated[Path | None, typer.Option("--json", help="A file to write the figures to.")]


@app.callback()
def bench() -> None:
    """Servers of the run's own are started in `.yk/bench` and removed at the end."""


@app.command()
def events(
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="append, relay, consume, effect, replay, growth; may be repeated."),
    ] = None,
    quick: Quick = False,
    json: Json = None,
) -> None:
    """The event log: append, relay, consume, effect in another service, replay, growth."""
    import uvloop

    from benchmarks.events.run import PARTS, run

    for name in only or ():
        if name not in PARTS:
            raise CannotStart(f"There is no part {name}; there are {', '.join(PARTS)}.")
    with ended_by_signals():
        parts = uvloop.run(run(only or (), quick=quick, told=_tell))
    finish(parts, json=json)


@app.command()
def rules(*, quick: Quick = False, json: Json = None) -> None:
    """The rules: assessments by service, scenarios played offline, and where their time goes."""
    from benchmarks.rules.run import run

    finish(run(quick=quick, told=_tell), json=json)


def finish(parts: Sequence[Part], *, json: Path | None) -> None:
    """Print what was reached and missed, and write the figures down if asked to."""
    for part in parts:
        for target in part.targets:
            typer.echo(str(target))
    if json is not None:
        command = shlex.join(["./yk", "bench", *sys.argv[2:]])
        json.write_bytes(json_of(parts, command=command, machine=machine()))


def machine() -> str:
    """What it ran on: processors, system, Python, and the load at the end."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, load {load:.1f}"
    )


def _tell(part: Part) -> None:
    typer.echo(text_of(part))
