"""Notifications, put together: the API process and the worker process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parseaddr
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
from libs.events.projector import Projector
from libs.events.reconcile import Check
from libs.events.reconciling import Reconciler, outcomes
from libs.events.relay import Relay
from libs.events.rest import ParkedCount, Standing
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
from services.notifications import api
from services.notifications.composer import Composer
from services.notifications.gateways.mail import CapturingMailer, Mailer, SmtpMailer
from services.notifications.reconciling import checks
from services.notifications.sender import Patience, Sender
from services.notifications.settings import Settings
from services.notifications.terms import NoticeTermsOf, notice_terms
from services.notifications.views import known, notices, occasions

CONTEXT = "notifications"
READER = "notifications"
READS = ("contracts", "monitoring", "billing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Everything both processes need, open."""

    settings: Settings
    pool: Pool
    log: PostgresLog
    keys: PostgresKeys
    clock: SystemClock
    terms_of: NoticeTermsOf

    def topic(self, context: str) -> str:
        """The topic of a context in this installation."""
        return topic_of(context, prefix=self.settings.topic_prefix)

    async def standing(self) -> Standing:
        """How far log, relay, reader and view have come, and what still waits to be said."""
        found = await rest.standing(
            self.pool,
            topic=self.topic(CONTEXT),
            readers={READER: tuple(self.topic(context) for context in READS)},
            views=(notices.NAME,),
        )
        waiting, aside = await occasions.count_open(self.pool)
        own = {
            "composer": ParkedCount(waiting=waiting, parked=aside),
            "sender": ParkedCount(waiting=await notices.count_unsent(self.pool), parked=0),
        }
        return found.model_copy(update={"parked": found.parked | own})

    def checks(self) -> tuple[Check, ...]:
        """What must agree here."""
        return checks(
            pool=self.pool,
            keys=self.keys,
            bootstrap=self.settings.kafka,
            own_topic=self.topic(CONTEXT),
            consumer=READER,
            topics=[self.topic(context) for context in READS],
            terms_of=self.terms_of,
        )


@asynccontextmanager
async def build(
    settings: Settings, *, terms_of: NoticeTermsOf | None = None
) -> AsyncIterator[Built]:
    """Read the terms if they are not given, open the log and the keys; closed in reverse."""
    terms_of = terms_of or notice_terms(settings.terms)
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
    """The HTTP edge of a built notifications; a rehearsal's shows its captured mails too."""

    async def answers() -> None:
        await built.pool.execute("SELECT 1")

    async def standing() -> dict[str, object]:
        return {
            **(await built.standing()).model_dump(mode="json"),
            "reconciled": [one.model_dump(mode="json") for one in await outcomes(built.pool)],
        }

    rehearsal = built.log.rehearsal
    app = make_app(
        "Notifications",
        edge=Edge(verifier=verifier, rehearsal=rehearsal),
        routers=(
            api.router,
            *((api.captured_router,) if rehearsal else ()),
            parked.router,
            reconciled.router,
        ),
        ready={"database": answers},
        metrics=metrics,
        standing=standing,
        description="What is said to customers, when, by which rule, and whether it was said.",
    )
    app.state.parked = app.state.reconciled = built.pool
    app.state.notices = api.Parts(
        log=built.log,
        pool=built.pool,
        clock=built.clock,
        trace_url=built.settings.trace_url,
        level=lambda: view_cursors.level(built.pool, notices.NAME),
    )
    return app


def make_mailer(built: Built) -> Mailer:
    """The way out; of a rehearsal nothing goes out."""
    if built.log.rehearsal:
        return CapturingMailer(built.pool)
    settings = built.settings
    return SmtpMailer(host=settings.smtp_host, port=settings.smtp_port, sender=settings.sender)


def make_worker(built: Built) -> Worker:
    """What the worker runs: relay, reader of the other contexts, composer, view, sender."""
    settings = built.settings
    dsn = settings.database_url.get_secret_value()
    bell = Bell(dsn)
    relay = Relay(dsn=dsn, bootstrap=settings.kafka, topic=built.topic(CONTEXT))
    reader = Consumer(
        Projector(READER, effect=known.keep, pool=built.pool, keys=built.keys),
        topics=[built.topic(context) for context in READS],
        group=f"{settings.topic_prefix}{READER}",
        bootstrap=settings.kafka,
        pool=built.pool,
    )
    composer = Composer(
        pool=built.pool,
        log=built.log,
        terms_of=built.terms_of,
        sender_name=parseaddr(settings.sender)[0],
        rehearsal=built.log.rehearsal,
    )
    view = Follower(notices.NAME, log=built.log, pool=built.pool, effect=notices.fill, bell=bell)
    sender = Sender(
        dsn=dsn,
        pool=built.pool,
        log=built.log,
        mailer=make_mailer(built),
        clock=built.clock,
        rehearsal=built.log.rehearsal,
        patience=Patience(
            attempts=settings.mail_attempts, first_seconds=settings.mail_retry_seconds
        ),
    )
    reconciler = Reconciler(
        built.checks(), pool=built.pool, every_seconds=settings.reconcile_every_seconds
    )
    ready = standing_of(
        pool=built.pool, bootstrap=settings.kafka, consumers=(reader,), views=(view,)
    )
    runs: tuple[Run, ...] = (
        bell.run,
        relay.run,
        reader.run,
        composer.run,
        view.run,
        sender.run,
        Forgetting(built.pool).run,
        reconciler.run,
    )
    if not built.log.rehearsal:
        herald = Herald(
            pool=built.pool,
            clock=built.clock,
            bootstrap=settings.kafka,
            topic=built.topic(CONTEXT),
            prefix=settings.topic_prefix,
        )
        runs = (*runs, herald.run)
    return Worker(runs=runs, ready=ready)


async def _database_there(settings: Settings, *, title: str, port: int) -> None:
    dsn = settings.database_url.get_secret_value()
    await database_there(dsn, title=title, host=settings.host, port=port)


async def run_api(settings: Settings) -> None:
    """Serve until stopped."""
    telemetry = set_up(CONTEXT)
    try:
        terms_of = notice_terms(settings.terms)
        await _database_there(settings, title=CONTEXT, port=settings.port)
        async with build(settings, terms_of=terms_of) as built:
            verifier = Verifier(keys_at(settings.jwks_url))
            app = make_api(built, verifier=verifier, metrics=telemetry.metrics)
            await server(app, host=settings.host, port=settings.port).serve()
    finally:
        telemetry.close()


async def run_worker(settings: Settings) -> None:
    """Relay, read, compose and send until stopped."""
    title = f"{CONTEXT}-worker"
    telemetry = set_up(title)
    try:
        terms_of = notice_terms(settings.terms)
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
    """Bring the database to its newest schema, and make it hold notifications' log."""
    dsn = settings.database_url.get_secret_value()
    await migrate(dsn, [MIGRATIONS, Path(__file__).parent / "migrations"])
    await initialise(dsn, CONTEXT, rehearsal=settings.rehearsal)
