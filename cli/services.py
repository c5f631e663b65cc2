"""The services: which there are, and what each is told by its environment.

Everything that starts, migrates or lists services goes by this table.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cli.ports import LOOPBACK
from cli.processes import ProcessPlan
from cli.state import CHECKOUT

Role = Literal["api", "worker"]
ROLES: tuple[Role, ...] = ("api", "worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: its name is its folder, its database and its topic."""

    name: str
    usual_port: int
    usual_worker_port: int

    def usual(self, role: Role) -> int:
        """The port on which a process of that role listens when it is free."""
        return self.usual_port if role == "api" else self.usual_worker_port

    @property
    def prefix(self) -> str:
        """The prefix of its settings in the environment."""
        return f"{self.name.upper()}_"

    @property
    def exists(self) -> bool:
        """Whether it can be run."""
        return (CHECKOUT / "services" / self.name / "__main__.py").is_file()


SERVICES = (
    Service(name="contracts", usual_port=8101, usual_worker_port=8121),
    Service(name="billing", usual_port=8102, usual_worker_port=8122),
    Service(name="monitoring", usual_port=8103, usual_worker_port=8123),
    Service(name="notifications", usual_port=8104, usual_worker_port=8124),
)
KEYS_DATABASE = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all services are told: where the servers are, and the secrets of this installation."""

    database_urls: Mapping[str, str]
    kafka: str
    jwks_url: str
    master_key: str
    smtp_port: int
    zipkin: str | None = None
    topic_prefix: str = ""
    rehearsal: bool = False


def environment_of(
    service: Service, *, surroundings: Surroundings, role: Role = "api", port: int | None = None
) -> dict[str, str]:
    """The environment variables with which `service` is started; `port` is of that role."""
    traces_at = f"{surroundings.zipkin}/zipkin/traces" if surroundings.zipkin else None
    own = {
        "DATABASE_URL": surroundings.database_urls[service.name],
        "KAFKA": surroundings.kafka,
        "KEYS_URL": surroundings.database_urls[KEYS_DATABASE],
        "MASTER_KEY": surroundings.master_key,
        "JWKS_URL": surroundings.jwks_url,
        "TOPIC_PREFIX": surroundings.topic_prefix,
        "REHEARSAL": str(surroundings.rehearsal).lower(),
        "HOST": LOOPBACK,
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(surroundings.smtp_port),
    }
    if port is not None:
        own["PORT" if role == "api" else "WORKER_PORT"] = str(port)
    traces = {"OTEL_SERVICE_NAME": service.name}
    if traces_at is not None:
        own |= {"TRACE_UI": traces_at, "TRACE_URL": f"{traces_at}/"}
        traces["OTEL_TRACES_EXPORTER"] = "zipkin"
        traces["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] = f"{surroundings.zipkin}/api/v2/spans"
    return {f"{service.prefix}{name}": value for name, value in own.items()} | traces


def process_name(service: Service, role: Role, *, environment: str = "") -> str:
    """The name of the process in `.yk/run` and `.yk/logs`."""
    name = f"{environment}-{service.name}" if environment else service.name
    return name if role == "api" else f"{name}-{role}"


def process_plan(
    service: Service, *, role: Role, port: int, surroundings: Surroundings, environment: str = ""
) -> ProcessPlan:
    """How to start one process of a service; `environment` tells it from another set's."""
    return ProcessPlan(
        name=process_name(service, role, environment=environment),
        command=(sys.executable, "-m", f"services.{service.name}", role),
        address=f"http://{LOOPBACK}:{port}",
        environment=environment_of(service, role=role, port=port, surroundings=surroundings),
        stage=1,
    )
