"""Logs, topics and readers to be built again, and notifications as it runs."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from cli.rebuild import databases
from tests.conftest import MakeDatabase
from tests.integration.notifications.conftest import (  # noqa: F401 - fixtures of the same service
    around,
    mail,
    rehearsal,
    settings,
    worker,
)
from tests.integration.rebuild.installation import Installation, installed
from tests.support.way import Place, a_log, a_topic


@pytest.fixture
async def source(database: MakeDatabase) -> AsyncIterator[Place]:
    async with a_log(await database(), "contracts") as place:
        yield place


@pytest.fixture
async def target(database: MakeDatabase) -> AsyncIterator[Place]:
    async with a_log(await database(), "billing") as place:
        yield place


@pytest.fixture
async def topic(kafka_bootstrap: str, topic_prefix: str) -> str:
    return await a_topic(kafka_bootstrap, prefix=topic_prefix)


@pytest.fixture
async def here(
    database: MakeDatabase, postgres_dsn: str, kafka_bootstrap: str, topic_prefix: str
) -> AsyncIterator[Installation]:
    """Contracts and billing, migrated and not yet running."""
    found = await installed(
        database, admin=postgres_dsn, kafka=kafka_bootstrap, prefix=topic_prefix
    )
    yield found
    for url in found.urls.values():
        for kept in ("_replaced", "_replaced_2", "_restored"):
            await databases.drop(postgres_dsn, urlsplit(url).path[1:] + kept)
