"""A service's schema as it is, for reading: dumped from a database that its migrations made."""

import os
import subprocess
import sys
from pathlib import Path

from cli.processes import CannotStart
from cli.servers.postgres import programs
from cli.services import Service, Surroundings, environment_of
from cli.state import CHECKOUT

_HEAD = "-- Generated from the migrations by ./yk schema; change those, never this.\n\n"


def schema_file(service: Service) -> Path:
    """Where the schema of a service is kept."""
    return CHECKOUT / "services" / service.name / "schema.sql"


def migrated_schema(service: Service, *, surroundings: Surroundings) -> str:
    """Migrate the database that `surroundings` name for the service, and dump its schema.

    Raises CannotStart, with what was said, when either fails.
    """
    own = environment_of(service, surroundings=surroundings)
    _run([sys.executable, "-m", f"services.{service.name}", "migrate"], environment=own)
    dsn = surroundings.database_urls[service.name]
    dumped = _run(
        [
            str(programs() / "pg_dump"),
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            # Without a fixed one, each dump would have another.
            "--restrict-key=yakkan",
            dsn,
        ],
        environment={},
    )
    return _HEAD + _without_chatter(dumped)


def _without_chatter(dump: str) -> str:
    """The dump without its comments, session settings and repeated empty lines."""
    kept: list[str] = []
    for line in dump.splitlines():
        if line.startswith(("--", "SET ", "SELECT pg_catalog.set_config", "\\")):
            continue
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip() + "\n"


def _run(command: list[str], *, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotStart(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout
