"""`./yk parked`: the streams that readers could not take, and what to do with them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import asyncpg
import typer

from cli.environments import OPERATIONS, REHEARSAL, services_there
from cli.processes import CannotStart
from cli.rebuild.opened import opened
from cli.rebuild.place import place
from cli.servers.postgres import PostgresServer
from cli.state import DEVELOPMENT
from libs.events import parking, taking_again
from libs.events.database import Pool, transaction
from libs.events.parked_story import Story, tell
from libs.events.parking import NotFirst, ParkedStream, StreamParked
from libs.events.taking_again import Stand
from libs.events.trouble import Stopped
from libs.refusal.refusal import NotFound

Answer = TypeVar("Answer")

_PAGE = 200

app = typer.Typer(
    help=(
        "Show what readers could not take; `show`, `retry` and `skip` what stands first; `take-again`"
        " what a reader passed by."
    ),
    add_completion=False,
    pretty_exceptions_enable=False,
)

ServiceName = Annotated[str, typer.Argument(help="The service that reads.")]
Reader = Annotated[str, typer.Argument(help="The reader, as listed.")]
Stream = Annotated[UUID, typer.Argument(help="The stream, as listed.")]
Topic = Annotated[str | None, typer.Option(help="The topic, when it is parked in several.")]
Rehearsal = Annotated[bool, typer.Option("--rehearsal", help="In the rehearsal environment.")]


@app.callback(invoke_without_command=True)
def parked(context: typer.Context, *, rehearsal: Rehearsal = False) -> None:
    """Print every parked stream with the event it stopped at, the reason, and what is behind."""
    context.obj = rehearsal
    if context.invoked_subcommand is not None:
        return
    for service in services_there():
        for found in asyncio.run(_within(service.name, _all, rehearsal=rehearsal)):
            typer.echo(line(service.name, found))


@app.command()
def show(
    context: typer.Context,
    service: ServiceName,
    reader: Reader,
    stream: Stream,
    *,
    topic: Topic = None,
) -> None:
    """Tell all that is known of a parked stream."""

    async def ask(pool: Pool) -> Story:
        return await tell(pool, await _find(pool, reader=reader, stream_id=stream, topic=topic))

    for told in lines(asyncio.run(_within(service, ask, rehearsal=context.obj))):
        typer.echo(told)


@app.command()
def retry(
    context: typer.Context,
    service: ServiceName,
    reader: Reader,
    stream: Stream,
    *,
    topic: Topic = None,
) -> None:
    """Have the service's worker try a parked stream again."""

    async def ask(pool: Pool) -> None:
        found = await _find(pool, reader=reader, stream_id=stream, topic=topic)
        await parking.ask_retry(pool, found)

    asyncio.run(_within(service, ask, rehearsal=context.obj))
    typer.echo("the worker tries it again within a second; `./yk parked` shows what came of it")


@app.command()
def skip(
    context: typer.Context,
    service: ServiceName,
    reader: Reader,
    stream: Stream,
    *,
    because: Annotated[str, typer.Option(help="Why it is given up; kept for ever.")],
    by: Annotated[str, typer.Option(help="Who gives it up.")],
    event: Annotated[
        UUID | None, typer.Option(help="The event, as listed; refused when another stands first.")
    ] = None,
    topic: Topic = None,
) -> None:
    """Give up the event at which a parked stream stopped; what is behind it is tried next."""

    async def give_up(pool: Pool) -> UUID:
        found = await _find(pool, reader=reader, stream_id=stream, topic=topic)
        async with transaction(pool) as connection:
            return await parking.skip(connection, found, because=because, by=by, event_id=event)

    given_up = asyncio.run(_within(service, give_up, rehearsal=context.obj))
    typer.echo(f"skipped event {given_up}")


@app.command("take-again")
def take_again(
    context: typer.Context,
    service: ServiceName,
    reader: Annotated[str, typer.Argument(help="The reader, one that decides.")],
    stands: Annotated[
        list[str], typer.Argument(help="Events that it has taken, as TOPIC/PARTITION/SEQUENCE.")
    ],
) -> None:
    """Have a reader that decides take past events again, by the code of today, each at most once."""
    wanted = [stand_of(text) for text in stands]
    at = place(service, rehearsal=context.obj)

    event_ids = asyncio.run(
        parked_again(
            service, reader, wanted, environment=at.variables, bootstrap=at.surroundings.kafka
        )
    )
    for event_id in event_ids:
        typer.echo(
            f"event {event_id} is taken again within a second; `./yk parked` shows a failure"
        )


