"""The Docker engine of this machine, when one answers."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.ports import LOOPBACK
from cli.processes import CannotStart

_USUAL_SOCKET = Path("/var/run/docker.sock")
_ANSWER_SECONDS = 3
_LOCAL_SCHEMES = {"unix", "npipe"}
_LOCAL_HOSTS = {LOOPBACK, "localhost", "::1"}


def engine(environment: Mapping[str, str], *, timeout_seconds: float = _ANSWER_SECONDS) -> Any:
    """A client of the engine that `DOCKER_HOST` names, else of the one at the usual socket.

    Raises CannotStart when there is none, when it does not answer, or when it is on another
    machine: what its containers publish is bound to loopback, and would be out of our reach.
    """
    import docker  # half a second that most runs need not spend
    from docker.errors import DockerException

    host = environment.get("DOCKER_HOST")
    if not host and not _USUAL_SOCKET.exists():
        raise CannotStart("no Docker engine")
    address = urlsplit(host or "unix://")
    if address.scheme not in _LOCAL_SCHEMES and address.hostname not in _LOCAL_HOSTS:
        raise CannotStart("the Docker engine is on another machine")
    try:
        if address.scheme == "unix":
            _connect(address.path or str(_USUAL_SOCKET))
        return docker.from_env(timeout=timeout_seconds, environment=dict(environment))
    except (DockerException, OSError) as error:
        raise CannotStart("the Docker engine does not answer") from error


def _connect(path: str) -> None:
    """Raise OSError when nothing listens: Docker's client leaves a socket open when it fails."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        probe.connect(path)


def has_image(client: Any, name: str) -> bool:
    """Whether the engine holds the image, so that it need not be pulled."""
    from docker.errors import ImageNotFound

    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True
