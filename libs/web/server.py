"""Running an application until a stop signal; the requests in hand are finished first."""

import uvicorn
from fastapi import FastAPI


def server(
    app: FastAPI, *, port: int, host: str = "127.0.0.1", grace_seconds: int = 10
) -> uvicorn.Server:
    """Make what serves `app`: `await ….serve()` runs it, `….should_exit = True` stops it."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace_seconds,
        )
    )
