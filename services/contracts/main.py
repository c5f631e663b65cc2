"""Putting the service together: what it is made of, in the order in which it is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from libs.dates.clock import SystemClock
from libs.events.answers import Forgetting
from libs.events.complete import Herald
from libs.events.consumer import Consumer
from libs.events.database import Pool, open_pool
from libs.events.follow import Follower
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.reaction import Effect
from libs.events.reactor import Reactor
from libs.events.reconcile import Check
from libs.events.reconciling import Reconciler, outcomes
from libs.events.relay import Relay
from libs.events.rest import standing
from libs.events.store import PostgresLog
from libs.events.waking import Bell
from libs.process.running import Run
from libs.process.starting import database_there
from libs.process.worker import Worker, standing_of, work
from libs.telemetry.setting_up import Telemetry, set_up
from libs.terms.in_force import InForce, read_japan
from libs.web import parked, reconciled
from libs.web.app import make_app
from libs.web.auth import Verifier, keys_at
from libs.web.edge import Edge
from libs.web.server import server
from services.contracts import reactions
from services.contracts.abolishing import Abolisher
from services.contracts.abolition_keeper import AbolitionKeeper
from services.contracts.api import abolitions as abolition_routes
from services.contracts.api import contracts as contract_routes
from services.contracts.api import course as course_routes
from services.contracts.api import customers as customer_routes
from services.contracts.api import due as due_routes
from services.contracts.api.parts import Parts
from services.contracts.domain.terms import Terms, offered_terms
from services.contracts.forgetting import Forgetter, Repeater
from services.contracts.reconciling import checks
from services.contracts.running import Runner
from services.contracts.settings import Settings
from services.contracts.views import abolitions, contracts, deadlines, dunning, forgotten

CONTEXT = "contracts"
_HERE = Path(__file__).parent
VIEWS = (contracts.NAME, deadlines.NAME, dunning.NAME, forgotten.NAME, abolitions.NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts that both processes are made of."""

    settings: Settings
    pool: Pool
    keys: PostgresKeys
    log: PostgresLog
    terms: Terms

    @property
    def topic(self) -> str:
        """The topic on which this context publishes."""
        return topic_of(CONTEXT, prefix=self.settings.topic_prefix)

    @property
    def sources(self) -> tuple[str, ...]:
        """The topics that lead to decisions here."""
        return tuple(
            topic_of(source, prefix=self.settings.topic_prefix) for source in reactions.SOURCES
        )

    def checks(self) -> tuple[Check, ...]:
        """What must agree here."""
        return checks(
            pool=self.pool,
            keys=self.keys,
            terms=self.terms,
            bootstrap=self.settings.kafka,
            own_topic=self.topic,
            topics=self.sources,
        )

    def runner(self, *, view: Follower) -> Runner:
        """What runs deadlines, by this view of them."""
        return Runner(
            log=self.log,
            pool=self.pool,
            terms=self.terms,
            view=view,
            rehearsal=self.log.rehearsal,
        )

    def deadlines_view(self, bell: Bell | None = None) -> Follower:
        """The view of the deadlines."""
        return Follower(
            deadlines.NAME,
            log=self.log,
            pool=self.pool,
            effect=deadlines.filling(self.log, terms=self.terms),
            bell=bell,
        )

    def contracts_view(self, bell: Bell | None = None) -> Follower:
        """The view of the contracts."""
        return _follower(self, contracts.NAME, effect=contracts.filling(self.log), bell=bell)

    def dunning_view(self, bell: Bell | None = None) -> Follower:
        """The view of the chains of unpaid debts."""
        return _follower(self, dunning.NAME, effect=dunning.filling(self.log), bell=bell)

    def abolitions_view(self, bell: Bell | None = None) -> Follower:
        """The view of the ends of services."""
        return _follower(self, abolitions.NAME, effect=abolitions.fill, bell=bell)

    def abolisher(self) -> Abolisher:
        """What ends the contracts of a service that is given up."""
        return Abolisher(
            log=self.log,
            pool=self.pool,
            terms=self.terms,
            listed=self.contracts_view(),
            announced=self.abolitions_view(),
            clock=SystemClock(),
            rehearsal=self.log.rehearsal,
        )

    def forgetter(self) -> Forgetter:
        """What forgets a party."""
        return Forgetter(
            log=self.log,
            pool=self.pool,
            keys=self.keys,
            clock=SystemClock(),
            views=(self.contracts_view(), self.dunning_view()),
            invoices_kept=InForce(
                "the law on invoices kept",
                values=read_japan(self.settings.terms).invoices_kept.items(),
            ),
        )


@asynccontextmanager
async def build(settings: Settings, *, terms: Terms | None = None) -> AsyncIterator[Service]:
    """Make the parts in reading order, the terms too if not given; they are closed in reverse."""
    terms = terms or offered_terms(settings.terms)
    database, keys_database = settings.database_url, settings.keys_url
    async with (
        open_pool(database.get_secret_value(), min_size=1, max_size=settings.connections) as pool,
        open_pool(keys_database.get_secret_value(), min_size=0, max_size=2) as keys_pool,
    ):
        keys = PostgresKeys(keys_pool, master=settings.master)
        async with await PostgresLog.open(
            pool, context=CONTEXT, keys=keys, clock=SystemClock()
        ) as log:
            yield Service(settings=settings, pool=pool, keys=keys, log=log, terms=terms)


