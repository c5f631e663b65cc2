"""`./yk backup`: a service's database as a file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.environments import OPERATIONS, REHEARSAL, services_there
from cli.processes import CannotStart
from cli.progress import step
from cli.rebuild import databases
from cli.servers.postgres import PostgresServer
from cli.services import KEYS_DATABASE
from cli.state import DEVELOPMENT


def run(
    service: Annotated[str, typer.Argument(help="The service, or `keys` for the personal keys.")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="The rehearsal's.")] = False,
) -> None:
    """Write a service's database into a file, as it stands at one moment; services go on."""
    names = [known.name for known in services_there()] + [KEYS_DATABASE]
    if service not in names:
        raise CannotStart(f"There is no service {service}; there is: {', '.join(names)}.")
    server = PostgresServer(DEVELOPMENT)
    if not server.healthy():
        raise CannotStart("PostgreSQL is not running; start the system with ./yk up.")
    environment = REHEARSAL if rehearsal else OPERATIONS
    with step(f"Writing {environment.database(service)} into {file}"):
        databases.dump(server.dsn(environment.database(service)), file=file)
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")
