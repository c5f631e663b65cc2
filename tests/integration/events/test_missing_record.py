"""One event is left out of each topic: every reader there is sees the gap, stops, and says so.

The workers of all services run as they do for an operator, each in a process of its own.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from cli.ports import LOOPBACK, choose
from cli.services import KEYS_DATABASE, SERVICES, Service, Surroundings, environment_of
from cli.state import CHECKOUT
from libs.events.kafka import Message, topic_of
from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.partition import key_bytes
from libs.events.relay import Relay
from libs.events.topics import create_topics
from tests.conftest import MakeDatabase
from tests.support.contexts import MASTER_TEXT
from tests.support.way import Place, all_of, append_starts, running, until

READ_TOPICS = ("contracts", "monitoring", "billing", "notifications")
# Every reader of topics that a worker has, by its service.
READERS = {
    "contracts": {"contracts-reactions"},
    "billing": {"billing-facts", "billing-accounts"},
    "monitoring": {"monitoring"},
    "notifications": {"notifications"},
}
EXAMPLE = CHECKOUT / "docs" / "examples" / "contract_states.py"


class Worker(NamedTuple):
    """A worker process, and the port on which it tells how it stands."""

    port: int
    process: asyncio.subprocess.Process


class Told(NamedTuple):
    """What a worker said of itself: by HTTP, in its metrics, and on its output."""

    status: int
    ready: dict[str, Any]
    metrics: str
    lines: Sequence[dict[str, Any]]


@pytest.fixture
async def holed(source: Place, kafka_bootstrap: str, topic_prefix: str) -> list[Message]:
    """What was sent of a log; all but the second event stand in every topic that is read."""
    whole = topic_of("whole", prefix=topic_prefix)
    topics = [topic_of(context, prefix=topic_prefix) for context in READ_TOPICS]
    await create_topics([whole, *topics], bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=1, versions=4)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=whole)

    async def sent() -> bool:
        return bool(await source.pool.fetchval("SELECT position FROM relay_cursor") == 4)

    async with running(relay.run):
        await until(sent)
    messages = await all_of(whole, bootstrap=kafka_bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        for topic in topics:
            for message in (messages[0], *messages[2:]):
                await producer.send_and_wait(
                    topic,
                    message.data,
                    key=key_bytes(message.envelope.stream_id),
                    partition=message.partition,
                    headers=[(name, value.encode()) for name, value in message.headers.items()],
                )
    return messages


@pytest.fixture
async def environment(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> Surroundings:
    urls = {service.name: await database() for service in SERVICES}
    urls[KEYS_DATABASE] = await database()
    await migrate(urls[KEYS_DATABASE], [KEY_MIGRATIONS])
    return Surroundings(
        database_urls=urls,
        kafka=kafka_bootstrap,
        jwks_url=f"http://{LOOPBACK}:1/",
        master_key=MASTER_TEXT,
        smtp_port=choose(None),
        topic_prefix=topic_prefix,
    )


@pytest.mark.timeout(300)
async def test_every_reader_of_every_service_stops_and_alarms(
    holed: list[Message], environment: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = f"/{holed[0].partition} goes on with sequence 3 where 2 should be: events are lost."
    async with AsyncExitStack() as stack:
        told = {
            service.name: await stack.enter_async_context(
                _worker(service, environment, tmp_path, monkeypatch)
            )
            for service in SERVICES
        }
        said = {name: await _stopped(name, worker, tmp_path) for name, worker in told.items()}
    for name, one in said.items():
        assert one.status == 503
        for reader in READERS[name]:
            assert gap in one.ready[f"reader {reader}"]
            assert "Send the topic anew" in one.ready[f"reader {reader}"]
            assert f'yakkan_consumer_stopped{{yakkan_consumer="{reader}"}} 1' in one.metrics
            (line,) = [
                line
                for line in one.lines
                if line["event"] == "consumer stops" and line["consumer"] == reader
            ]
            assert gap in line["trouble"]


async def test_the_partners_example_stops_and_says_so(
    holed: list[Message], kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        kafka_bootstrap,
        topic_of("contracts", prefix=topic_prefix),
        tmp_path / "contracts.db",
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert "sequence 3: 2 is missing. Take nothing more" in said.decode()


def test_the_table_names_every_service() -> None:
    assert set(READERS) == {service.name for service in SERVICES}


@asynccontextmanager
async def _worker(
    service: Service,
    environment: Surroundings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Worker]:
    """The worker of a service, on its own database."""
    port = choose(None)
    told = environment_of(service, surroundings=environment, role="worker", port=port)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    main = import_module(f"services.{service.name}.main")
    await main.run_migrate(main.Settings())
    with (folder / f"{service.name}.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{service.name}", "worker"),
            cwd=CHECKOUT,
            env=os.environ | told,
            stdout=output,
            stderr=output,
        )
    try:
        yield Worker(port, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _stopped(name: str, worker: Worker, folder: Path) -> Told:
    """What a worker tells when all its readers have stopped."""
    output = folder / f"{name}.log"
    async with httpx2.AsyncClient(base_url=f"http://{LOOPBACK}:{worker.port}") as client:

        async def stopped() -> bool:
            assert worker.process.returncode is None, output.read_text()
            try:
                ready = (await client.get("/health/ready")).json()
            except httpx2.TransportError:
                return False
            readers = {check for check in ready if check.startswith("reader ")}
            assert readers == {f"reader {reader}" for reader in READERS[name]}
            return all("events are lost" in str(ready[check]) for check in readers)

        await until(stopped, seconds=100)
        answer = await client.get("/health/ready")
        metrics = (await client.get("/metrics")).text
    lines = [json.loads(line) for line in output.read_text().splitlines() if line.startswith("{")]
    return Told(answer.status_code, answer.json(), metrics, lines)
