"""Billing, put together: the API process and the worker process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import FastAPI

from libs.dates.clock import SystemClock
from libs.events import rest
from libs.events.answers import Forgetting
from libs.events.complete import Herald
from libs.events.consumer import Consumer
from libs.events.database import Pool, open_pool
from libs.events.follow import Follower
from libs.events.heard import Hearer
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.projector import Projector
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
from services.billing import reactions, use_cases
from services.billing.api import accounts, contracts, deadlines, documents, runs, supposing
from services.billing.api.parts import Parts
from services.billing.clause_texts import clause_texts
from services.billing.deadlines import Scheduler
from services.billing.domain.terms import Settings as TermSettings
from services.billing.ports import Billing
from services.billing.reconciling import checks
from services.billing.run_keeper import RunKeeper
from services.billing.settings import Settings
from services.billing.terms_folder import TermsFolder
from services.billing.views.books import books
from services.billing.views.facts import keep_facts
from services.billing.views.runs import PostgresDrafts
from services.billing.views.timelines import BOOKS, FACTS, PostgresTimelines

CONTEXT = "billing"
ACCOUNTS = reactions.READER
FACTS_FROM = ("contracts", "monitoring")
ACCOUNTS_FROM = reactions.SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Everything both processes need, open."""

    settings: Settings
    pool: Pool
    log: PostgresLog
    keys: PostgresKeys
    clock: SystemClock
    billing: Billing

    def topic(self, context: str) -> str:
        """The topic of a context in this installation."""
        return topic_of(context, prefix=self.settings.topic_prefix)

    async def standing(self) -> Standing:
        """How far log, relay, readers and view have come."""
        return await rest.standing(
            self.pool,
            topic=self.topic(CONTEXT),
            readers={
                FACTS: tuple(self.topic(context) for context in FACTS_FROM),
                ACCOUNTS: tuple(self.topic(context) for context in ACCOUNTS_FROM),
            },
            views=(BOOKS,),
        )

    def checks(self) -> tuple[Check, ...]:
        """What must agree here."""
        return checks(
            pool=self.pool,
            billing_on=lambda log: replace(self.billing, log=log),
            keys=self.keys,
            bootstrap=self.settings.kafka,
            own_topic=self.topic(CONTEXT),
            topics=[self.topic(context) for context in FACTS_FROM],
            decides_on=[self.topic(context) for context in ACCOUNTS_FROM],
        )


def terms_folder(settings: Settings) -> TermsFolder:
    """The terms of an installation, with what its operator may set. Raises WrongTerms."""
    return TermsFolder(settings.terms, settings=TermSettings(lone_interest=settings.lone_interest))


@asynccontextmanager
async def build(settings: Settings, *, terms: TermsFolder | None = None) -> AsyncIterator[Built]:
    """Read the terms if not given, open log, keys and the ports over them; closed in reverse."""
    terms = terms or terms_folder(settings)
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
            billing = Billing(
                log=log,
                timelines=PostgresTimelines(
                    pool,
                    topic_prefix=settings.topic_prefix,
                    sources=() if log.rehearsal else FACTS_FROM,
                ),
                terms=terms,
                drafts=PostgresDrafts(pool),
            )
            yield Built(
                settings=settings, pool=pool, log=log, keys=keys, clock=clock, billing=billing
            )


def make_api(
    built: Built, *, verifier: Verifier, metrics: Callable[[], str] | None = None
) -> FastAPI:
    """The HTTP edge of a built billing."""

    async def answers() -> None:
        await built.pool.execute("SELECT 1")

    async def standing() -> dict[str, object]:
        return {
            **(await built.standing()).model_dump(mode="json"),
            "reconciled": [one.model_dump(mode="json") for one in await outcomes(built.pool)],
        }

    app = make_app(
        "Billing",
        edge=Edge(verifier=verifier, rehearsal=built.log.rehearsal),
        routers=(
            accounts.router,
            contracts.router,
            documents.router,
            runs.router,
            deadlines.router,
            supposing.router,
            parked.router,
            reconciled.router,
        ),
        ready={"database": answers},
        metrics=metrics,
        standing=standing,
        description="What is owed and why: accounts, invoice runs, invoices, payments.",
    )
    app.state.parked = app.state.reconciled = built.pool
    app.state.billing = Parts(
        billing=built.billing,
        pool=built.pool,
        clock=built.clock,
        clauses=lambda: clause_texts(built.settings.terms),
        due_policy=built.settings.due_policy,
        trace_ui=built.settings.trace_ui,
    )
    return app


