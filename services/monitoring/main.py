"""Monitoring, put together: the API process and the worker process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from libs.dates.clock import SystemClock
from libs.events import rest, view_cursors
from libs.events.answers import Forgetting
from libs.events.complete import Herald
from libs.events.consumer import Consumer
from libs.events.database import Pool, open_pool
from libs.events.follow import Follower
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.reactor import Reactor
from libs.events.reconcile import Check
from libs.events.reconciling import Reconciler, outcomes
from libs.events.relay import Relay
from libs.events.rest import Standing
from libs.events.store import PostgresLog
from libs.events.waking import Bell
from libs.process.running import Run
from libs.process.starting import database_there
from libs.process.worker import Worker, standing_of, work
from libs.telemetry.setting_up import set_up
from libs.web import parked, reconciled
from libs.web.app import make_app
from libs.web.auth import Verifier, keys_at
from libs.web.edge import Edge
from libs.web.server import server
from services.monitoring import api, deadlines_api, reactions
from services.monitoring.reconciling import checks
from services.monitoring.running import Scheduler
from services.monitoring.settings import Settings
from services.monitoring.terms import swap_terms
from services.monitoring.use_cases import SwapTermsOf
from services.monitoring.views import sites

CONTEXT = "monitoring"
READER = reactions.READER
READS = reactions.SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Everything both processes need, open."""

    settings: Settings
    pool: Pool
    log: PostgresLog
    keys: PostgresKeys
    clock: SystemClock
    terms_of: SwapTermsOf

    def topic(self, context: str) -> str:
        """The topic of a context in this installation."""
        return topic_of(context, prefix=self.settings.topic_prefix)

    async def standing(self) -> Standing:
        """How far log, relay, reader and view have come."""
        return await rest.standing(
            self.pool,
            topic=self.topic(CONTEXT),
            readers={READER: tuple(self.topic(context) for context in READS)},
            views=(sites.NAME,),
        )

    def checks(self) -> tuple[Check, ...]:
        """What must agree here."""
        return checks(
            pool=self.pool,
            keys=self.keys,
            bootstrap=self.settings.kafka,
            own_topic=self.topic(CONTEXT),
            topics=[self.topic(context) for context in READS],
        )


@asynccontextmanager
async def build(settings: Settings, *, terms_of: SwapTermsOf | None = None) -> AsyncIterator[Built]:
    """Read the terms if they are not given, open the log and the keys; closed in reverse."""
    terms_of = terms_of or swap_terms(settings.terms)
    clock = SystemClock()
    database, key_database = (
        url.get_secret_value() for url in (settings.database_url, settings.keys_url)
    )
    async with (
        open_pool(key_database, min_size=0, max_size=4) as key_pool,
        open_pool(database, min_size=1, max_size=16) as pool,
    ):
        keys = PostgresKeys(key_pool, master=settings.master)
        async with await PostgresLog.open(pool, context=CONTEXT, keys=keys, clock=clock) as log:
            yield Built(
                settings=settings, pool=pool, log=log, keys=keys, clock=clock, terms_of=terms_of
            )


def make_api(built: Built, *, verifier: Verifier, metrics: api.Metrics | None = None) -> FastAPI:
    """The HTTP edge of a built monitoring."""

    async def answers() -> None:
        await built.pool.execute("SELECT 1")

    async def standing() -> dict[str, object]:
        return {
            **(await built.standing()).model_dump(mode="json"),
            "reconciled": [one.model_dump(mode="json") for one in await outcomes(built.pool)],
        }

    app = make_app(
        "Monitoring",
        edge=Edge(verifier=verifier, rehearsal=built.log.rehearsal),
        routers=(api.router, deadlines_api.router, parked.router, reconciled.router),
        ready={"database": answers},
        metrics=metrics,
        standing=standing,
        description="Sites of contracts: devices, swaps and returns, outages, visits, repairs.",
    )
    app.state.parked = app.state.reconciled = built.pool
    app.state.site = api.Parts(
        log=built.log,
        pool=built.pool,
        clock=built.clock,
        terms_of=built.terms_of,
        level=lambda: view_cursors.level(built.pool, sites.NAME),
    )
    return app


def make_worker(built: Built) -> Worker:
    """What the worker runs: relay, reader of contracts, view, and deadlines by the clock."""
    dsn = built.settings.database_url.get_secret_value()
    bell = Bell(dsn)
    relay = Relay(dsn=dsn, bootstrap=built.settings.kafka, topic=built.topic(CONTEXT))
    reader = Consumer(
        Reactor(
            READER,
            react=reactions.react,
            log=built.log,
            pool=built.pool,
            keys=built.keys,
            rehearsal=built.log.rehearsal,
        ),
        topics=[built.topic(context) for context in READS],
        group=f"{built.settings.topic_prefix}{READER}",
        bootstrap=built.settings.kafka,
        pool=built.pool,
    )
    view = Follower(
        sites.NAME, log=built.log, pool=built.pool, effect=sites.filling(built.log), bell=bell
    )
    reconciler = Reconciler(
        built.checks(),
        pool=built.pool,
        every_seconds=built.settings.reconcile_every_seconds,
    )
    runs: tuple[Run, ...] = (
        bell.run,
        relay.run,
        reader.run,
        view.run,
        Forgetting(built.pool).run,
        reconciler.run,
    )
    if not built.log.rehearsal:
        scheduler = Scheduler(
            log=built.log,
            pool=built.pool,
            clock=built.clock,
            every_seconds=built.settings.deadlines_every_seconds,
        )
        herald = Herald(
            pool=built.pool,
            clock=built.clock,
            bootstrap=built.settings.kafka,
            topic=built.topic(CONTEXT),
            prefix=built.settings.topic_prefix,
        )
        runs = (*runs, scheduler.run, herald.run)
    ready = standing_of(
        pool=built.pool, bootstrap=built.settings.kafka, consumers=(reader,), views=(view,)
    )
    return Worker(runs=runs, ready=ready)


async def _database_there(settings: Settings, *, title: str, port: int) -> None:
    dsn = settings.database_url.get_secret_value()
    await database_there(dsn, title=title, host=settings.host, port=port)


async def run_api(settings: Settings) -> None:
    """Serve until stopped."""
    telemetry = set_up(CONTEXT)
    try:
        terms_of = swap_terms(settings.terms)
        await _database_there(settings, title=CONTEXT, port=settings.port)
        async with build(settings, terms_of=terms_of) as built:
            verifier = Verifier(keys_at(settings.jwks_url))
            app = make_api(built, verifier=verifier, metrics=telemetry.metrics)
            await server(app, host=settings.host, port=settings.port).serve()
    finally:
        telemetry.close()


async def run_worker(settings: Settings) -> None:
    """Relay, react, keep the view and meet deadlines until stopped."""
    title = f"{CONTEXT}-worker"
    telemetry = set_up(title)
    try:
        terms_of = swap_terms(settings.terms)
        await _database_there(settings, title=title, port=settings.worker_port)
        async with build(settings, terms_of=terms_of) as built:
            await work(
                make_worker(built),
                title=title,
                host=settings.host,
                port=settings.worker_port,
                metrics=telemetry.metrics,
            )
    finally:
        telemetry.close()


async def run_migrate(settings: Settings) -> None:
    """Bring the database to its newest schema, and make it hold monitoring's log."""
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn, [MIGRATIONS, Path(__file__).parent / "migrations"])
    await initialise(dsn, CONTEXT, rehearsal=settings.rehearsal)
