"""The PostgreSQL and Kafka that tests run against: real ones, from one of three places.

An address given in `YK_TEST_POSTGRES` (a DSN whose user may create databases) or `YK_TEST_KAFKA`
(a bootstrap address) is used as it is. Else a container, when a Docker engine answers and has or
may pull the image named by `YK_TEST_POSTGRES_IMAGE` or `YK_TEST_KAFKA_IMAGE`. Else a server of
our own, empty at each run, in the first folder `.yk/test/<n>` that no other run holds.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from cli.ports import LOOPBACK, choose
from cli.processes import CannotStart, ended_by_signals
from cli.servers.kafka import MAX_MESSAGE_BYTES, KafkaServer, speaks_kafka
from cli.servers.postgres import MAX_CONNECTIONS, PostgresServer
from cli.state import CHECKOUT, State

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

POSTGRES = "YK_TEST_POSTGRES"
KAFKA = "YK_TEST_KAFKA"
_ENGINE_SECONDS = 3
_PULL_SECONDS = 300
_CONTAINER_SECONDS = 60
_ATTEMPTS = 3

Origin = Literal["environment", "container", "embedded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the servers are, and a word on where they came from."""

    postgres_dsn: str
    kafka_bootstrap: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where each server is to come from, with the reason, for the head of the test report."""

    postgres: Origin
    kafka: Origin
    reason: str

    @override
    def __str__(self) -> str:
        return f"PostgreSQL: {self.postgres}, Kafka: {self.kafka} ({self.reason})"


def plan(environment: Mapping[str, str]) -> Plan:
    """Decide where the servers come from; quick, and without a side effect."""
    given = [name for name in (POSTGRES, KAFKA) if environment.get(name)]
    if len(given) == len((POSTGRES, KAFKA)):
        return Plan(postgres="environment", kafka="environment", reason="addresses given")
    unreachable = _why_no_engine()
    fallback: Origin = "embedded" if unreachable else "container"
    return Plan(
        postgres="environment" if POSTGRES in given else fallback,
        kafka="environment" if KAFKA in given else fallback,
        reason=unreachable or "a Docker engine answers; embedded if it lacks the images",
    )


@contextmanager
def running(wished: Plan, *, environment: Mapping[str, str]) -> Iterator[Servers]:
    """Run what `wished` says; stops what was started, and nothing else."""
    with ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        state: State | None = None
        notes = []
        if wished.postgres == "environment":
            postgres_dsn: str | None = environment[POSTGRES]
        else:
            postgres_dsn = None
        kafka_bootstrap = environment[KAFKA] if wished.kafka == "environment" else None
        if "container" in {wished.postgres, wished.kafka}:
            try:
                if postgres_dsn is None:
                    postgres_dsn = stack.enter_context(_postgres_container(environment))
                    notes.append("PostgreSQL in a container")
                if kafka_bootstrap is None:
                    kafka_bootstrap = stack.enter_context(_kafka_container(environment))
                    notes.append("Kafka in a container")
            except CannotStart as refused:
                notes.append(str(refused))
        if postgres_dsn is None or kafka_bootstrap is None:
            state = stack.enter_context(_free_state())
        if postgres_dsn is None and state is not None:
            postgres_dsn = stack.enter_context(_embedded_postgres(state))
            notes.append("PostgreSQL embedded")
        if kafka_bootstrap is None and state is not None:
            kafka_bootstrap = stack.enter_context(_embedded_kafka(state))
            notes.append("Kafka embedded")
        assert postgres_dsn is not None
        assert kafka_bootstrap is not None
        yield Servers(
            postgres_dsn=postgres_dsn,
            kafka_bootstrap=kafka_bootstrap,
            origin=", ".join(notes) or "addresses from the environment",
        )


@contextmanager
def _free_state() -> Iterator[State]:
    """The first `.yk/test/<n>` that no other run holds, for as long as the block runs."""
    folder = CHECKOUT / ".yk" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    for number in count():
        with (folder / f"{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield State(folder / str(number))
            return


@contextmanager
def _embedded_postgres(state: State) -> Iterator[str]:
    server = PostgresServer(state)
    server.stop()
    server.wipe()
    try:
        yield server.start(tied=True)
    finally:
        server.stop()


@contextmanager
def _embedded_kafka(state: State) -> Iterator[str]:
    server = KafkaServer(state, usual_port=None)
    server.stop()
    server.wipe()
    try:
        yield _start_on_some_port(server)
    finally:
        server.stop()


def _start_on_some_port(server: KafkaServer) -> str:
    """A free port may be taken by another before the broker has it; then others are tried."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return server.start(tied=True)
        except CannotStart:
            server.stop()
    return server.start(tied=True)


