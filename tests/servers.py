"""The PostgreSQL and Kafka that tests run against: real ones, from one of three places.

An address given in `YK_TEST_POSTGRES` (a DSN whose user may create databases) or `YK_TEST_KAFKA`
(a bootstrap address) is used as it is. Else a container, when a Docker engine answers and has or
may pull the image named by `YK_TEST_POSTGRES_IMAGE` or `YK_TEST_KAFKA_IMAGE`. Else a server of
our own, empty at each run, in the first folder `.yk/test/<n>` that no other run holds.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Literal

from typing_extensions import override

from cli.engine import engine
from cli.processes import CannotStart, ended_by_signals
from cli.servers.kafka import KafkaServer
from cli.servers.postgres import PostgresServer
from cli.state import CHECKOUT, State
from tests import containers

POSTGRES = "YK_TEST_POSTGRES"
KAFKA = "YK_TEST_KAFKA"
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
    fallback: Origin = "container"
    reason = "a Docker engine answers; embedded if it lacks the images"
    try:
        engine(environment).close()
    except CannotStart as refused:
        fallback, reason = "embedded", str(refused)
    return Plan(
        postgres="environment" if POSTGRES in given else fallback,
        kafka="environment" if KAFKA in given else fallback,
        reason=reason,
    )


@contextmanager
def running(wished: Plan, *, environment: Mapping[str, str]) -> Iterator[Servers]:
    """Run what `wished` says; stops what was started, and nothing else."""
    with ExitStack() as stack:
        stack.enter_context(ended_by_signals())
        postgres_dsn = environment[POSTGRES] if wished.postgres == "environment" else None
        kafka_bootstrap = environment[KAFKA] if wished.kafka == "environment" else None
        if postgres_dsn and kafka_bootstrap:
            yield Servers(
                postgres_dsn=postgres_dsn,
                kafka_bootstrap=kafka_bootstrap,
                origin="addresses from the environment",
            )
            return
        state = stack.enter_context(_free_state())
        notes: list[str] = []
        if "container" in {wished.postgres, wished.kafka}:
            run = containers.name_of(state)
            try:
                stack.enter_context(containers.removed_at_the_end(environment, run=run))
                if postgres_dsn is None:
                    postgres_dsn = stack.enter_context(containers.postgres(environment, run=run))
                    notes.append("PostgreSQL in a container")
                if kafka_bootstrap is None:
                    kafka_bootstrap = stack.enter_context(containers.kafka(environment, run=run))
                    notes.append("Kafka in a container")
            except CannotStart as refused:
                notes.append(str(refused))
        if postgres_dsn is None:
            postgres_dsn = stack.enter_context(_embedded_postgres(state))
            notes.append("PostgreSQL embedded")
        if kafka_bootstrap is None:
            kafka_bootstrap = stack.enter_context(_embedded_kafka(state))
            notes.append("Kafka embedded")
        yield Servers(
            postgres_dsn=postgres_dsn, kafka_bootstrap=kafka_bootstrap, origin=", ".join(notes)
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
