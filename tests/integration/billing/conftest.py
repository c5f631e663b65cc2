"""Billing as it runs, beside the contexts whose facts it rests on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pydantic import SecretStr

from libs.events.envelope import Event
from libs.process.running import side_by_side
from services.billing.main import Built, build, make_api, make_worker, run_migrate
from services.billing.settings import TERMS, Settings
from tests.conftest import MakeDatabase
from tests.support.contexts import MASTER_TEXT, Surroundings, surroundings
from tests.support.edges import a_client, a_verifier, bearer, writing
from tests.support.way import running, until

READS = bearer("billing:read")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingService:
    """The service, its surroundings, and a client of its edge."""

    built: Built
    around: Surroundings
    client: httpx2.AsyncClient

    async def tell(self, *events: Event) -> None:
        """Another context records events, each in the stream of its contract or customer."""
        for event in events:
            stream_id: UUID = getattr(event, "contract_id", None) or getattr(event, "customer_id")  # noqa: B009 - one of the two
            context = event.type.partition(".")[0]
            log = self.around.logs[context]
            present = len(await log.load(stream_id))
            await self.around.publish(context, stream_id, event)
            assert len(await log.load(stream_id)) == present + 1

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        return await self.client.get(path, params=params, headers=READS)

    async def heard(self, path: str) -> dict[str, Any]:
        """What a page says, once there is one."""

        async def is_there() -> bool:
            return (await self.get(path)).status_code == 200

        await until(is_there)
        found: dict[str, Any] = (await self.get(path)).json()
        return found

    async def run(self, **body: Any) -> dict[str, Any]:
        """A run, asked for and watched to its end."""
        return await self.watched("/invoice-runs", body)

    async def watched(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A run that a POST asks for, watched to its end; the same request again is the same run."""
        headers = writing()
        asked = await self.client.post(path, json=body, headers=headers)
        assert asked.status_code == 202, asked.text
        again = await self.client.post(path, json=body, headers=headers)
        path = asked.headers["Location"]
        assert again.headers["Location"] == path

        async def finished() -> bool:
            answer = await self.get(path)
            return answer.status_code == 200 and answer.json()["state"] == "finished"

        await until(finished)
        found: dict[str, Any] = (await self.get(path)).json()
        return found


@pytest.fixture
def terms() -> Path:
    """The folder of terms that billing works by."""
    return TERMS


@pytest.fixture
async def billing_service(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str, terms: Path
) -> AsyncIterator[BillingService]:
    async with surroundings(
        "contracts",
        "monitoring",
        topics=("contracts", "monitoring", "billing"),
        database=database,
        kafka=kafka_bootstrap,
        prefix=topic_prefix,
        rehearsal=True,
    ) as around:
        settings = Settings(
            database_url=SecretStr(await database()),
            keys_url=SecretStr(around.keys_url),
            master_key=SecretStr(MASTER_TEXT),
            kafka=around.kafka,
            jwks_url="http://127.0.0.1:1/",
            topic_prefix=around.prefix,
            terms=terms,
            rehearsal=True,
            trace_ui="http://traces.test/zipkin/traces",
        )
        await run_migrate(settings)
        async with build(settings) as built:
            runs = make_worker(built).runs
            app = make_api(built, verifier=a_verifier())
            async with (
                running(lambda stop: side_by_side(*runs, stop=stop)),
                a_client(app) as client,
            ):
                yield BillingService(built=built, around=around, client=client)
