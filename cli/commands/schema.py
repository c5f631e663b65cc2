"""`./yk schema`: each service's schema.sql."""

import asyncio
import uuid
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import typer

from cli.environments import create_databases
from cli.processes import CannotStart
from cli.progress import step
from cli.schema import migrated_schema, schema_file
from cli.services import Service, Surroundings
from cli.state import CHECKOUT, DEVELOPMENT
from cli.system import System
from libs.events.sampling import broken_samples


def run() -> None:
    """Write each service's schema.sql from its migrations, made in a database for the purpose.

    Refused while an event of a published version can't be read any more.
    """
    if broken := broken_samples():
        raise CannotStart("; ".join(broken) + ".")
    system = System(DEVELOPMENT)
    surroundings = system.start_servers()
    for service in system.services:
        with step(f"Dumping the schema of {service.name}"):
            schema_file(service).write_text(_schema(service, surroundings), encoding="utf-8")
        typer.echo(schema_file(service).relative_to(CHECKOUT))


def _schema(service: Service, surroundings: Surroundings) -> str:
    own = surroundings.database_urls[service.name]
    name = f"schema_{uuid.uuid4().hex}"
    asyncio.run(create_databases([name], dsn=own))
    urls = {
        **surroundings.database_urls,
        service.name: urlsplit(own)._replace(path=f"/{name}").geturl(),
    }
    try:
        return migrated_schema(service, surroundings=replace(surroundings, database_urls=urls))
    finally:
        asyncio.run(_drop(name, dsn=own))


async def _drop(name: str, *, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()
