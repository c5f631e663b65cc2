"""One way to make the HTTP edge of a service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from libs.events.weather import NotWell, is_weather
from libs.web import problems
from libs.web.edge import Edge, Ring

Check = Callable[[], Awaitable[None]]
"""Returns when what it looks at answers; raises the weather, or `NotWell`, when it does not."""

_CHECK_SECONDS = 2.0
_FREE = frozenset({"/health/live", "/health/ready", "/metrics", "/standing"})


class FieldProblem(BaseModel):
    """One part of a request that is malformed; `pointer` is a JSON Pointer."""

    pointer: str
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457, with our members."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    instance: str | None = None
    clause: str | None = None
    trace_id: str | None = None
    errors: list[FieldProblem] | None = None


def make_app(
    title: str,
    *,
    edge: Edge,
    routers: tuple[APIRouter, ...],
    ready: Mapping[str, Check],
    metrics: Callable[[], str] | None = None,
    standing: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    description: str = "",
) -> FastAPI:
    """The application of a service; health, readiness, metrics and docs need no token.

    `ready` names what must answer before work may come; `metrics` gives the Prometheus text;
    `standing` says how far log, relay and readers have come.
    """
    # The pages of the docs carry their scripts along: an operator's network may reach no other.
    app: FastAPI = FastAPIOffline(
        title=title,
        description=description,
        version="1",
        openapi_url="/openapi.json",
        # One span a request, continued from the caller's; what happens inside has its own names.
        telemetry={"operation_spans": False, "logs": False, "exclude": _is_free},
        responses={
            422: {
                "description": "The request is malformed",
                "content": {
                    problems.MEDIA_TYPE: {"schema": _whole_schema(ProblemBody)},
                },
            }
        },
    )
    app.state.edge = edge
    problems.install(app)
    app.add_middleware(Ring)
    for router in routers:
        app.include_router(router)
    app.include_router(_free_routes(ready, metrics=metrics, standing=standing))
    return app


def _whole_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model with the models it names written out, for a place without `$defs`."""
    schema = model.model_json_schema()
    named = {f"#/$defs/{name}": one for name, one in schema.pop("$defs", {}).items()}

    def whole(part: Any) -> Any:
        if isinstance(part, dict):
            return whole(named[part["$ref"]]) if "$ref" in part else each(part)
        return [whole(one) for one in part] if isinstance(part, list) else part

    def each(part: dict[str, Any]) -> dict[str, Any]:
        return {name: whole(one) for name, one in part.items()}

    return each(schema)


def make_worker_app(
    title: str, *, ready: Mapping[str, Check], metrics: Callable[[], str] | None = None
) -> FastAPI:
    """What a process without an API tells of itself: liveness, readiness, metrics.

    `ready` names what must answer, and go on, for the process to do its work.
    """
    app = FastAPI(
        title=title,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    app.include_router(_free_routes(ready, metrics=metrics, standing=None))
    return app


def _is_free(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request only asks how we are: those are too many to be traced."""
    return scope.get("path") in _FREE


def _free_routes(
    ready: Mapping[str, Check],
    *,
    metrics: Callable[[], str] | None,
    standing: Callable[[], Awaitable[dict[str, Any]]] | None,
) -> APIRouter:
    router = APIRouter(tags=["running"])

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def readiness() -> JSONResponse:
        answers = await asyncio.gather(*(_answers(check) for check in ready.values()))
        well = all(answer is True for answer in answers)
        return JSONResponse(
            dict(zip(ready, answers, strict=True)), status_code=200 if well else 503
        )

    if metrics is not None:

        @router.get("/metrics")
        async def prometheus() -> Response:
            return PlainTextResponse(metrics())

    if standing is not None:

        @router.get("/standing")
        async def how_far() -> dict[str, Any]:
            return await standing()

    return router


async def _answers(check: Check) -> bool | str:
    """True when all is well; else False, or a sentence that says what is not."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except NotWell as told:
        return str(told)
    except Exception as error:
        if not is_weather(error):
            raise
        return False
    return True
