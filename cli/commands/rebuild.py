"""`./yk rebuild`: views, topics and readers made again from the logs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, NamedTuple

import asyncpg
import typer

from cli.environments import services_there
from cli.processes import CannotStart
from cli.progress import step
from cli.rebuild import telling
from cli.rebuild.consumers import build_again
from cli.rebuild.opened import Opened, opened
from cli.rebuild.place import Place, place, stopped
from libs.events.database import Pool
from libs.events.resending import Examined, SomeoneSends, send_again
from libs.events.shadow import Comparison, beside
from libs.events.shadow_marks import OtherHistory
from libs.events.shadow_reader import Kept, ReaderBeside, reader_beside
from libs.events.shadow_sql import InUse
from libs.events.shadow_tables import Compared, NothingBeside
from libs.events.trouble import Stopped

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


Compare = Annotated[bool, typer.Option(help="Compare it with the live one, row by row.")]
Switch = Annotated[bool, typer.Option(help="Put it in the live one's place.")]
Drop = Annotated[bool, typer.Option(help="Remove the one beside, and what was kept.")]


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
    compare: Compare = False,
    switch: Switch = False,
    drop: Drop = False,
    rehearsal: Rehearsal = False,
) -> None:
    """Build a view anew beside the live one, which goes on; again goes on where it stood.

    The exit status is 1 when a comparison finds a difference and nothing is switched.
    """
    at = place(service, rehearsal=rehearsal)
    try:
        found = asyncio.run(_view(at, name, compare=compare, switch=switch, drop=drop))
    except (NothingBeside, InUse) as refused:
        raise CannotStart(f"{refused}.") from refused
    if found is not None and found.found.total and not switch:
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
    compare: Compare = False,
    switch: Switch = False,
    drop: Drop = False,
    rehearsal: Rehearsal = False,
) -> None:
    """Build what a reader keeps anew beside the live rows, which stay; again goes on where it stood.

    A reader that decides keeps none: after a log was restored with a new epoch it goes on where the
    logs parted, and decides nothing twice. The exit status is 1 when a comparison finds a
    difference and nothing is switched.
    """
    at = place(service, rehearsal=rehearsal)
    telling.quieten()
    try:
        found = asyncio.run(_consumer(at, reader, Wish(compare, switch, drop)))
    except (NothingBeside, InUse, Stopped, OtherHistory) as refused:
        raise CannotStart(f"{str(refused).rstrip('.')}.") from refused
    if found is not None and found.total and not switch:
        raise typer.Exit(1)


class Wish(NamedTuple):
    """What is to be done with what stands beside the live rows."""

    compare: bool
    switch: bool
    drop: bool


async def _names(at: Place) -> tuple[list[str], list[str]]:
    async with _opened(at) as service:
        return [one.name for one in service.views], list(service.readers)


async def _view(
    at: Place, name: str, *, compare: bool, switch: bool, drop: bool
) -> Comparison | None:
    async with _opened(at) as service:
        live = service.view(name)
        async with beside(live, log=service.log, pool=service.pool, dsn=service.dsn) as shadow:
            if drop:
                await shadow.drop()
                typer.echo(f"{name}: nothing stands beside the live one any more")
                return None
            began = await shadow.begin()
            with step(f"{'Building' if began else 'Going on with'} {name} beside the live one"):
                position = await shadow.follow(told=telling.counting(name))
            found = None
            if compare:
                with step(f"Comparing {name}"):
                    found = await shadow.compare()
                where = f"at position {found.position:,}"
                for line in telling.compared(name, found.found, where=where):
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


async def _consumer(at: Place, reader: str, wish: Wish) -> Compared | None:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(_opened(at))
        sources: dict[str, Pool] = {}
        for source in services_there():
            dsn = at.surroundings.database_urls[source.name]
            pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=0, max_size=1))
            sources[f"{at.environment.topic_prefix}{source.name}"] = pool
        kept = service.kept(reader)
        if kept is not None:
            return await _kept(at, service, kept, sources=sources, wish=wish)
        if any(wish):
            raise CannotStart(f"{reader} decides and keeps no rows: there is nothing to compare.")
        with stopped(at, "worker"):
            done = await build_again(service, reader, sources=sources)
        for line in telling.built_again(reader, done):
            typer.echo(line)
    return None


async def _kept(
    at: Place, service: Opened, kept: Kept, *, sources: Mapping[str, Pool], wish: Wish
) -> Compared | None:
    async with reader_beside(
        kept,
        log=service.log,
        keys=service.keys,
        dsn=service.dsn,
        bootstrap=at.surroundings.kafka,
        sources=sources,
    ) as shadow:
        if wish.drop:
            await shadow.drop()
            typer.echo(f"{kept.reader}: nothing stands beside the live rows any more")
            return None
        began = await shadow.begin()
        with step(f"{'Building' if began else 'Going on with'} {kept.reader} beside the live rows"):
            marks = await shadow.follow(told=telling.counting(kept.reader))
        found = await _compared(shadow) if wish.compare else None
        if wish.switch:
            await _switch(at, shadow)
        elif not wish.compare:
            typer.echo(
                f"{kept.reader}: stands beside the live rows {telling.marked(marks)}; --compare"
                " tells differences, --switch puts it in place, --drop removes it"
            )
        return found


async def _compared(shadow: ReaderBeside) -> Compared:
    reader = shadow.kept.reader
    with step(f"Comparing {reader}"):
        both = await shadow.compare()
    for line in telling.compared(reader, both.found, where=telling.marked(both.marks)):
        typer.echo(line)
    return both.found


async def _switch(at: Place, shadow: ReaderBeside) -> None:
    marks = await shadow.switch()
    typer.echo(
        f"{shadow.kept.reader}: switched {telling.marked(marks)}; the old rows are in the schema"
        f" {shadow.replaced} until --drop"
    )
    for line in telling.parted(marks):
        typer.echo(line)
    if marks.parted:
        # A reader that met another log takes nothing until it is started again.
        with stopped(at, "worker"):
            pass


@asynccontextmanager
async def _opened(at: Place) -> AsyncIterator[Opened]:
    async with opened(at.service.name, environment=at.variables) as service:
        yield service
