"""`./yk chaos`: a system of its own under load and faults, and whether anything was lost."""

import asyncio
import random
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.chaos.ground import a_ground
from cli.chaos.rest import NeverAtRest
from cli.chaos.run import Ran, Unanswered, run_chaos
from cli.processes import CannotStart, ended_by_signals
from cli.progress import say
from cli.state import CHECKOUT, State

_CHAOS = State(CHECKOUT / ".yk" / "chaos")
_SEEDS = 1_000_000
_MINUTE_SECONDS = 60


def run(
    *,
    minutes: Annotated[float, typer.Option(help="How long it is loaded and struck.")] = 2.0,
    seed: Annotated[
        int | None, typer.Option(help="Chooses the faults and the load; any when not given.")
    ] = None,
) -> None:
    """Start all services beside anything that runs, strike them, and count what was acknowledged.

    Exit status 1 when an acknowledged command is not in the log, on its topic and in effect, each
    exactly once and in order. The same seed gives the same faults at the same times.
    """
    chosen = random.randrange(_SEEDS) if seed is None else seed  # noqa: S311 - guards nothing
    again = f"./yk chaos --minutes {minutes:g} --seed {chosen}"
    say(f"seed {chosen}; to repeat it: {again}")
    try:
        with ended_by_signals():
            ran = asyncio.run(_run(seed=chosen, seconds=minutes * _MINUTE_SECONDS))
    except (NeverAtRest, Unanswered) as error:
        raise CannotStart(f"{error}. Logs: {_CHAOS.logs}; to repeat it: {again}") from error
    _print(ran)
    if ran.outcome.complaints:
        say(f"Something is wrong. Journal: {ran.journal}; to repeat it: {again}")
        raise typer.Exit(1)


async def _run(*, seed: int, seconds: float) -> Ran:
    with _CHAOS.held():
        async with a_ground(_CHAOS) as ground:
            return await run_chaos(ground, seed=seed, seconds=seconds, tell=say)


def _print(ran: Ran) -> None:
    table = Table("what", "how many", title=f"{ran.seconds:.0f} s of chaos, seed {ran.seed}")
    table.add_row("faults", str(len(ran.faults)))
    table.add_row("attempts repeated by callers", str(ran.repeats))
    table.add_row("processes that ended unasked", str(len(ran.ended)))
    for what, number in ran.outcome.counts.items():
        table.add_row(what, str(number))
    console = Console(highlight=False)
    console.print(table)
    for name in ran.ended:
        console.print(f"ended unasked: {name}")
    for complaint in ran.outcome.complaints:
        console.print(f"[red]WRONG[/red] {complaint}")
    if not ran.outcome.complaints:
        console.print("acknowledged = in the log = on the topic = in effect, each once, in order")
