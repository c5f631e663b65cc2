"""Tests take given servers, else containers, else embedded ones, and leave none of them behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.servers.kafka import speaks_kafka
from cli.servers.postgres import programs
from cli.state import CHECKOUT
from tests.servers import KAFKA, POSTGRES, Origin, plan, running
from tests.support.docker_engine import an_engine_without_images

GIVEN = {POSTGRES: "postgresql://somebody@elsewhere/tests", KAFKA: "elsewhere:9092"}
NOT_GIVEN = {name: value for name, value in os.environ.items() if name not in GIVEN}
GONE_SECONDS = 60
A_RUN = """\
import os, sys
from tests.servers import plan, running
with running(plan(os.environ), environment=os.environ) as servers:
    print(servers.postgres_dsn, servers.kafka_bootstrap, servers.origin, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def docker_host(tmp_path: Path) -> Iterator[str]:
    """The address of an engine that answers."""
    with an_engine_without_images(tmp_path) as address:
        yield address


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        pytest.param((POSTGRES, KAFKA), ("environment", "environment"), id="both given"),
        pytest.param((POSTGRES,), ("environment", "container"), id="PostgreSQL given"),
        pytest.param((KAFKA,), ("container", "environment"), id="Kafka given"),
        pytest.param((), ("container", "container"), id="none given"),
    ],
)
def test_a_given_address_comes_before_a_container(
    docker_host: str, given: tuple[str, ...], origins: tuple[Origin, Origin]
) -> None:
    planned = plan({"DOCKER_HOST": docker_host} | {name: GIVEN[name] for name in given})
    assert (planned.postgres, planned.kafka) == origins


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        pytest.param("unix:///nowhere/docker.sock", "the Docker engine does not answer", id="dead"),
        pytest.param(
            "tcp://docker.example:2376", "the Docker engine is on another machine", id="far"
        ),
        pytest.param(
            "ssh://somebody@docker.example", "the Docker engine is on another machine", id="by ssh"
        ),
    ],
)
@pytest.mark.parametrize("given", [(), (POSTGRES,), (KAFKA,)])
def test_without_an_engine_of_this_machine_servers_are_embedded(
    host: str, reason: str, given: tuple[str, ...]
) -> None:
    planned = plan({"DOCKER_HOST": host} | {name: GIVEN[name] for name in given})
    assert planned.reason == reason
    assert planned.postgres == ("environment" if POSTGRES in given else "embedded")
    assert planned.kafka == ("environment" if KAFKA in given else "embedded")


def test_with_both_addresses_given_no_engine_is_asked() -> None:
    planned = plan({"DOCKER_HOST": "unix:///nowhere/docker.sock"} | GIVEN)
    assert planned.reason == "addresses given"
    with running(planned, environment=GIVEN) as servers:
        assert (servers.postgres_dsn, servers.kafka_bootstrap) == (GIVEN[POSTGRES], GIVEN[KAFKA])


def test_an_engine_without_the_image_is_said_and_an_embedded_server_runs(
    docker_host: str, kafka_bootstrap: str
) -> None:
    environment = NOT_GIVEN | {"DOCKER_HOST": docker_host, KAFKA: kafka_bootstrap}
    planned = plan(environment)
    assert planned.postgres == "container"
    with running(planned, environment=environment) as servers:
        said = "the image postgres:18 cannot be pulled, PostgreSQL embedded"
        assert servers.origin == said
        assert servers.kafka_bootstrap == kafka_bootstrap


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_no_server_outlives_the_run_that_started_it(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", A_RUN],
        cwd=CHECKOUT,
        env=NOT_GIVEN,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        postgres_dsn, kafka_bootstrap, _ = run.stdout.readline().split(maxsplit=2)
        assert answers(postgres_dsn)
        assert speaks_kafka(kafka_bootstrap)
        run.send_signal(number)
    deadline = time.monotonic() + GONE_SECONDS
    while answers(postgres_dsn) or speaks_kafka(kafka_bootstrap):
        assert time.monotonic() < deadline, "a server is still there"


def answers(dsn: str) -> bool:
    """Whether a PostgreSQL is there."""
    asked = subprocess.run([programs() / "pg_isready", "-q", "-d", dsn], check=False)
    return asked.returncode == 0
