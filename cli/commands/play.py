"""`./yk play`: scenario files, through the running system or in this process."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.play.compare import differences
from cli.play.offline import TERMS, play_offline
from cli.play.rehearsal import rehearsal_running, stage
from cli.play.scenario import MalformedScenario, Scenario, Settings, read_scenario, unknown_fields
from cli.play.system import SystemPlayer
from cli.play.tables import result_tables
from cli.processes import CannotStart
from cli.progress import say, step
from cli.state import DEVELOPMENT
from cli.system import Addresses
from cli.terms.check import check
from libs.refusal.refusal import Refusal
from libs.terms.faults import WrongTerms, near
from libs.terms.offered import services_of

_STDIN = "-"
_WIDTH = 120
_ONLY_OFFLINE = "settings are terms of an installation: played offline, not through the system"

Result = dict[str, Any]
Play = Callable[[Scenario], Awaitable[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A file as it was read: its scenario, or why there is none.

    `expected` is what the file says should come of it, None where it is no case; `unknown` has a
    sentence for each field that was passed over.
    """

    name: str
    scenario: Scenario | None = None
    expected: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    error: str | None = None


def run(
    files: Annotated[list[str], typer.Argument(help="Scenarios or cases; `-` is standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A result a line, in order.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Without servers.")] = False,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="FOLDER", help="Terms to play by instead; only offline."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail when a case disagrees.")] = False,
) -> None:
    """Play scenarios and print what came of each.

    Exit status 1 when a file could not be played, or with --check when a case does not agree.
    """
    folder = _folder_of(terms, offline=offline)
    told = [_sold(read(name), terms=folder) for name in files]
    if offline or not any(one.scenario for one in told):
        results = asyncio.run(_results(told, play=partial(play_offline, terms=folder)))
    else:
        with rehearsal_running(DEVELOPMENT) as addresses:
            results = asyncio.run(_through_the_system(addresses, told))
    show = _as_json if as_json else _as_tables
    disagreeing = [show(one, result) for one, result in zip(told, results, strict=True)]
    if any("error" in result for result in results) or (check and any(disagreeing)):
        raise typer.Exit(1)


def _folder_of(terms: Path | None, *, offline: bool) -> Path:
    """Give the folder to play by. Raises CannotStart where it is wrong, before anything is played."""
    if terms is None:
        return TERMS
    if not offline:
        raise CannotStart("other terms are played by in this process: add --offline")
    try:
        check(terms)
    except WrongTerms as wrong:
        raise CannotStart(f"these terms are wrong, and nothing was played:\n{wrong}") from wrong
    return terms


def read(name: str) -> Told:
    """Read a file, `-` being standard input; what is wrong with it is told, not raised."""
    try:
        text = sys.stdin.read() if name == _STDIN else Path(name).read_text(encoding="utf-8")
        document = json.loads(text)
        scenario = read_scenario(document)
    except OSError as error:
        return Told(name=name, error=f"{name}: {error.strerror or error}")
    except UnicodeDecodeError as error:
        return Told(name=name, error=f"{name}: not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        return Told(name=name, error=f"{name}: not JSON: {error.msg} at {place}")
    except RecursionError:
        return Told(name=name, error=f"{name}: nested too deeply")
    except MalformedScenario as error:
        return Told(name=name, error=f"{name}: {error.detail}")
    return Told(
        name=name,
        scenario=scenario,
        expected=document.get("expected"),
        unknown=tuple(unknown_fields(document.get("scenario", document), scenario)),
    )


def _sold(told: Told, *, terms: Path) -> Told:
    """Refuse a scenario of a service that has no terms in a folder."""
    known = services_of(terms)
    if told.scenario is None or told.scenario.service in known:
        return told
    hint = near(told.scenario.service, known) or f"; there are {', '.join(known)}"
    error = f"{told.name}: /service: there are no terms of {told.scenario.service}{hint}"
    return Told(name=told.name, error=error)


async def _through_the_system(addresses: Addresses, told: Sequence[Told]) -> list[Result]:
    async with stage(addresses, state=DEVELOPMENT) as found:
        if found.parked_before:
            say(f"{found.parked_before} streams stand parked from before; they are passed over")
        player = SystemPlayer(found)

        async def play(scenario: Scenario) -> Result:
            if scenario.settings == Settings():
                return await player.play(scenario)
            result = await play_offline(scenario)
            result["warnings"].append(_ONLY_OFFLINE)
            return result

        with step(f"Playing {len(told)} {'scenario' if len(told) == 1 else 'scenarios'}"):
            return await _results(told, play=play)


async def _results(told: Sequence[Told], *, play: Play) -> list[Result]:
    return list(await asyncio.gather(*(_result(one, play=play) for one in told)))


async def _result(one: Told, *, play: Play) -> Result:
    if one.scenario is None:
        return {"error": one.error}
    try:
        result = await play(one.scenario)
    except Refusal as refused:
        return {"error": f"{one.name}: {refused.detail}"}
    except WrongTerms as error:
        service = one.scenario.service
        return {"error": f"{one.name}: the terms of {service} cannot be played by: {error}"}
    except Exception as error:  # noqa: BLE001 - one file's mistake must not end the others' play
        return {"error": f"{one.name}: {type(error).__name__}: {error}"}
    result["warnings"] += one.unknown
    return result


def _as_json(one: Told, result: Result) -> list[str]:
    print(json.dumps(result, ensure_ascii=False), flush=True)
    found = _differences(one, result)
    for difference in found:
        print(f"{one.name}: {difference}", file=sys.stderr)
    return found


def _as_tables(one: Told, result: Result) -> list[str]:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    if "error" in result:
        console.print(f"[bold red]cannot be played:[/] {result['error']}", markup=True)
        return []
    for part in result_tables(one.name, result):
        console.print(part)
    found = _differences(one, result)
    if one.expected is not None:
        console.print(
            "[red]does not agree[/]" if found else "[green]agrees with what is expected[/]"
        )
        for difference in found:
            console.print(f"  {difference}", markup=False)
    return found


def _differences(one: Told, result: Result) -> list[str]:
    if one.expected is None or "error" in result:
        return []
    return differences(one.expected, result)
