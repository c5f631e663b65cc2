"""Each service's schema.sql is what its migrations make."""

from collections.abc import Awaitable, Callable

from cli.schema import migrated_schema, schema_file
from cli.services import KEYS_DATABASE, SERVICES, Surroundings


async def test_the_schemas_are_those_that_the_migrations_make(
    kafka_bootstrap: str, database: Callable[[], Awaitable[str]]
) -> None:
    names = [*(service.name for service in SERVICES), KEYS_DATABASE]
    surroundings = Surroundings(
        database_urls={name: await database() for name in names},
        kafka=kafka_bootstrap,
        jwks_url="http://127.0.0.1:9/jwks.json",
        master_key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        smtp_port=9,
    )
    for service in SERVICES:
        if service.exists:
            kept = schema_file(service).read_text(encoding="utf-8")
            assert migrated_schema(service, surroundings=surroundings) == kept, "run ./yk schema"