async def parked_again(
    service: str,
    reader: str,
    stands: Sequence[Stand],
    *,
    environment: dict[str, str],
    bootstrap: str,
) -> Sequence[UUID]:
    """Park events for a reader that decides, to be taken again; their ids. Raises CannotStart."""
    async with opened(service, environment=environment) as there:
        if there.kept(reader) is not None:
            raise CannotStart(
                f"{reader} decides nothing; build its rows again: ./yk rebuild consumer {service}"
                f" {reader}."
            )
        try:
            return await taking_again.take_again(
                there.pool, reader, stands=stands, bootstrap=bootstrap
            )
        except (taking_again.NotToTakeAgain, Stopped) as refused:
            raise CannotStart(f"Not taken again: {refused}.") from refused


def stand_of(text: str) -> Stand:
    """Where an event stands, from TOPIC/PARTITION/SEQUENCE; raises CannotStart."""
    topic, *numbers = text.split("/")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):  # noqa: PLR2004 - the partition, the sequence
        raise CannotStart(f"{text} is no TOPIC/PARTITION/SEQUENCE, as in contracts/3/17.")
    partition, sequence = (int(number) for number in numbers)
    return Stand(topic, partition, sequence)


def line(service: str, found: StreamParked) -> str:
    """A parked stream in one line."""
    first = found.first
    state = "waits" if first.waiting else "parked"
    return (
        f"{service} {first.consumer} {first.stream_id}  {state} at {first.topic}"
        f"/{first.partition}/{first.sequence}, event {first.event_id}, {found.behind} behind,"
        f" tried {first.attempts}: {first.reason}"
    )


def lines(story: Story) -> Iterator[str]:
    """A parked stream's story."""
    first = story.first
    yield f"event     {first.event_id} {story.type}, version {story.version} of its stream"
    yield f"recorded  {story.recorded_at.isoformat()} by {story.actor}"
    yield f"stands    at {first.topic}/{first.partition}/{first.sequence} for {first.consumer}"
    yield f"reason    {first.reason}"
    if first.clause is not None:
        yield f"clause    {first.clause}; see ./yk clauses where {first.clause}"
    yield f"tried     {first.attempts} times since {first.parked_at.isoformat()}"
    yield f"case      {story.correlation_id}"
    if story.trace_id is not None:
        yield f"trace     {story.trace_id}"
    yield f"behind    {story.behind}"
    for one in story.queue:
        yield f"          {one.sequence} {one.event_id} {one.type}"
    yield f"data      {story.data}"
    yield story.advice


async def _all(pool: Pool) -> list[StreamParked]:
    found: list[StreamParked] = []
    page = await parking.list_streams(pool, limit=_PAGE)
    while page:
        found.extend(page)
        page = await parking.list_streams(pool, after=page[-1].first.stream, limit=_PAGE)
    return found


async def _within(
    service: str, ask: Callable[[Pool], Awaitable[Answer]], *, rehearsal: bool
) -> Answer:
    """Ask the database of a service of the running system."""
    if service not in {known.name for known in services_there()}:
        raise CannotStart(f"There is no service {service}.")
    server = PostgresServer(DEVELOPMENT)
    if not server.healthy():
        raise CannotStart("PostgreSQL is not running; start the system with ./yk up.")
    environment = REHEARSAL if rehearsal else OPERATIONS
    async with asyncpg.create_pool(
        server.dsn(environment.database(service)), min_size=1, max_size=1
    ) as pool:
        try:
            return await ask(pool)
        except (NotFound, NotFirst) as refused:
            raise CannotStart(f"{refused.title}: {refused.detail}.") from refused


async def _find(pool: Pool, *, reader: str, stream_id: UUID, topic: str | None) -> ParkedStream:
    listed = await parking.list_streams(pool, limit=_PAGE, consumer=reader, stream_id=stream_id)
    found = [one.first.stream for one in listed if topic in {None, one.first.topic}]
    if not found:
        raise CannotStart(f"{reader} has parked no such stream {stream_id}.")
    if len(found) > 1:
        topics = ", ".join(sorted(one.topic for one in found))
        raise CannotStart(f"The stream is parked in several topics; give one as --topic: {topics}.")
    return found[0]