def make_worker(built: Built) -> Worker:
    """What the worker runs: relay, readers of facts and applications, view, runs, scheduler."""
    settings = built.settings
    dsn = settings.database_url.get_secret_value()
    rehearsal = built.log.rehearsal
    bell = Bell(dsn)
    relay = Relay(dsn=dsn, bootstrap=settings.kafka, topic=built.topic(CONTEXT))
    facts = Consumer(
        Projector(FACTS, effect=keep_facts, pool=built.pool, keys=built.keys),
        topics=[built.topic(context) for context in FACTS_FROM],
        group=f"{settings.topic_prefix}{FACTS}",
        bootstrap=settings.kafka,
        pool=built.pool,
    )
    opener = Consumer(
        Reactor(
            ACCOUNTS,
            react=reactions.react,
            log=built.log,
            pool=built.pool,
            keys=built.keys,
            rehearsal=rehearsal,
        ),
        topics=[built.topic(context) for context in ACCOUNTS_FROM],
        group=f"{settings.topic_prefix}{ACCOUNTS}",
        bootstrap=settings.kafka,
        pool=built.pool,
    )
    view = Follower(
        BOOKS,
        log=built.log,
        pool=built.pool,
        effect=books(lambda account_id: use_cases.next_late_on(built.billing, account_id)),
        bell=bell,
    )
    keeper = RunKeeper(built.billing, pool=built.pool, rehearsal=rehearsal, bell=bell)
    reconciler = Reconciler(
        built.checks(), pool=built.pool, every_seconds=settings.reconcile_every_seconds
    )
    runs: tuple[Run, ...] = (
        bell.run,
        relay.run,
        facts.run,
        opener.run,
        view.run,
        keeper.run,
        Forgetting(built.pool).run,
        reconciler.run,
    )
    if not rehearsal:
        scheduler = Scheduler(
            billing=built.billing,
            pool=built.pool,
            clock=built.clock,
            every_seconds=settings.deadlines_every_seconds,
        )
        herald = Herald(
            pool=built.pool,
            clock=built.clock,
            bootstrap=settings.kafka,
            topic=built.topic(CONTEXT),
            prefix=settings.topic_prefix,
        )
        hearer = Hearer(
            reader=FACTS,
            topics=[built.topic(context) for context in FACTS_FROM],
            bootstrap=settings.kafka,
            pool=built.pool,
            prefix=settings.topic_prefix,
        )
        runs = (*runs, scheduler.run, herald.run, hearer.run)
    ready = standing_of(
        pool=built.pool, bootstrap=settings.kafka, consumers=(facts, opener), views=(view,)
    )
    return Worker(runs=runs, ready=ready)


async def _database_there(settings: Settings, *, title: str, port: int) -> None:
    dsn = settings.database_url.get_secret_value()
    await database_there(dsn, title=title, host=settings.host, port=port)


async def run_api(settings: Settings) -> None:
    """Serve until stopped."""
    telemetry = set_up(CONTEXT)
    try:
        terms = terms_folder(settings)
        await _database_there(settings, title=CONTEXT, port=settings.port)
        async with build(settings, terms=terms) as built:
            verifier = Verifier(keys_at(settings.jwks_url))
            app = make_api(built, verifier=verifier, metrics=telemetry.metrics)
            await server(app, host=settings.host, port=settings.port).serve()
    finally:
        telemetry.close()


async def run_worker(settings: Settings) -> None:
    """Relay, read, keep the view and carry out runs until stopped."""
    title = f"{CONTEXT}-worker"
    telemetry = set_up(title)
    try:
        terms = terms_folder(settings)
        await _database_there(settings, title=title, port=settings.worker_port)
        async with build(settings, terms=terms) as built:
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
    """Bring the database to its newest schema, and make it hold billing's log."""
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn, [MIGRATIONS, Path(__file__).parent / "migrations"])
    await initialise(dsn, CONTEXT, rehearsal=settings.rehearsal)
