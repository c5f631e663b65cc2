"""After a party was forgotten every service shows the same, live and made anew from the logs.

All four services run here with their workers; then each starts again on a database that holds its
log and nothing else, and comes to the same rows. Amounts, tax and invoice numbers stay.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

import services.billing.main as billing
import services.contracts.main as contracts
import services.monitoring.main as monitoring
import services.notifications.main as notifications
from cli.environments import Environment
from cli.reconcile.checks import Installation, checks_of
from libs.dates.japan import japan_instant
from libs.events import rest
from libs.events.envelope import Cause
from libs.events.key_store import PostgresKeys
from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.reconcile import whole_round
from libs.events.rest import Standing
from libs.events.topics import create_topics
from libs.events.vocabulary.billing import InvoiceIssued, InvoiceRunFinished
from libs.events.vocabulary.contracts import Content
from libs.process.running import side_by_side
from libs.process.worker import Worker
from services.billing.domain.account import account_of
from services.billing.runs import start_run
from services.billing.settings import Settings as BillingSettings
from services.billing.use_cases import Write, receive_payment
from services.contracts import use_cases
from services.contracts.domain.customer import Details
from services.contracts.reactions import READER
from services.contracts.settings import Settings as ContractsSettings
from services.contracts.use_cases import Command
from services.monitoring.settings import Settings as MonitoringSettings
from services.notifications.settings import Settings as NotificationsSettings
from tests.conftest import MakeDatabase
from tests.support.contexts import MASTER_TEXT
from tests.support.way import running, until

CUSTOMER, OTHER = UUID(int=11), UUID(int=12)
CONTRACT, OTHERS = UUID(int=21), UUID(int=22)
RUN = UUID(int=31)
NAMES = ("株式会社みどり", "株式会社あおい")
MAILS = ("midori@example.jp", "aoi@example.jp")
CONTEXTS = ("contracts", "billing", "monitoring", "notifications")

Tables = Mapping[str, Mapping[str, list[dict[str, Any]]]]

# What a database holds that is no view: the log itself, what stands in its transactions, and how
# far it was sent; the drafts of a run, which are its work; and the mails of a rehearsal, which are
# outside. All else is made from events.
LOG = ("event", "log_identity", "log_head", "partition_head", "idempotency_key", "reservation")
NO_VIEWS = frozenset({*LOG, "relay_cursor", "applied_migration", "run_draft", "captured_mail"})


@dataclass(slots=True, kw_only=True)
class Running:
    """The four services with their workers, on these databases."""

    dsns: Mapping[str, str]
    contracts: contracts.Service
    billing: billing.Built
    monitoring: monitoring.Built
    notifications: notifications.Built

    async def rested(self) -> None:
        """Return when nothing moves any more, twice with the same heads."""
        seen: list[dict[str, int]] = []

        async def at_rest() -> bool:
            standings = {
                "contracts": await self._of_contracts(),
                "billing": await self.billing.standing(),
                "monitoring": await self.monitoring.standing(),
                "notifications": await self.notifications.standing(),
            }
            heads = rest.heads(standings)
            still = not rest.at_rest(standings) and seen[-1:] == [heads]
            seen.append(heads)
            return still

        await until(at_rest)

    async def _of_contracts(self) -> Standing:
        return await rest.standing(
            self.contracts.pool,
            topic=self.contracts.topic,
            readers={READER: self.contracts.sources},
            views=contracts.VIEWS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the services are told beside their databases."""

    keys_url: str
    kafka: str
    prefix: str

    def common(self, dsn: str) -> dict[str, Any]:
        return {
            "database_url": SecretStr(dsn),
            "keys_url": SecretStr(self.keys_url),
            "master_key": SecretStr(MASTER_TEXT),
            "kafka": self.kafka,
            "jwks_url": "http://127.0.0.1:9/jwks.json",
            "topic_prefix": self.prefix,
            "rehearsal": True,
        }


@pytest.fixture
async def where(database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str) -> Where:
    keys_url = await database()
    await migrate(keys_url, [KEY_MIGRATIONS])
    prefix = f"{topic_prefix}."  # as an environment of this name has it
    await create_topics([f"{prefix}{name}" for name in CONTEXTS], bootstrap=kafka_bootstrap)
    return Where(keys_url=keys_url, kafka=kafka_bootstrap, prefix=prefix)


async def migrated(where: Where, database: MakeDatabase) -> dict[str, str]:
    """A database for each service, with its schema and an empty log."""
    dsns = {name: await database() for name in CONTEXTS}
    await contracts.run_migrate(ContractsSettings(**where.common(dsns["contracts"])))
    await billing.run_migrate(BillingSettings(**where.common(dsns["billing"])))
    await monitoring.run_migrate(MonitoringSettings(**where.common(dsns["monitoring"])))
    await notifications.run_migrate(_notifying(where, dsns["notifications"]))
    return dsns


