"""A service of the running system, for commands that build something of it again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.environments import (
    OPERATIONS,
    REHEARSAL,
    Environment,
    ServiceProcesses,
    services_there,
)
from cli.processes import CannotStart, ProcessTable
from cli.progress import say, step
from cli.services import ROLES, Role, Service, Surroundings, environment_of, process_name
from cli.state import CHECKOUT, DEVELOPMENT
from cli.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service, its environment, and the addresses that its processes are told."""

    service: Service
    environment: Environment
    surroundings: Surroundings

    @property
    def dsn(self) -> str:
        """The address of the service's database."""
        return self.surroundings.database_urls[self.service.name]

    @property
    def database(self) -> str:
        """The name of the service's database."""
        return self.environment.database(self.service.name)

    @property
    def topic(self) -> str:
        """The topic on which the service publishes."""
        return f"{self.environment.topic_prefix}{self.service.name}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its processes."""
        return environment_of(self.service, surroundings=self.surroundings)

    @property
    def migrations(self) -> Path:
        """The folder of its own migrations."""
        return CHECKOUT / "services" / self.service.name / "migrations"


def place(service: str, *, rehearsal: bool = False) -> Place:
    """The place of a service, with the servers running. Raises CannotStart for an unknown one."""
    known = {each.name: each for each in services_there()}
    if service not in known:
        raise CannotStart(f"There is no service {service}; there is: {', '.join(known)}.")
    environment = REHEARSAL if rehearsal else OPERATIONS
    system = System(DEVELOPMENT, environment=environment)
    surroundings = system.start_servers()
    return Place(service=known[service], environment=environment, surroundings=surroundings)


@contextmanager
def stopped(at: Place, *roles: Role) -> Iterator[None]:
    """Stop processes of a service for as long as the block runs; those that ran start again.

    So they do when the block refuses (CannotStart), as nothing was changed then. When it fails
    otherwise they stay down, as nobody knows how things stand, and it is said which.
    """
    processes = ProcessTable(DEVELOPMENT)
    names = {
        role: process_name(at.service, role, environment=at.environment.name)
        for role in roles or ROLES
    }
    ran = [role for role, name in names.items() if processes.find(name) is not None]
    for role in ran:
        with step(f"Stopping {names[role]}"):
            processes.stop(names[role])
    try:
        yield
    except CannotStart:
        _start_again(at, processes, roles=ran)
        raise
    except BaseException:
        if ran:
            down = ", ".join(names[role] for role in ran)
            say(f"  {down}: left stopped; look what happened, then ./yk up")
        raise
    _start_again(at, processes, roles=ran)


def _start_again(at: Place, processes: ProcessTable, *, roles: Sequence[Role]) -> None:
    if not roles:
        return
    services = ServiceProcesses(
        processes, environment=at.environment, surroundings=at.surroundings, tied=False
    )
    with step(f"Starting {at.service.name} again"):
        services.start_some(at.service, roles=roles)
