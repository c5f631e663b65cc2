"""The whole system on this machine: servers, databases, topics, migrations, services."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from cli import jwks, mailbox
from cli.keys import master_key
from cli.ports import choose, is_open, port_of
from cli.processes import (
    CannotStart,
    ProcessPlan,
    ProcessRecord,
    ProcessTable,
    answers,
    ended_by_signals,
    undisturbed,
)
from cli.progress import step
from cli.servers import kafka, postgres, zipkin
from cli.services import (
    KEYS_DATABASE,
    SERVICES,
    Service,
    Surroundings,
    environment_of,
    process_name,
    process_plan,
)
from cli.state import CHECKOUT, State
from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.topics import create_topics

_READY_SECONDS = 60
_MIGRATION_SECONDS = 300


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
    """The system of one state folder. Starting what runs already changes nothing."""

    def __init__(self, state: State, *, tied: bool = False) -> None:
        self._state = state
        self._tied = tied
        self._processes = ProcessTable(state)
        self._postgres = postgres.PostgresServer(state)
        self._kafka = kafka.KafkaServer(state)
        self._zipkin = zipkin.ZipkinServer(state)

    @property
    def services(self) -> tuple[Service, ...]:
        """The services that there are."""
        return tuple(service for service in SERVICES if service.exists)

    def start(self) -> Addresses:
        """Start everything that does not run; when that fails or is broken off, nothing new stays.

        Raises CannotStart when a part does not come up.
        """
        with self._state.held():
            before = {record.name for record in self._processes.running()}
            try:
                with ended_by_signals():
                    surroundings = self.start_servers()
                    self.migrate(surroundings)
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
        names = [*(service.name for service in SERVICES), KEYS_DATABASE]
        asyncio.run(create_databases(names, dsn=self._postgres.dsn()))
        asyncio.run(create_topics([service.name for service in SERVICES], bootstrap=bootstrap))
        return Surroundings(
            database_urls={name: self._postgres.dsn(name) for name in names},
            kafka=bootstrap,
            jwks_url=keys.address,
            master_key=master_key(self._state),
            smtp_port=port_of(smtp.address),
            zipkin=zipkin_address,
        )

    def migrate(self, surroundings: Surroundings) -> None:
        """Bring every service's database to its newest schema, all at once."""
        with step("Migrating the databases"):
            keys = surroundings.database_urls[KEYS_DATABASE]
            asyncio.run(migrate(keys, [KEY_MIGRATIONS]))
            runs = [self._migration(service, surroundings) for service in self.services]
            for service, run in zip(self.services, runs, strict=True):
                if run.wait(_MIGRATION_SECONDS) != 0:
                    log = self._processes.log_path(f"{service.name}-migrate")
                    raise CannotStart(f"{service.name} could not be migrated: see {log}.")

    def stop(self) -> tuple[str, ...]:
        """Stop everything of this state; the names of what was stopped. Data stays."""
        with self._state.held(), undisturbed():
            return self._processes.stop_all()

    def report(self) -> tuple[tuple[ProcessRecord, bool], ...]:
        """What runs, and whether each is well, asked just now."""
        return tuple((record, self._is_well(record)) for record in self._processes.running())

    def _start_services(self, surroundings: Surroundings) -> Addresses:
        services = self.services
        with step("Starting the services"):
            apis = {service.name: self._launch(service, surroundings) for service in services}
            for service in services:
                self._wait_until_well(process_name(service, "api"))
                self._wait_until_well(process_name(service, "worker"))
        return Addresses(services=apis, surroundings=surroundings, zipkin=surroundings.zipkin or "")

    def _launch(self, service: Service, surroundings: Surroundings) -> str:
        """Start the API and the worker of a service; the API's address."""
        running = self._processes.find(process_name(service, "api"))
        port = port_of(running.address) if running else choose(service.usual_port)
        for role in ("api", "worker"):
            plan = process_plan(service, role=role, port=port, surroundings=surroundings)
            self._processes.start(plan, tied=self._tied)
        api = process_plan(service, role="api", port=port, surroundings=surroundings)
        return api.address

    def _start_small(self, module: SmallServer) -> ProcessRecord:
        """Start a server of our own that has one port."""
        running = self._processes.find(module.NAME)
        port = port_of(running.address) if running else choose(module.USUAL_PORT)
        plan = module.process_plan(self._state, port=port)
        return self._processes.start(plan, tied=self._tied)

    def _migration(self, service: Service, surroundings: Surroundings) -> subprocess.Popen[bytes]:
        log = self._processes.log_path(f"{service.name}-migrate")
        log.parent.mkdir(parents=True, exist_ok=True)
        own = environment_of(service, port=service.usual_port, surroundings=surroundings)
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", f"services.{service.name}", "migrate"],
                cwd=CHECKOUT,
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _wait_until_well(self, name: str) -> None:
        def well() -> bool:
            record = self._processes.find(name)
            return record is not None and self._is_well(record)

        self._processes.wait_until(name, well, seconds=_READY_SECONDS, what=name)

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
        # A worker listens nowhere: it is well while it runs.
        return not record.address or answers(f"{record.address}/health/ready")


@contextmanager
def running_system(state: State) -> Iterator[Addresses]:
    """The system for as long as the block runs; it ends with us, however we end."""
    system = System(state, tied=True)
    with ended_by_signals():
        try:
            yield system.start()
        finally:
            system.stop()


async def create_databases(names: Iterable[str], *, dsn: str) -> None:
    """Make the databases that do not exist; `dsn` is of a user who may."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database")
        present = {row["datname"] for row in rows}
        for name in names:
            if name not in present:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