def _why_no_engine() -> str | None:
    """Why no Docker engine can be used, or None when one answers."""
    import docker  # half a second that most runs need not spend
    from docker.errors import DockerException

    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return "no Docker engine"
    try:
        client = docker.from_env(timeout=_ENGINE_SECONDS)
        client.ping()
        client.close()
    except (DockerException, OSError):
        return "the Docker engine does not answer"
    return None


def _have_image(name: str) -> None:
    """Make sure that the engine has the image; raises CannotStart when it cannot be pulled."""
    import docker
    from docker.errors import DockerException, ImageNotFound

    client = docker.from_env(timeout=_PULL_SECONDS)
    try:
        client.images.get(name)
    except ImageNotFound:
        try:
            client.images.pull(name)
        except (DockerException, OSError) as error:
            raise CannotStart(f"the image {name} cannot be pulled") from error
    finally:
        client.close()


@contextmanager
def _postgres_container(environment: Mapping[str, str]) -> Iterator[str]:
    image = environment.get("YK_TEST_POSTGRES_IMAGE", "postgres:18")
    _have_image(image)
    from testcontainers.community.postgres import PostgresContainer

    server = PostgresContainer(image, username="postgres", dbname="postgres", driver=None)
    server.ports = _on_loopback(5432, port=None)
    with _started(server.with_command(f"postgres -c max_connections={MAX_CONNECTIONS}")):
        yield server.get_connection_url()


@contextmanager
def _kafka_container(environment: Mapping[str, str]) -> Iterator[str]:
    image = environment.get("YK_TEST_KAFKA_IMAGE", "apache/kafka:4.3.1")
    _have_image(image)
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import PortWaitStrategy

    # The broker tells clients where to go on, so its outer port is chosen before it starts.
    port = choose(None)
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9094",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9094",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(MAX_MESSAGE_BYTES),
        "KAFKA_REPLICA_FETCH_MAX_BYTES": str(MAX_MESSAGE_BYTES),
        "KAFKA_LOG_RETENTION_MS": "-1",
    }
    server = DockerContainer(image)
    server.ports = _on_loopback(9092, port=port)
    for name, value in settings.items():
        server = server.with_env(name, value)
    ready = PortWaitStrategy(9092).with_startup_timeout(_CONTAINER_SECONDS)
    with _started(server.waiting_for(ready)):
        address = f"{LOOPBACK}:{port}"
        if not speaks_kafka(address):
            raise CannotStart(f"the container of {image} does not speak Kafka")
        yield address


def _on_loopback(inner: int, *, port: int | None) -> dict[Any, Any]:
    """A mapping of ports as Docker's client takes it; None lets the engine choose."""
    return {f"{inner}/tcp": (LOOPBACK, port)}


@contextmanager
def _started(server: "DockerContainer") -> Iterator[None]:
    """The container for as long as the block runs; raises CannotStart when it does not come up."""
    from docker.errors import DockerException

    try:
        server.start()
    except (DockerException, OSError) as error:
        server.stop()
        raise CannotStart(f"the image {server.image} cannot be run") from error
    try:
        yield
    finally:
        server.stop()
