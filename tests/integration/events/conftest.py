"""A log of the contracts context with its topic, and a reader's database of billing."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.integration.events.stage import Databases, MakeStage, a_stage
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
def seed() -> int:
    """From which tests with chance in them draw; a failure names it. `YK_TEST_SEED` sets it."""
    return int(os.environ.get("YK_TEST_SEED", "1"))


@pytest.fixture(scope="module")
def databases(postgres_dsn: str) -> Iterator[Databases]:
    found = Databases(postgres_dsn)
    yield found
    asyncio.run(found.drop())


@pytest.fixture
async def make_stage(
    databases: Databases, kafka_bootstrap: str, tmp_path: Path, seed: int
) -> AsyncIterator[MakeStage]:
    """Makes an empty stage at each call; its databases are taken again by others afterwards."""
    yield partial(a_stage, databases, bootstrap=kafka_bootstrap, folder=tmp_path, seed=seed)
    await databases.give_back()
