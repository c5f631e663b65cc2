"""Contracts and billing as they run, in databases of their own that can be lost and restored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
from pydantic import SecretStr

from cli.rebuild import databases
from cli.rebuild.restoring import Restored, Target, Way, restore, restore_keys
from libs.events.database import Pool
from libs.events.envelope import Cause
from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.topics import create_topics
from libs.events.vocabulary.contracts import Content
from libs.process.running import side_by_side
from libs.process.worker import Worker
from services.billing import main as billing_main
from services.billing.settings import Settings as BillingSettings
from services.contracts import main as contracts_main
from services.contracts.domain.customer import Details
from services.contracts.settings import Settings as ContractsSettings
from services.contracts.use_cases import Command, apply, approve, decline, register_customer
from tests.support.contexts import MASTER_TEXT
from tests.support.way import running, until

_SERVICES = Path(__file__).parents[3] / "services"
CONSENTS = (
    "terms",
    "third-persons",
    "log-collection",
    "software-licences",
    "no-antisocial-relations",
    "privacy",
)
ON = date(2024, 1, 10)


@dataclass(slots=True, kw_only=True)
class Installation:
    """Databases by service, a broker, a prefix."""

    admin: str
    urls: dict[str, str]
    kafka: str
    prefix: str
    workers: dict[str, Worker] = field(default_factory=dict)

    def variables(self, service: str) -> dict[str, str]:
        """What the processes of a service are told."""
        own = {
            "DATABASE_URL": self.urls[service],
            "KEYS_URL": self.urls["keys"],
            "MASTER_KEY": MASTER_TEXT,
            "KAFKA": self.kafka,
            "JWKS_URL": "http://127.0.0.1:1/",
            "TOPIC_PREFIX": self.prefix,
        }
        return {f"{service.upper()}_{name}": value for name, value in own.items()}

    def topic(self, service: str) -> str:
        """The topic of a service."""
        return f"{self.prefix}{service}"

    def settings(self, service: str) -> dict[str, Any]:
        """The settings of a service's processes."""
        return {
            "database_url": SecretStr(self.urls[service]),
            "keys_url": SecretStr(self.urls["keys"]),
            "master_key": SecretStr(MASTER_TEXT),
            "kafka": self.kafka,
            "jwks_url": "http://127.0.0.1:1/",
            "topic_prefix": self.prefix,
            "deadlines_every_seconds": 3600.0,
        }

    @asynccontextmanager
    async def contracts(self) -> AsyncIterator[contracts_main.Service]:
        """The worker of contracts, for as long as the block runs."""
        async with contracts_main.build(ContractsSettings(**self.settings("contracts"))) as service:
            worker = self.workers["contracts"] = contracts_main.make_worker(service)
            async with running(lambda stop: side_by_side(*worker.runs, stop=stop)):
                yield service

    @asynccontextmanager
    async def billing(self) -> AsyncIterator[billing_main.Built]:
        """The worker of billing, for as long as the block runs."""
        async with billing_main.build(BillingSettings(**self.settings("billing"))) as built:
            worker = self.workers["billing"] = billing_main.make_worker(built)
            async with running(lambda stop: side_by_side(*worker.runs, stop=stop)):
                yield built

    @asynccontextmanager
    async def pools(self) -> AsyncIterator[dict[str, Pool]]:
        """Both databases, looked into from outside."""
        async with AsyncExitStack() as stack:
            yield {
                name: await stack.enter_async_context(
                    asyncpg.create_pool(self.urls[name], min_size=0, max_size=2)
                )
                for name in ("contracts", "billing")
            }

    async def level(self) -> None:
        """Return when all is sent, taken and in the views."""
        async with self.pools() as pools:

            async def at_rest() -> bool:
                heads = await pools["contracts"].fetch(
                    "SELECT partition, sequence FROM partition_head WHERE sequence > 0"
                )
                ends = {(row["partition"], row["sequence"]) for row in heads}
                taken = [
                    {
                        (row["partition"], row["sequence"])
                        for row in await pools["billing"].fetch(
                            "SELECT partition, sequence FROM consumer_cursor"
                            " WHERE consumer = $1 AND topic = $2 AND sequence > 0",
                            reader,
                            self.topic("contracts"),
                        )
                    }
                    for reader in ("billing-facts", "billing-accounts")
                ]
                views = [
                    await pool.fetchval(
                        "SELECT bool_and(view_cursor.position = log_head.position)"
                        " AND bool_and(relay_cursor.position = log_head.position)"
                        " FROM view_cursor, log_head, relay_cursor"
                    )
                    for pool in pools.values()
                ]
                return all(ends == one for one in taken) and all(views)

            await until(at_rest)

    async def lose(self, service: str) -> None:
        """The database of a service is gone."""
        database = urlsplit(self.urls[service]).path[1:]
        connection = await asyncpg.connect(self.admin)
        await connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
        await connection.close()

    async def restore(self, service: str, *, file: Path, way: Way) -> Restored:
        """Restore as the command does."""
        target = Target(
            service=service,
            admin=self.admin,
            database=urlsplit(self.urls[service]).path[1:],
            topic=self.topic(service),
            kafka=self.kafka,
            migrations=_SERVICES / service / "migrations",
            variables=self.variables(service),
            readers={name: self.urls[name] for name in ("contracts", "billing") if name != service},
        )
        return await restore(target, file=file, way=way)

    async def restore_keys(self, file: Path) -> str:
        """Restore the keys as the command does; the name under which the others are kept."""
        database = urlsplit(self.urls["keys"]).path[1:]
        return await restore_keys(self.admin, database=database, file=file)

    async def back_up(self, service: str, file: Path) -> None:
        """Back up as the command does."""
        await asyncio.to_thread(databases.dump, self.urls[service], file=file)