def _notifying(where: Where, dsn: str) -> NotificationsSettings:
    return NotificationsSettings(**where.common(dsn), smtp_host="127.0.0.1", smtp_port=9)


@asynccontextmanager
async def all_services(where: Where, dsns: Mapping[str, str]) -> AsyncIterator[Running]:
    """All four, each with its worker, in this process."""
    async with AsyncExitStack() as stack:
        found = Running(
            dsns=dsns,
            contracts=await stack.enter_async_context(
                contracts.build(ContractsSettings(**where.common(dsns["contracts"])))
            ),
            billing=await stack.enter_async_context(
                billing.build(BillingSettings(**where.common(dsns["billing"])))
            ),
            monitoring=await stack.enter_async_context(
                monitoring.build(MonitoringSettings(**where.common(dsns["monitoring"])))
            ),
            notifications=await stack.enter_async_context(
                notifications.build(_notifying(where, dsns["notifications"]))
            ),
        )
        for worker in (
            contracts.make_worker(found.contracts),
            billing.make_worker(found.billing),
            monitoring.make_worker(found.monitoring),
            notifications.make_worker(found.notifications),
        ):
            await stack.enter_async_context(running(_all_of(worker)))
        yield found


def _all_of(worker: Worker) -> Any:
    async def run(stop: asyncio.Event) -> None:
        await side_by_side(*worker.runs, stop=stop)

    return run


def at(day: str, *, case: UUID = CONTRACT) -> Cause:
    return Cause(
        correlation_id=case, actor="operator-1", now=japan_instant(date.fromisoformat(day), 9)
    )


async def a_life(found: Running, *, customer_id: UUID, contract_id: UUID, who: int) -> None:
    """A customer with a contract that began, was invoiced, paid and ended."""
    log, terms = found.contracts.log, found.contracts.terms
    person = Command(stream_id=customer_id, cause=at("2024-01-05", case=contract_id))
    await use_cases.register_customer(
        log,
        person,
        registered_on=date(2024, 1, 5),
        details=Details(
            corporate=True,
            payment_method="invoice",
            name=NAMES[who],
            email=MAILS[who],
            billing_name=NAMES[who],
        ),
    )
    command = Command(stream_id=contract_id, cause=at("2024-01-10", case=contract_id))
    await use_cases.apply(
        log,
        command,
        service="MYSEC",
        customer_id=customer_id,
        applied_on=date(2024, 1, 10),
        content=Content(packs={1: 10}),
        consents=("terms", "third-party-terms", "disclaimers"),
        terms=terms,
    )
    await use_cases.approve(
        log, command, approved_on=date(2024, 1, 10), document_number="A-1", terms=terms
    )
    await use_cases.start(log, command, started_on=date(2024, 1, 15), terms=terms)
    await found.rested()
    ending = Command(stream_id=contract_id, cause=at("2024-03-15", case=contract_id))
    await use_cases.terminate_by_customer(
        log,
        ending,
        terminated_on=date(2024, 4, 30),
        received_on=date(2024, 3, 15),
        terms=terms,
    )
    await found.rested()


async def invoiced_and_paid(found: Running) -> None:
    async def run_is_finished() -> bool:
        told = await found.billing.billing.log.load(RUN)
        return any(isinstance(each.event, InvoiceRunFinished) for each in told)

    await start_run(
        found.billing.billing,
        run_id=RUN,
        closing_on=date(2024, 4, 30),
        issued_on=date(2024, 5, 1),
        due_policy="end-of-next-month",
        cause=at("2024-05-01"),
    )
    await until(run_is_finished)
    await found.rested()
    for contract_id, payment_id in ((CONTRACT, UUID(int=41)), (OTHERS, UUID(int=42))):
        await receive_payment(
            found.billing.billing,
            account_of(contract_id),
            payment_id=payment_id,
            received_on=date(2024, 5, 20),
            write=Write(cause=at("2024-05-20")),
        )
    await found.rested()


async def forgotten(found: Running) -> None:
    forgetter = found.contracts.forgetter()
    await forgetter.forget(
        Command(stream_id=CUSTOMER, cause=at("2024-06-01")),
        classes=["contact"],
        reason="requested",
    )
    await found.rested()


