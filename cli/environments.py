"""Sets of services on the same servers, each over databases and topics of its own."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

import asyncpg

from cli.ports import choose, port_of
from cli.processes import CannotStart, ProcessPlan, ProcessTable, answers
from cli.services import (
    KEYS_DATABASE,
    ROLES,
    SERVICES,
    Role,
    Service,
    Surroundings,
    environment_of,
    process_name,
    process_plan,
)
from cli.state import CHECKOUT
from libs.events.migrate import KEY_MIGRATIONS, MIGRATIONS, is_ready, migrate
from libs.events.topics import create_topics

_READY_SECONDS = 60
_MIGRATION_SECONDS = 300
_CODE = "YK_CODE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where one ledger lives: what its databases, topics and processes are called.

    In a rehearsal, commands may supply the recorded time, deadlines are run on demand, and mail
    is kept instead of sent. Its services wish for their usual ports moved by `port_offset`; with
    None they take any.
    """

    name: str
    rehearsal: bool
    port_offset: int | None

    @property
    def topic_prefix(self) -> str:
        """What stands before the names of its topics."""
        return f"{self.name}." if self.name else ""

    def database(self, name: str) -> str:
        """What the database of a service, or of the keys, is called."""
        return f"{self.name}_{name}" if self.name else name


OPERATIONS = Environment(name="", rehearsal=False, port_offset=0)
REHEARSAL = Environment(name="rehearsal", rehearsal=True, port_offset=10)


def services_there() -> tuple[Service, ...]:
    """The services that can be run."""
    return tuple(service for service in SERVICES if service.exists)


async def prepare(environment: Environment, *, dsn: str, bootstrap: str) -> dict[str, str]:
    """Make the databases and topics that are missing; the DSN by name of service, and of the keys.

    `dsn` is of a user who may make databases.
    """
    names = [*(service.name for service in SERVICES), KEYS_DATABASE]
    urls = {
        name: urlsplit(dsn)._replace(path=f"/{environment.database(name)}").geturl()
        for name in names
    }
    await create_databases((environment.database(name) for name in names), dsn=dsn)
    topics = [f"{environment.topic_prefix}{service.name}" for service in SERVICES]
    await create_topics(topics, bootstrap=bootstrap)
    return urls


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


class ServiceProcesses:
    """The processes of an environment's services: an API and a worker each."""

    def __init__(
        self,
        processes: ProcessTable,
        *,
        environment: Environment,
        surroundings: Surroundings,
        tied: bool,
    ) -> None:
        self._processes = processes
        self._environment = environment
        self._surroundings = surroundings
        self._tied = tied

    def migrate(self) -> None:
        """Bring every service's database to its newest schema, all at once.

        Raises CannotStart when one cannot be.
        """
        keys = self._surroundings.database_urls[KEYS_DATABASE]
        asyncio.run(migrate(keys, [KEY_MIGRATIONS]))
        runs = {
            service: self._migration(service)
            for service in services_there()
            if not self._is_migrated(service)
        }
        ended = {service: run.wait(_MIGRATION_SECONDS) for service, run in runs.items()}
        for service, status in ended.items():
            if status != 0:
                log = self._processes.log_path(f"{self._name(service, 'api')}-migrate")
                raise CannotStart(f"{service.name} could not be migrated: see {log}.")

    def start(self) -> dict[str, str]:
        """Start those that do not run and wait until all are well; the APIs' addresses.

        Workers are looked at last, when one that cannot begin has had the time to end.
        """
        addresses = {service.name: self._launch(service) for service in services_there()}
        for role in ROLES:
            for service in services_there():
                self._wait_until_well(self._name(service, role))
        return addresses

    def start_some(self, service: Service, *, roles: Iterable[Role]) -> None:
        """Start processes of one service and wait until they turn, well or not.

        A worker whose reader has stopped is not well, and must run for what else it does.
        """
        for role in roles:
            plan = self._plan(service, role)
            self._processes.start(plan, tied=self._tied)
            self._processes.wait_until(
                plan.name,
                partial(answers, f"{plan.address}/health/live"),
                seconds=_READY_SECONDS,
                what=plan.name,
            )

    def addresses(self) -> dict[str, str] | None:
        """The APIs' addresses when every process runs as it should and is well, else None."""
        found: dict[str, str] = {}
        for service in services_there():
            for plan in (self._plan(service, role) for role in ROLES):
                running = self._processes.find(plan.name)
                if running is None or running.digest != plan.digest or not _is_well(plan.address):
                    return None
            found[service.name] = self._plan(service, "api").address
        return found

    def _launch(self, service: Service) -> str:
        api, worker = (self._plan(service, role) for role in ROLES)
        for plan in (api, worker):
            self._processes.start(plan, tied=self._tied)
        return api.address

    def _plan(self, service: Service, role: Role) -> ProcessPlan:
        """How to start one; it keeps its port, and one of other code is replaced."""
        running = self._processes.find(self._name(service, role))
        offset = self._environment.port_offset
        wished = None if offset is None else service.usual(role) + offset
        plan = process_plan(
            service,
            role=role,
            port=port_of(running.address) if running and running.address else choose(wished),
            surroundings=self._surroundings,
            environment=self._environment.name,
        )
        return replace(plan, environment={**plan.environment, _CODE: code_digest(service)})

    def _name(self, service: Service, role: Role) -> str:
        return process_name(service, role, environment=self._environment.name)

    def _is_migrated(self, service: Service) -> bool:
        own = CHECKOUT / "services" / service.name / "migrations"
        dsn = self._surroundings.database_urls[service.name]
        return asyncio.run(is_ready(dsn, [MIGRATIONS, own]))

    def _migration(self, service: Service) -> subprocess.Popen[bytes]:
        log = self._processes.log_path(f"{self._name(service, 'api')}-migrate")
        log.parent.mkdir(parents=True, exist_ok=True)
        own = environment_of(service, surroundings=self._surroundings)
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
            return record is not None and _is_well(record.address)

        self._processes.wait_until(name, well, seconds=_READY_SECONDS, what=name)


def code_digest(service: Service) -> str:
    """Tells apart what a service's processes run: its code, the libraries, the terms."""
    folders = [CHECKOUT / "services" / service.name, CHECKOUT / "libs", CHECKOUT / "terms"]
    files = sorted(
        path
        for folder in folders
        for suffix in ("*.py", "*.yaml", "*.txt")
        for path in folder.rglob(suffix)
    )
    seen = hashlib.sha256()
    for path in files:
        found = path.stat()
        seen.update(f"{path} {found.st_mtime_ns} {found.st_size}\n".encode())
    return seen.hexdigest()


def _is_well(address: str) -> bool:
    return answers(f"{address}/health/ready")
