"""Loopback ports for what we start."""

import socket
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nothing listens on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def choose(wished: int | None) -> int:
    """`wished` if it is free, else a port that the system gives."""
    if wished is not None and is_free(wished):
        return wished
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def port_of(address: str) -> int:
    """The port of `host:port` or `http://host:port/path`."""
    port = urlsplit(address if "://" in address else f"//{address}").port
    if port is None:
        raise ValueError(f"{address!r} names no port")
    return port
