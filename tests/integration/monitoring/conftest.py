"""Monitoring as it runs, beside the contracts that it follows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from pydantic import SecretStr

from libs.events.vocabulary.contracts import ContractApproved
from libs.process.running import side_by_side
from services.monitoring.domain.site import Unopened
from services.monitoring.main import Built, build, make_api, make_worker, run_migrate
from services.monitoring.settings import Settings
from services.monitoring.use_cases import site_at
from services.monitoring.views.registry import views
from tests.conftest import MakeDatabase
from tests.support.anew import made_anew
from tests.support.contexts import MASTER_TEXT, Surroundings, surroundings
from tests.support.edges import a_client, a_verifier
from tests.support.way import running, until
from tests.unit.monitoring.sites import CONTRACT, CUSTOMER, OPENED_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The service, its surroundings, and a client of its edge."""

    built: Built
    around: Surroundings
    client: httpx2.AsyncClient

    async def approved(self) -> None:
        """The contract is approved, and its site open."""
        await self.around.publish(
            "contracts",
            CONTRACT,
            ContractApproved(
                contract_id=CONTRACT,
                customer_id=CUSTOMER,
                service="WUTM",
                approved_on=OPENED_ON,
                document_number="A-1",
            ),
        )

        async def is_open() -> bool:
            site, _ = await site_at(self.built.log, CONTRACT)
            return not isinstance(site, Unopened)

        await until(is_open)

    async def rebuilt(self) -> None:
        """The board is made anew from the log's first event."""
        (board,) = views(self.built.log)
        dsn = self.built.settings.database_url.get_secret_value()
        await made_anew(board, log=self.built.log, pool=self.built.pool, dsn=dsn)


@pytest.fixture
async def monitoring(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> AsyncIterator[Monitoring]:
    async with surroundings(
        "contracts",
        topics=("contracts", "monitoring"),
        database=database,
        kafka=kafka_bootstrap,
        prefix=topic_prefix,
    ) as around:
        settings = Settings(
            database_url=SecretStr(await database()),
            keys_url=SecretStr(around.keys_url),
            master_key=SecretStr(MASTER_TEXT),
            kafka=around.kafka,
            jwks_url="http://127.0.0.1:1/",
            topic_prefix=around.prefix,
            deadlines_every_seconds=3_600,
        )
        await run_migrate(settings)
        async with build(settings) as built:
            runs = make_worker(built).runs
            app = make_api(built, verifier=a_verifier())
            async with (
                running(lambda stop: side_by_side(*runs, stop=stop)),
                a_client(app) as client,
            ):
                yield Monitoring(built=built, around=around, client=client)
