"""PostgreSQL and Kafka in containers, by testcontainers, published on loopback alone.

The containers of a run bear its name as a label, and a process beside the run (this module as a
program) removes them when the run is over, killed or not. It takes the place of testcontainers'
own reaper, which needs an image, the engine's socket and a port open to the network.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.engine import engine, has_image
from cli.images import recipes
from cli.ports import LOOPBACK, choose
from cli.processes import CannotStart
from cli.servers.kafka import MAX_MESSAGE_BYTES, speaks_kafka
from cli.servers.postgres import MAX_CONNECTIONS, programs
from cli.state import CHECKOUT, State

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

POSTGRES_IMAGE = "YK_TEST_POSTGRES_IMAGE"
KAFKA_IMAGE = "YK_TEST_KAFKA_IMAGE"
LABEL = "yakkan.test-run"
_PULL_SECONDS = 300
_READY_SECONDS = 60
_POLL_SECONDS = 0.1
_PASSWORD = "test"

_POSTGRES_COMMAND = [
    "postgres",
    *("-c", f"max_connections={MAX_CONNECTIONS}"),
    *("-c", "idle_in_transaction_session_timeout=60s"),
]
_KAFKA_SETTINGS = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9094",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://localhost:9094",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_OFFSETS_RETENTION_MINUTES": "5256000",
    "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_MESSAGE_MAX_BYTES": str(MAX_MESSAGE_BYTES),
    "KAFKA_REPLICA_FETCH_MAX_BYTES": str(MAX_MESSAGE_BYTES),
    "KAFKA_LOG_RETENTION_MS": "-1",
    "KAFKA_LOG_RETENTION_BYTES": "-1",
    "KAFKA_HEAP_OPTS": "-Xmx256m",
    "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
}


def name_of(state: State) -> str:
    """The run that holds `state`: no two at once bear this name, and a later one may again."""
    return f"{socket.gethostname()}:{state.folder}"


@contextmanager
def removed_at_the_end(environment: Mapping[str, str], *, run: str) -> Iterator[None]:
    """Remove what an earlier run of that name left, and after the block, or our death, the rest."""
    remove(environment, run=run)
    command = [sys.executable, "-m", "tests.containers", run]
    # A session of its own: Ctrl-C on the terminal is not for it. Our end closes its input.
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, start_new_session=True
    ):
        yield


def remove(environment: Mapping[str, str], *, run: str) -> None:
    """Remove the containers of that run, with their volumes, running or not."""
    client = engine(environment)
    try:
        for container in client.containers.list(all=True, filters={"label": f"{LABEL}={run}"}):
            container.remove(force=True, v=True)
    finally:
        client.close()


@contextmanager
def postgres(environment: Mapping[str, str], *, run: str) -> Iterator[str]:
    """A PostgreSQL for as long as the block runs: the DSN of a superuser. May raise CannotStart."""
    server = _container(environment.get(POSTGRES_IMAGE, recipes.POSTGRES), environment, run=run)
    server.ports = _on_loopback(5432, port=None)
    server.with_envs(
        POSTGRES_USER="postgres",
        POSTGRES_PASSWORD=_PASSWORD,
        POSTGRES_DB="postgres",
        # As the embedded server: texts are ordered by their code points.
        POSTGRES_INITDB_ARGS="--encoding=UTF8 --locale=C.UTF-8",
    ).with_command(_POSTGRES_COMMAND)
    with _started(server):
        port = server.get_docker_client().port(server.get_container_id(), 5432)
        _wait(server, until=lambda: _accepts_connections(port))
        yield f"postgresql://postgres:{_PASSWORD}@{LOOPBACK}:{port}/postgres"


@contextmanager
def kafka(environment: Mapping[str, str], *, run: str) -> Iterator[str]:
    """A Kafka for as long as the block runs: its bootstrap address. May raise CannotStart."""
    server = _container(environment.get(KAFKA_IMAGE, recipes.KAFKA), environment, run=run)
    # The broker tells clients where to go on, so its outer port is chosen before it starts.
    address = f"{LOOPBACK}:{(port := choose(None))}"
    server.ports = _on_loopback(9092, port=port)
    server.with_envs(**_KAFKA_SETTINGS, KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://{address}")
    with _started(server):
        _wait(server, until=lambda: speaks_kafka(address))
        yield address


def _container(image: str, environment: Mapping[str, str], *, run: str) -> "DockerContainer":
    _pull_if_missing(image, environment)
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True
    return DockerContainer(image).with_kwargs(labels={LABEL: run})


def _pull_if_missing(image: str, environment: Mapping[str, str]) -> None:
    from docker.errors import DockerException

    client = engine(environment, timeout_seconds=_PULL_SECONDS)
    try:
        if not has_image(client, image):
            client.images.pull(image)
    except (DockerException, OSError) as error:
        raise CannotStart(f"the image {image} cannot be pulled") from error
    finally:
        client.close()


def _on_loopback(inner: int, *, port: int | None) -> dict[Any, Any]:
    """A mapping of ports as Docker's client takes it; None lets the engine choose."""
    return {f"{inner}/tcp": (LOOPBACK, port)}


@contextmanager
def _started(server: "DockerContainer") -> Iterator[None]:
    """The container for as long as the block runs; removed also when interrupted at its start."""
    from docker.errors import DockerException

    try:
        try:
            server.start()
        except (DockerException, OSError) as error:
            raise CannotStart(f"the image {server.image} cannot be run") from error
        yield
    finally:
        server.stop()


def _wait(server: "DockerContainer", *, until: Callable[[], bool]) -> None:
    """Wait until it is reached from outside; the engine takes connections long before."""
    deadline = time.monotonic() + _READY_SECONDS
    while not until():
        server.reload()
        if server.status == "exited" or time.monotonic() > deadline:
            output = b"".join(server.get_logs()).decode(errors="replace").split("\n")
            last = next((line for line in reversed(output) if line.strip()), "nothing")
            raise CannotStart(f"the container of {server.image} does not come up, it said: {last}")
        time.sleep(_POLL_SECONDS)


def _accepts_connections(port: int | str) -> bool:
    command = [str(programs() / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.stdin.read()
    remove(os.environ, run=sys.argv[1])
