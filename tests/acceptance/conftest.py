"""The whole system for acceptance: every service in processes of its own, on real servers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from cli import jwks
from cli.environments import Environment, ServiceProcesses, prepare
from cli.keys import master_key
from cli.play.rehearsal import Stage, stage
from cli.ports import choose
from cli.processes import ProcessTable, answers
from cli.services import Surroundings
from cli.state import State
from cli.system import Addresses
from tests.servers import Servers
from tests.support.spans import Collector, a_collector

_KEYS_SECONDS = 30


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    """Where the system under test keeps its keys, logs and processes."""
    return State(tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="session")
def jwks_url(state: State) -> Iterator[str]:
    """Where the keys are published by which tokens are checked."""
    processes = ProcessTable(state)
    keys = processes.start(jwks.process_plan(state, port=choose(None)), tied=True)
    try:
        processes.wait_until(
            jwks.NAME, lambda: answers(keys.address), seconds=_KEYS_SECONDS, what="the key server"
        )
        yield keys.address
    finally:
        processes.stop(jwks.NAME)


@pytest.fixture(scope="session")
def spans() -> Iterator[Collector]:
    """What the system under test tells of its work."""
    with a_collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def system(servers: Servers, state: State, jwks_url: str, spans: Collector) -> Iterator[Addresses]:
    """A rehearsal environment that no other run has, with all services running."""
    name = f"acceptance_{uuid.uuid4().hex[:12]}"
    environment = Environment(name=name, rehearsal=True, port_offset=None)
    dsn = servers.postgres_dsn
    urls = asyncio.run(prepare(environment, dsn=dsn, bootstrap=servers.kafka_bootstrap))
    processes = ProcessTable(state)
    try:
        surroundings = Surroundings(
            database_urls=urls,
            kafka=servers.kafka_bootstrap,
            jwks_url=jwks_url,
            master_key=master_key(state),
            smtp_port=choose(None),
            zipkin=spans.address,
            topic_prefix=environment.topic_prefix,
            rehearsal=True,
        )
        services = ServiceProcesses(
            processes, environment=environment, surroundings=surroundings, tied=True
        )
        services.migrate()
        yield Addresses(services=services.start(), surroundings=surroundings, zipkin="")
    finally:
        processes.stop_all(keep=(jwks.NAME,))
        asyncio.run(_drop([environment.database(service) for service in urls], dsn=dsn))


@pytest.fixture
async def on_stage(system: Addresses, state: State) -> AsyncIterator[Stage]:
    """The running system as a partner sees it."""
    async with stage(system, state=state) as found:
        yield found


async def _drop(names: list[str], *, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for name in names:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
