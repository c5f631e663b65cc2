"""Notifications as it runs, between the contexts that it reads and a real mail server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pydantic import SecretStr

from libs.process.running import side_by_side
from services.notifications.main import Built, build, make_worker, run_migrate
from services.notifications.settings import Settings
from tests.conftest import MakeDatabase
from tests.support.contexts import MASTER_TEXT, Surroundings, surroundings
from tests.support.mail import MailServer
from tests.support.way import running

CONTEXTS = ("contracts", "monitoring", "billing")

Running = Callable[[], AbstractAsyncContextManager[Built]]


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """A mail server, not started yet; stopped in the end whatever the test came to."""
    server = MailServer()
    yield server
    await server.stop()


@pytest.fixture
def rehearsal() -> bool:
    return False


@pytest.fixture
async def around(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str, *, rehearsal: bool
) -> AsyncIterator[Surroundings]:
    async with surroundings(
        *CONTEXTS,
        topics=(*CONTEXTS, "notifications"),
        database=database,
        kafka=kafka_bootstrap,
        prefix=topic_prefix,
        rehearsal=rehearsal,
    ) as found:
        yield found


@pytest.fixture
async def settings(
    database: MakeDatabase, around: Surroundings, mail: MailServer, *, rehearsal: bool
) -> Settings:
    await mail.start()
    await mail.stop()
    found = Settings(
        database_url=SecretStr(await database()),
        keys_url=SecretStr(around.keys_url),
        master_key=SecretStr(MASTER_TEXT),
        kafka=around.kafka,
        jwks_url="http://127.0.0.1:1/",
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        mail_attempts=2,
        mail_retry_seconds=0.05,
        topic_prefix=around.prefix,
        rehearsal=rehearsal,
    )
    await run_migrate(found)
    return found


@pytest.fixture
def worker(settings: Settings) -> Running:
    """Runs the worker for as long as a block."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Built]:
        async with build(settings) as built:
            runs = make_worker(built).runs
            async with running(lambda stop: side_by_side(*runs, stop=stop)):
                yield built

    return run
