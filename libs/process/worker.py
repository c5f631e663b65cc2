"""A process that serves nobody and works: what it does side by side, and how it says it is well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libs.events.consumer import Consumer
from libs.events.database import Pool
from libs.events.follow import Follower
from libs.events.topics import broker_answers
from libs.process.running import Run, until_stopped
from libs.web.app import Check, make_worker_app
from libs.web.server import beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What a worker runs, and what must answer and go on for it to be ready."""

    runs: tuple[Run, ...]
    ready: Mapping[str, Check]


def standing_of(
    *, pool: Pool, bootstrap: str, consumers: tuple[Consumer, ...], views: tuple[Follower, ...]
) -> dict[str, Check]:
    """What every worker's readiness rests on: database, broker, readers, views."""

    async def database() -> None:
        await pool.execute("SELECT 1")

    async def broker() -> None:
        await broker_answers(bootstrap)

    return {
        "database": database,
        "broker": broker,
        **{f"reader {consumer.name}": consumer.well for consumer in consumers},
        **{f"view {view.view}": view.well for view in views},
    }


async def work(
    worker: Worker, *, title: str, host: str, port: int, metrics: Callable[[], str] | None
) -> None:
    """Run until a stop signal, and tell meanwhile on `port` how it stands."""
    app = make_worker_app(title, ready=worker.ready, metrics=metrics)
    await until_stopped(*worker.runs, beside(app, host=host, port=port))
