"""What all tests share: real servers, a database and a topic prefix of their own."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.servers import KAFKA, POSTGRES, Plan, Servers, plan, running

MakeDatabase = Callable[[], Awaitable[str]]

WITHOUT_SERVERS = ("tests/unit", "tests/architecture")
"""The folders whose tests need no server, so that a run of these alone starts none."""

_PLAN = pytest.StashKey[Plan]()
_STACK = pytest.StashKey[ExitStack]()
_ORIGIN = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PLAN] = plan(os.environ)


def pytest_report_header(config: pytest.Config) -> str:
    return f"servers: {config.stash[_PLAN]}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """With xdist, start the servers once, before the workers, which inherit the addresses.

    A run of tests that need none starts none; a test that wants them all the same starts its own.
    """
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", default=None):
        return
    if all(each.startswith(WITHOUT_SERVERS) for each in config.args):
        return
    stack = ExitStack()
    servers = stack.enter_context(running(config.stash[_PLAN], environment=os.environ))
    config.stash[_STACK] = stack
    config.stash[_ORIGIN] = servers.origin
    os.environ[POSTGRES] = servers.postgres_dsn
    os.environ[KAFKA] = servers.kafka_bootstrap


def pytest_unconfigure(config: pytest.Config) -> None:
    if (stack := config.stash.get(_STACK, None)) is not None:
        stack.close()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if (origin := config.stash.get(_ORIGIN, None)) is not None:
        terminalreporter.write_line(f"servers used: {origin}")


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """The PostgreSQL and Kafka of this run."""
    with running(pytestconfig.stash[_PLAN], environment=os.environ) as found:
        pytestconfig.stash[_ORIGIN] = found.origin
        yield found


@pytest.fixture(scope="session")
def postgres_dsn(servers: Servers) -> str:
    """The DSN of a database whose user may create others."""
    return servers.postgres_dsn


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Servers) -> str:
    """The broker's `host:port`."""
    return servers.kafka_bootstrap


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[MakeDatabase]:
    """Makes an empty database of the test's own at each call and gives its DSN; dropped after."""
    names: list[str] = []

    async def make() -> str:
        name = f"test_{uuid.uuid4().hex}"
        await _run(postgres_dsn, f'CREATE DATABASE "{name}"')
        names.append(name)
        return urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()

    yield make
    for name in names:
        await _run(postgres_dsn, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and consumer groups that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}-"


async def _run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