async def installed(make_database: Any, *, admin: str, kafka: str, prefix: str) -> Installation:
    """An empty installation."""
    urls = {name: await make_database() for name in ("contracts", "billing", "keys")}
    found = Installation(admin=admin, urls=urls, kafka=kafka, prefix=prefix)
    await migrate(urls["keys"], [KEY_MIGRATIONS])
    await contracts_main.run_migrate(ContractsSettings(**found.settings("contracts")))
    await billing_main.run_migrate(BillingSettings(**found.settings("billing")))
    topics = [found.topic(name) for name in ("contracts", "billing", "monitoring")]
    await create_topics(topics, bootstrap=kafka)
    return found


def command(stream_id: UUID) -> Command:
    """A command of a clerk."""
    return Command(stream_id=stream_id, cause=Cause(correlation_id=uuid4(), actor="clerk"))


async def applied(service: contracts_main.Service, *, line_id: str) -> UUID:
    """A new customer applies for UTM on a line."""
    customer_id, contract_id = uuid4(), uuid4()
    await register_customer(
        service.log,
        command(customer_id),
        registered_on=ON,
        details=Details(
            corporate=True,
            payment_method="invoice",
            name="株式会社みどり",
            email="midori@example.jp",
        ),
    )
    await apply(
        service.log,
        command(contract_id),
        service="WUTM",
        customer_id=customer_id,
        applied_on=ON,
        content=Content(device="SSB10", line="flets", line_id=line_id),
        consents=CONSENTS,
        terms=service.terms,
    )
    return contract_id


async def approved(service: contracts_main.Service, *, line_id: str) -> UUID:
    """A contract on a line."""
    contract_id = await applied(service, line_id=line_id)
    await approve(
        service.log,
        command(contract_id),
        approved_on=ON,
        document_number="A-1",
        terms=service.terms,
    )
    return contract_id


async def declined(service: contracts_main.Service, *, line_id: str, ground: str) -> UUID:
    """An application that was refused; its line is free again."""
    contract_id = await applied(service, line_id=line_id)
    await decline(
        service.log,
        command(contract_id),
        declined_on=date(2024, 1, 12),
        ground=ground,
        terms=service.terms,
    )
    return contract_id
