"""`./yk reconcile`: whether logs, views, topics and the effects in other contexts agree."""

import asyncio
import json
import time
from typing import Annotated

import typer

from cli.environments import OPERATIONS, REHEARSAL, Environment, services_there
from cli.keys import master_key
from cli.processes import CannotStart, ProcessTable
from cli.progress import say
from cli.reconcile.checks import checks_of, opened
from cli.reconcile.rounds import Notebook, Told, line, lines, round_of
from cli.servers import kafka
from cli.servers.postgres import PostgresServer
from cli.state import DEVELOPMENT

_SAY_SECONDS = 2.0


def run(
    service: Annotated[
        str | None, typer.Argument(help="The service to look at; all without one.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run was broken off.")
    ] = False,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Look at the rehearsal environment.")
    ] = False,
) -> None:
    """Compare everything that must agree; exit status 1 when something does not.

    What has not arrived yet is no drift: it is compared as far as both sides have come. Traffic
    may go on meanwhile.
    """
    names = [known.name for known in services_there()]
    if service not in {None, *names}:
        raise CannotStart(f"There is no service {service}.")
    asked = names if service is None else [service]
    environment = REHEARSAL if rehearsal else OPERATIONS
    rounds = asyncio.run(_rounds(environment, asked, names=names, resume=resume, quiet=as_json))
    if as_json:
        typer.echo(json.dumps([_as_json(told) for told in rounds], indent=2, ensure_ascii=False))
    else:
        for told in lines(rounds):
            typer.echo(told)
        if not lines(rounds):
            typer.echo("everything agrees")
    if lines(rounds):
        raise typer.Exit(1)


async def _rounds(
    environment: Environment, asked: list[str], *, names: list[str], resume: bool, quiet: bool
) -> list[Told]:
    server = PostgresServer(DEVELOPMENT)
    broker = ProcessTable(DEVELOPMENT).find(kafka.NAME)
    if not server.healthy() or broker is None:
        raise CannotStart("The servers are not running; start the system with ./yk up.")
    notebook = Notebook(
        DEVELOPMENT.folder / f"reconcile{environment.name and '-'}{environment.name}.json",
        resume=resume,
    )
    rounds: list[Told] = []
    progress = _Progress()
    async with opened(
        environment,
        services=names,
        dsn_of=server.dsn,
        kafka=broker.address,
        master_key=master_key(DEVELOPMENT),
    ) as there:
        for name in asked:
            for check in checks_of(name, there):
                told = await round_of(name, check, notebook=notebook, told=progress)
                rounds.append(told)
                if not quiet:
                    typer.echo(line(told))
    notebook.done()
    return rounds


class _Progress:
    """Says every two seconds how far a check is."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, name: str, looked: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SAY_SECONDS:
            self._said_at = now
            say(f"{name}: {looked:,} looked at …")


def _as_json(told: Told) -> dict[str, object]:
    return {
        "service": told.service,
        "check": told.round.check,
        "looked": told.round.looked,
        "drift": [drift.model_dump(exclude={"check"}) for drift in told.round.drift],
    }
