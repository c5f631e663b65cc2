"""`python -m cli.jwks STATE PORT`: publishes the public half of the signing key, as a JWKS."""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from joserfc.jwk import KeySet
from typing_extensions import override

from cli.keys import signing_key
from cli.ports import LOOPBACK
from cli.processes import ProcessPlan
from cli.state import State

NAME = "jwks"
USUAL_PORT = 8109
PATH = "/.well-known/jwks.json"


def process_plan(state: State, *, port: int) -> ProcessPlan:
    """How to start it; its address is the URL of the JWKS."""
    return ProcessPlan(
        name=NAME,
        command=(sys.executable, "-m", "cli.jwks", str(state.folder), str(port)),
        address=f"http://{LOOPBACK}:{port}{PATH}",
    )


def serve(state: State, *, port: int) -> None:
    """Answer GET of the JWKS until the process is stopped."""
    body = json.dumps(KeySet([signing_key(state)]).as_dict(private=False)).encode()

    class Handler(BaseHTTPRequestHandler):
        @override
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Keep quiet: `status` asks often."""

        def do_GET(self) -> None:
            if self.path != PATH:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/jwk-set+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer((LOOPBACK, port), Handler).serve_forever()


if __name__ == "__main__":
    serve(State(Path(sys.argv[1])), port=int(sys.argv[2]))
