"""Logs, topics and readers to be built again, and notifications as it runs."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import MakeDatabase
from tests.integration.notifications.conftest import (  # noqa: F401 - fixtures of the same service
    around,
    mail,
    rehearsal,
    settings,
    worker,
)
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
