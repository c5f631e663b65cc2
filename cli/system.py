"""The whole system on this machine: servers, databases, topics, migrations, services."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from cli import jwks, mailbox
from cli.environments import OPERATIONS, Environment, ServiceProcesses, prepare, services_there
from cli.keys import master_key
from cli.ports import choose, is_open, port_of
from cli.processes import (
    ProcessPlan,
    ProcessRecord,
    ProcessTable,
    answers,
    ended_by_signals,
    undisturbed,
)
from cli.progress import step
from cli.servers import kafka, postgres, zipkin
from cli.services import Service, Surroundings
from cli.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the running system is reached. `services` are base URLs by name of service."""

    services: Mapping[str, str]
    surroundings: Surroundings
    zipkin: str


class SmallServer(Protocol):
    """A module with a server of our own that has one port."""

    NAME: str
    USUAL_PORT: int

    def process_plan(self, state: State, *, port: int) -> ProcessPlan:
        """How to start it on that port."""
        ...


class System:
    """The system of one state folder. Starting what runs already changes nothing.

    Environments share the servers; each has services of its own.
    """

    def __init__(
        self, state: State, *, environment: Environment = OPERATIONS, tied: bool = False
    ) -> None:
        self._state = state
        self._environment = environment
        self._tied = tied
        self._processes = ProcessTable(state)
        self._postgres = postgres.PostgresServer(state)
        self._kafka = kafka.KafkaServer(state)
        self._zipkin = zipkin.ZipkinServer(state)

    @property
    def services(self) -> tuple[Service, ...]:
        """The services that there are."""
        return services_there()

    def start(self) -> Addresses:
        """Start everything that does not run; when that fails or is broken off, nothing new stays.

        Raises CannotStart when a part does not come up.
        """
        with self._state.held():
            before = {record.name for record in self._processes.running()}
            try:
                with ended_by_signals():
                    surroundings = self.start_servers()
                    return self._start_services(surroundings)
            except BaseException:
                with undisturbed():
                    self._processes.stop_all(keep=before)
                raise

    def start_servers(self) -> Surroundings:
        """Start the servers; make the databases and topics that are missing."""
        with step("Starting PostgreSQL, Kafka and Zipkin"):
            zipkin_address = self._zipkin.launch(tied=self._tied)
            bootstrap = self._kafka.launch(tied=self._tied)
            self._postgres.start(tied=self._tied)
            smtp = self._start_small(mailbox)
            keys = self._start_small(jwks)
            self._kafka.wait()
            self._zipkin.wait()
        urls = asyncio.run(
            prepare(self._environment, dsn=self._postgres.dsn(), bootstrap=bootstrap)
        )
        return Surroundings(
            database_urls=urls,
            kafka=bootstrap,
            jwks_url=keys.address,
            master_key=master_key(self._state),
            smtp_port=port_of(smtp.address),
            zipkin=zipkin_address,
            topic_prefix=self._environment.topic_prefix,
            rehearsal=self._environment.rehearsal,
        )

    def migrate(self, surroundings: Surroundings) -> None:
        """Bring every service's database to its newest schema, all at once."""
        with step("Migrating the databases"):
            self._service_processes(surroundings).migrate()

    def stop(self) -> tuple[str, ...]:
        """Stop everything of this state; the names of what was stopped. Data stays."""
        with self._state.held(), undisturbed():
            return self._processes.stop_all()

    def running(self) -> frozenset[str]:
        """The names of the processes that run."""
        return frozenset(record.name for record in self._processes.running())

    def stop_new(self, before: frozenset[str]) -> None:
        """Stop everything of this state but what is named: what ran `before` stays."""
        with self._state.held(), undisturbed():
            self._processes.stop_all(keep=before)

    def report(self) -> tuple[tuple[ProcessRecord, bool], ...]:
        """What runs, and whether each is well, asked just now."""
        return tuple((record, self._is_well(record)) for record in self._processes.running())

    def _start_services(self, surroundings: Surroundings) -> Addresses:
        services = self._service_processes(surroundings)
        found = services.addresses()
        if found is None:
            self.migrate(surroundings)
            with step("Starting the services"):
                found = services.start()
        return Addresses(
            services=found, surroundings=surroundings, zipkin=surroundings.zipkin or ""
        )

    def _service_processes(self, surroundings: Surroundings) -> ServiceProcesses:
        return ServiceProcesses(
            self._processes,
            environment=self._environment,
            surroundings=surroundings,
            tied=self._tied,
        )

    def _start_small(self, module: SmallServer) -> ProcessRecord:
        """Start a server of our own that has one port."""
        running = self._processes.find(module.NAME)
        port = port_of(running.address) if running else choose(module.USUAL_PORT)
        plan = module.process_plan(self._state, port=port)
        return self._processes.start(plan, tied=self._tied)

    def _is_well(self, record: ProcessRecord) -> bool:
        checks: dict[str, Callable[[], bool]] = {
            postgres.NAME: self._postgres.healthy,
            kafka.NAME: self._kafka.healthy,
            zipkin.NAME: self._zipkin.healthy,
            jwks.NAME: lambda: answers(record.address),
            mailbox.NAME: lambda: is_open(port_of(record.address)),
        }
        if record.name in checks:
            return checks[record.name]()
        return answers(f"{record.address}/health/ready")


@contextmanager
def running_system(state: State, *, environment: Environment = OPERATIONS) -> Iterator[Addresses]:
    """The system for as long as the block runs; it ends with us, however we end."""
    system = System(state, environment=environment, tied=True)
    with ended_by_signals():
        try:
            yield system.start()
        finally:
            system.stop()
