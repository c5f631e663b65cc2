"""`./yk rebuild`: views, topics and readers made again from the logs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import asyncpg
import typer

from cli.environments import services_there
from cli.processes import CannotStart
from cli.progress import step
from cli.rebuild import telling
from cli.rebuild.consumers import BuiltAgain, build_again
from cli.rebuild.opened import Opened, opened
from cli.rebuild.place import Place, place, stopped
from libs.events.database import Pool
from libs.events.resending import Examined, SomeoneSends, send_again
from libs.events.shadow import Comparison, NothingBeside, beside

app = typer.Typer(
    help="Make a view, a topic or a reader's rows again from the logs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ServiceName = Annotated[str, typer.Argument(help="The service.")]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="The rehearsal's, not the operator's.")
]


@app.command()
def views() -> None:
    """List the views and the readers of every service."""
    for service in services_there():
        at = place(service.name)
        found = asyncio.run(_names(at))
        typer.echo(f"{service.name}  views: {', '.join(found[0])}  readers: {', '.join(found[1])}")


@app.command()
def view(
    service: ServiceName,
    name: Annotated[str, typer.Argument(metavar="VIEW", help="The view, as in /standing.")],
    *,
    compare: Annotated[
        bool, typer.Option(help="Compare it with the live one, row by row.")
    ] = False,
    switch: Annotated[bool, typer.Option(help="Put it in the live one's place.")] = False,
    drop: Annotated[bool, typer.Option(help="Remove the one beside, and what was kept.")] = False,
    rehearsal: Rehearsal = False,
) -> None:
    """Build a view anew beside the live one, which goes on; again goes on where it stood.

    The exit status is 1 when a comparison finds a difference and nothing is switched.
    """
    at = place(service, rehearsal=rehearsal)
    try:
        found = asyncio.run(_view(at, name, compare=compare, switch=switch, drop=drop))
    except NothingBeside as refused:
        raise CannotStart(f"{refused}.") from refused
    if found is not None and found.total and not switch:
        raise typer.Exit(1)


@app.command()
def topic(service: ServiceName, *, rehearsal: Rehearsal = False) -> None:
    """Have the service's topic hold all of its log: as it is if it is true, else made anew.

    Its worker stands still meanwhile; its API goes on. Again goes on where it stood.
    """
    at = place(service, rehearsal=rehearsal)
    with stopped(at, "worker"):
        found = asyncio.run(_topic(at))
    if found.trouble is not None:
        raise CannotStart(f"The topic is still not what the log says: {found.trouble}")
    typer.echo(f"{at.topic}: {found.events:,} events, each as the log has it")


@app.command()
def consumer(
    service: ServiceName,
    reader: Annotated[str, typer.Argument(help="The reader, as in /standing.")],
    *,
    rehearsal: Rehearsal = False,
) -> None:
    """Build a reader again that stopped because a log was restored with a new epoch.

    What it kept is forgotten and taken again. What it decided stays: it goes on where the logs
    parted, and decides nothing twice.
    """
    at = place(service, rehearsal=rehearsal)
    with stopped(at, "worker"):
        found = asyncio.run(_consumer(at, reader))
    for line in telling.built_again(reader, found):
        typer.echo(line)


async def _names(at: Place) -> tuple[list[str], list[str]]:
    async with _opened(at) as service:
        return [one.name for one in service.views], [one.name for one in service.readers]


async def _view(
    at: Place, name: str, *, compare: bool, switch: bool, drop: bool
) -> Comparison | None:
    async with _opened(at) as service:
        live = service.view(name)
        async with beside(live, log=service.log, pool=service.pool, dsn=service.dsn) as shadow:
            if drop:
                await shadow.drop()
                await shadow.forget_replaced()
                typer.echo(f"{name}: nothing stands beside the live one any more")
                return None
            began = await shadow.begin()
            with step(f"{'Building' if began else 'Going on with'} {name} beside the live one"):
                position = await shadow.follow(told=telling.counting(name))
            found = None
            if compare:
                with step(f"Comparing {name}"):
                    found = await shadow.compare()
                for line in telling.compared(name, found):
                    typer.echo(line)
            if switch:
                position = await shadow.switch()
                typer.echo(
                    f"{name}: switched at position {position:,}; the old tables are in the schema"
                    f" replaced_{name} until --drop"
                )
            elif not compare:
                typer.echo(
                    f"{name}: stands beside the live one at position {position:,}; --compare tells"
                    " differences, --switch puts it in place, --drop removes it"
                )
            return found


async def _topic(at: Place) -> Examined:
    try:
        with step(f"Making {at.topic} as its log says"):
            return await send_again(
                at.dsn,
                topic=at.topic,
                bootstrap=at.surroundings.kafka,
                told=telling.counting(at.topic),
            )
    except SomeoneSends as refused:
        raise CannotStart(
            f"A relay of {at.service.name} runs elsewhere: stop it first."
        ) from refused


async def _consumer(at: Place, reader: str) -> BuiltAgain:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(_opened(at))
        sources: dict[str, Pool] = {}
        for source in services_there():
            dsn = at.surroundings.database_urls[source.name]
            pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=0, max_size=1))
            sources[f"{at.environment.topic_prefix}{source.name}"] = pool
        return await build_again(service, service.reader(reader), sources=sources)


@asynccontextmanager
async def _opened(at: Place) -> AsyncIterator[Opened]:
    async with opened(at.service.name, environment=at.variables) as service:
        yield service