async def rows(dsn: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that is made from events, in an order of its own content."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = [
            row["tablename"]
            for row in await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            )
        ]
        found = {}
        for table in tables:
            if table not in NO_VIEWS:
                records = await connection.fetch(f'SELECT to_jsonb(t) AS row FROM "{table}" t')
                found[table] = sorted(
                    (_comparable(orjson.loads(record["row"])) for record in records),
                    key=orjson.dumps,
                )
    finally:
        await connection.close()
    return found


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """A row without where in Kafka to go on, which nothing rests on."""
    return {name: value for name, value in row.items() if name != "kafka_offset"}


async def only_the_log(live: str, fresh: str) -> None:
    """Copy the log of one database into another one that has none; nothing else."""
    source, target = await asyncpg.connect(live), await asyncpg.connect(fresh)
    try:
        for table in (*LOG, "relay_cursor"):
            records = [tuple(row) for row in await source.fetch(f'SELECT * FROM "{table}"')]
            await target.execute(f'TRUNCATE "{table}"')
            await target.copy_records_to_table(table, records=records)
    finally:
        await source.close()
        await target.close()


async def test_every_service_shows_the_same_live_and_rebuilt(
    where: Where, database: MakeDatabase
) -> None:
    live = await migrated(where, database)
    async with all_services(where, live) as found:
        await a_life(found, customer_id=CUSTOMER, contract_id=CONTRACT, who=0)
        await a_life(found, customer_id=OTHER, contract_id=OTHERS, who=1)
        await invoiced_and_paid(found)
        before = {name: await rows(dsn) for name, dsn in live.items()}
        mails = await found.notifications.pool.fetch("SELECT address, body FROM captured_mail")
        assert any(MAILS[0] == mail["address"] for mail in mails)
        await forgotten(found)
        invoices = await invoices_of(found)
        assert await drift(where, found) == [], "what must agree agrees once a party is forgotten"
        captured = await found.notifications.pool.fetch("SELECT * FROM captured_mail")
    after = {name: await rows(dsn) for name, dsn in live.items()}

    fresh = await migrated(where, database)
    for name, dsn in live.items():
        await only_the_log(dsn, fresh[name])
    async with all_services(where, fresh) as found:
        await found.rested()
        assert await invoices_of(found) == invoices
    rebuilt = {name: await rows(dsn) for name, dsn in fresh.items()}

    assert differing(after, rebuilt) == []
    assert differing(before, after) == [
        ("contracts", "forgotten_party"),
        ("contracts", "view_cursor"),
        *((name, "consumer_cursor") for name in ("billing", "monitoring")),
        ("notifications", "consumer_cursor"),
        ("notifications", "recipient"),
    ]
    assert [table for table in FILLED if not after[table[0]][table[1]]] == []
    shown = repr(after) + repr(captured)
    assert [personal for personal in (NAMES[0], MAILS[0]) if personal in shown] == []
    assert [personal for personal in (NAMES[1], MAILS[1]) if personal not in shown] == []
    assert len(captured) == len(mails)


async def drift(where: Where, found: Running) -> list[str]:
    """What `./yk reconcile` tells of all services."""
    async with asyncpg.create_pool(where.keys_url, min_size=0, max_size=2) as keys:
        there = Installation(
            pools={
                "contracts": found.contracts.pool,
                "billing": found.billing.pool,
                "monitoring": found.monitoring.pool,
                "notifications": found.notifications.pool,
            },
            kafka=where.kafka,
            keys=PostgresKeys(keys, master=base64.b64decode(MASTER_TEXT)),
            environment=Environment(
                name=where.prefix.removesuffix("."), rehearsal=True, port_offset=None
            ),
        )
        rounds = [
            await whole_round(check, limit=100)
            for name in CONTEXTS
            for check in checks_of(name, there)
        ]
    looked = {each.check: each.looked for each in rounds}
    for name in ("contracts-reactions of ", "billing-accounts of ", "monitoring of "):
        assert [count for check, count in looked.items() if check.startswith(name) and count]
    return [each.words for found in rounds for each in found.drift]


def differing(one: Tables, other: Tables) -> list[tuple[str, str]]:
    """The tables, by service, whose rows are not the same."""
    return [
        (name, table)
        for name, tables in one.items()
        for table, content in tables.items()
        if content != other[name][table]
    ]


FILLED = (
    ("contracts", "contract"),
    ("contracts", "forgotten_party"),
    ("billing", "fact"),
    ("billing", "contract_timeline"),
    ("billing", "document"),
    ("billing", "assessment"),
    ("billing", "payment"),
    ("billing", "invoice_run"),
    ("notifications", "recipient"),
    ("notifications", "notice"),
    ("notifications", "occasion"),
)


async def invoices_of(found: Running) -> list[InvoiceIssued]:
    """The invoices as the log tells them: amounts, tax, numbers."""
    events = await found.billing.log.read(0, limit=1_000)
    return [each.event for each in events if isinstance(each.event, InvoiceIssued)]