def application(service: Service, *, telemetry: Telemetry | None = None) -> FastAPI:
    """The HTTP edge."""

    async def database() -> None:
        await service.log.position()

    async def stands() -> dict[str, Any]:
        found = await standing(
            service.pool,
            topic=service.topic,
            readers={reactions.READER: service.sources},
            views=VIEWS,
        )
        return {
            **found.model_dump(mode="json"),
            "reconciled": [one.model_dump(mode="json") for one in await outcomes(service.pool)],
        }

    app = make_app(
        "Contracts",
        description="Customers, applications, and the life of every contract.",
        edge=Edge(
            verifier=Verifier(fetch=keys_at(service.settings.jwks_url)),
            rehearsal=service.log.rehearsal,
        ),
        routers=(
            customer_routes.router,
            contract_routes.router,
            course_routes.router,
            due_routes.router,
            abolition_routes.router,
            parked.router,
            reconciled.router,
        ),
        ready={"database": database},
        metrics=telemetry.metrics if telemetry else None,
        standing=stands,
    )
    app.state.parked = app.state.reconciled = service.pool
    app.state.parts = Parts(
        log=service.log,
        clock=SystemClock(),
        pool=service.pool,
        terms=service.terms,
        runner=service.runner(view=service.deadlines_view()),
        forgetter=service.forgetter(),
    )
    return app


async def _database_there(settings: Settings, *, title: str, port: int) -> None:
    dsn = settings.database_url.get_secret_value()
    await database_there(dsn, title=title, host=settings.host, port=port)


async def run_api(settings: Settings) -> None:
    """Answer requests until a stop signal."""
    telemetry = set_up(CONTEXT)
    try:
        terms = offered_terms(settings.terms)
        await _database_there(settings, title=CONTEXT, port=settings.port)
        async with build(settings, terms=terms) as service:
            app = application(service, telemetry=telemetry)
            await server(app, host=settings.host, port=settings.port).serve()
    finally:
        telemetry.close()


def make_worker(service: Service) -> Worker:
    """What the worker does side by side: relay, reactions, views, and deadlines by the clock.

    In a rehearsal nobody but the one who plays runs deadlines.
    """
    dsn = service.settings.database_url.get_secret_value()
    bell = Bell(dsn)
    relay = Relay(dsn=dsn, bootstrap=service.settings.kafka, topic=service.topic)
    reactor = Reactor(
        reactions.READER,
        react=reactions.react,
        log=service.log,
        pool=service.pool,
        keys=service.keys,
        rehearsal=service.log.rehearsal,
    )
    consumer = Consumer(
        reactor,
        topics=service.sources,
        group=f"{service.settings.topic_prefix}{reactions.READER}",
        bootstrap=service.settings.kafka,
        pool=service.pool,
    )
    due = service.deadlines_view(bell)
    listed = service.contracts_view(bell)
    late = service.dunning_view(bell)
    gone = _follower(service, forgotten.NAME, effect=forgotten.fill, bell=bell)
    given_up = service.abolitions_view(bell)
    keeper = AbolitionKeeper(service.abolisher(), bell=bell)
    repeater = Repeater(pool=service.pool, keys=service.keys)
    runs: list[Run] = [
        bell.run,
        relay.run,
        consumer.run,
        due.run,
        listed.run,
        late.run,
        gone.run,
        given_up.run,
        keeper.run,
        repeater.run,
    ]
    reconciler = Reconciler(
        service.checks(),
        pool=service.pool,
        every_seconds=service.settings.reconcile_every_seconds,
    )
    runs += [Forgetting(service.pool).run, reconciler.run]
    if not service.log.rehearsal:
        herald = Herald(
            pool=service.pool,
            clock=SystemClock(),
            bootstrap=service.settings.kafka,
            topic=service.topic,
            prefix=service.settings.topic_prefix,
        )
        runs += [herald.run, _scheduler(service, view=due)]
    ready = standing_of(
        pool=service.pool,
        bootstrap=service.settings.kafka,
        consumers=(consumer,),
        views=(due, listed, late, gone, given_up),
    )
    return Worker(runs=tuple(runs), ready=ready)


def _follower(service: Service, view: str, *, effect: Effect, bell: Bell | None) -> Follower:
    return Follower(view, log=service.log, pool=service.pool, effect=effect, bell=bell)


def _scheduler(service: Service, *, view: Follower) -> Run:
    runner = service.runner(view=view)

    async def run(stop: asyncio.Event) -> None:
        await runner.keep_running(
            stop,
            clock=SystemClock(),
            every_seconds=service.settings.deadlines_every_seconds,
        )

    return run


async def run_worker(settings: Settings) -> None:
    """Send, react, follow and run deadlines until a stop signal."""
    title = f"{CONTEXT}-worker"
    telemetry = set_up(title)
    try:
        terms = offered_terms(settings.terms)
        await _database_there(settings, title=title, port=settings.worker_port)
        async with build(settings, terms=terms) as service:
            await work(
                make_worker(service),
                title=title,
                host=settings.host,
                port=settings.worker_port,
                metrics=telemetry.metrics,
            )
    finally:
        telemetry.close()


async def run_migrate(settings: Settings) -> None:
    """Bring the database to the newest schema, with the log of this context in it."""
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn, [MIGRATIONS, _HERE / "migrations"])
    await initialise(dsn, CONTEXT, rehearsal=settings.rehearsal)
