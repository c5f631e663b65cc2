"""A Docker engine as far as it must go for tests to prefer it: it answers, but has no image."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override


@contextmanager
def an_engine_without_images(folder: Path) -> Iterator[str]:
    """Runs for as long as the block does; its address, as `DOCKER_HOST` takes it."""
    path = folder / "docker.sock"
    with _Server(str(path), _Engine) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _Engine(BaseHTTPRequestHandler):
    """Paths begin with the version of the protocol, which is left aside."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith(("/_ping", "/version")):
            self._answer(HTTPStatus.OK, {"ApiVersion": "1.41"})
        elif path.endswith("/containers/json"):
            self._answer(HTTPStatus.OK, [])
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"message": f"{path} is not here"})

    def do_POST(self) -> None:
        self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "no registry is in reach"})

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is asked is not of interest."""

    def _answer(self, status: HTTPStatus, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
