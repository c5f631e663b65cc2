"""`./yk restore`: a service's database from a backup."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.environments import OPERATIONS, REHEARSAL, services_there
from cli.processes import CannotStart
from cli.progress import say, step
from cli.rebuild import telling
from cli.rebuild.place import Place, place, stopped
from cli.rebuild.restoring import Restored, Target, Way, restore, restore_keys
from cli.servers.postgres import PostgresServer
from cli.services import KEYS_DATABASE
from cli.state import DEVELOPMENT
from libs.events.resending import send_again


def run(
    service: Annotated[str, typer.Argument(help="The service, or `keys`.")],
    file: Annotated[Path, typer.Argument(help="The file that ./yk backup wrote.", exists=True)],
    *,
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Complete the log from its topic.")
    ] = False,
    new_epoch: Annotated[
        bool, typer.Option("--new-epoch", help="The topic's tail is lost: begin another log.")
    ] = False,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="The rehearsal's.")] = False,
) -> None:
    """Restore a service's database; the present one is kept aside, under another name.

    With --from-topic nothing that a reader took is lost, and the log keeps its identity. With
    --new-epoch what came after the backup is gone, and every reader of it stops until it is built
    again. The service stands still meanwhile.
    """
    if service == KEYS_DATABASE:
        _restore_keys(file, rehearsal=rehearsal)
        return
    if from_topic == new_epoch:
        raise CannotStart("Say one of --from-topic and --new-epoch; the first whenever it works.")
    at = place(service, rehearsal=rehearsal)
    way: Way = "from-topic" if from_topic else "new-epoch"
    with stopped(at):
        with step(f"Restoring {at.database} from {file}"):
            found = asyncio.run(_restored(at, file, way))
        for line in telling.restored(service, found):
            typer.echo(line)
        if way == "new-epoch":
            with step(f"Making the topic {at.topic} anew"):
                sent = asyncio.run(
                    send_again(
                        at.dsn,
                        topic=at.topic,
                        bootstrap=at.surroundings.kafka,
                        told=telling.counting(at.topic),
                    )
                )
            typer.echo(f"{at.topic}: made anew with {sent.events:,} events")
            say("  every reader that took events of the old log stops; for each, and at partners:")
            say("  ./yk rebuild consumer SERVICE READER   (./yk rebuild views lists them;")
            say("  with --switch where it keeps rows)")


def _restore_keys(file: Path, *, rehearsal: bool) -> None:
    """Restore the keys of personal data; who uses them finds them again by itself."""
    server = PostgresServer(DEVELOPMENT)
    if not server.healthy():
        raise CannotStart("PostgreSQL is not running; start it with ./yk migrate.")
    database = (REHEARSAL if rehearsal else OPERATIONS).database(KEYS_DATABASE)
    with step(f"Restoring {database} from {file}"):
        aside = asyncio.run(restore_keys(server.dsn(), database=database, file=file))
    typer.echo(f"{database}: restored; the database that was there is kept as {aside}")
    say("  what was sealed with keys made since the backup can be read with that one alone")


async def _restored(at: Place, file: Path, way: Way) -> Restored:
    urls = at.surroundings.database_urls
    target = Target(
        service=at.service.name,
        admin=PostgresServer(DEVELOPMENT).dsn(),
        database=at.database,
        topic=at.topic,
        kafka=at.surroundings.kafka,
        migrations=at.migrations,
        variables=at.variables,
        readers={
            other.name: urls[other.name]
            for other in services_there()
            if other.name != at.service.name
        },
    )
    said = telling.counting("events from the topic")
    return await restore(target, file=file, way=way, told=lambda count: said(count, count))
