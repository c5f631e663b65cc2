"""`./yk parked`: the streams that readers could not take, and what to do with them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import asyncpg
import typer

from cli.environments import OPERATIONS, services_there
from cli.processes import CannotStart
from cli.servers.postgres import PostgresServer
from cli.state import DEVELOPMENT
from libs.events import parking
from libs.events.database import Pool
from libs.events.parking import Parked, ParkedStream

Answer = TypeVar("Answer")

app = typer.Typer(
    help="Show what readers could not take; `retry` and `skip` what stands first.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

ServiceName = Annotated[str, typer.Argument(help="The service that reads.")]
Reader = Annotated[str, typer.Argument(help="The reader, as listed.")]
Stream = Annotated[UUID, typer.Argument(help="The stream, as listed.")]
Topic = Annotated[str | None, typer.Option(help="The topic, when it is parked in several.")]


@app.callback(invoke_without_command=True)
def parked(context: typer.Context) -> None:
    """Print every parked stream with the event it stopped at, the reason, and what is behind."""
    if context.invoked_subcommand is not None:
        return
    for service in services_there():
        for first, behind in streams(asyncio.run(_within(service.name, parking.list_parked))):
            typer.echo(line(service.name, first, behind=behind))


@app.command()
def retry(service: ServiceName, reader: Reader, stream: Stream, *, topic: Topic = None) -> None:
    """Have the service's worker try a parked stream again."""

    async def ask(pool: Pool) -> None:
        found = await _find(pool, reader=reader, stream_id=stream, topic=topic)
        await parking.ask_retry(pool, found)

    asyncio.run(_within(service, ask))
    typer.echo("the worker tries it again within a second; `./yk parked` shows what came of it")


@app.command()
def skip(
    service: ServiceName,
    reader: Reader,
    stream: Stream,
    *,
    because: Annotated[str, typer.Option(help="Why it is given up; kept for ever.")],
    by: Annotated[str, typer.Option(help="Who gives it up.")],
    topic: Topic = None,
) -> None:
    """Give up the event at which a parked stream stopped; what is behind it is tried next."""

    async def give_up(pool: Pool) -> UUID:
        found = await _find(pool, reader=reader, stream_id=stream, topic=topic)
        return await parking.skip(pool, found, because=because, by=by)

    typer.echo(f"skipped event {asyncio.run(_within(service, give_up))}")


def streams(events: Sequence[Parked]) -> list[tuple[Parked, int]]:
    """The first event of each parked stream, and how many stand behind it."""
    found: dict[ParkedStream, list[Parked]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        found.setdefault(_stream(event), []).append(event)
    return [(first, len(behind)) for first, *behind in found.values()]


def line(service: str, first: Parked, *, behind: int) -> str:
    """A parked stream in one line."""
    state = "waits" if first.waiting else "parked"
    return (
        f"{service} {first.consumer} {first.stream_id}  {state} at {first.topic}"
        f"/{first.partition}/{first.sequence}, event {first.event_id}, {behind} behind,"
        f" tried {first.attempts}: {first.reason}"
    )


async def _within(service: str, ask: Callable[[Pool], Awaitable[Answer]]) -> Answer:
    """Ask the database of a service of the running system."""
    if service not in {known.name for known in services_there()}:
        raise CannotStart(f"There is no service {service}.")
    server = PostgresServer(DEVELOPMENT)
    if not server.healthy():
        raise CannotStart("PostgreSQL is not running; start the system with ./yk up.")
    async with asyncpg.create_pool(
        server.dsn(OPERATIONS.database(service)), min_size=1, max_size=1
    ) as pool:
        return await ask(pool)


async def _find(pool: Pool, *, reader: str, stream_id: UUID, topic: str | None) -> ParkedStream:
    found = {
        _stream(event)
        for event in await parking.list_parked(pool)
        if (event.consumer, event.stream_id) == (reader, stream_id) and topic in {None, event.topic}
    }
    if not found:
        raise CannotStart(f"{reader} has parked no such stream {stream_id}.")
    if len(found) > 1:
        topics = ", ".join(sorted(one.topic for one in found))
        raise CannotStart(f"The stream is parked in several topics; give one as --topic: {topics}.")
    return found.pop()


def _stream(event: Parked) -> ParkedStream:
    return ParkedStream(consumer=event.consumer, topic=event.topic, stream_id=event.stream_id)
