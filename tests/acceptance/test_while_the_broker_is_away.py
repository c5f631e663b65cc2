"""With the broker stopped commands still succeed; what they led to flows when it is back."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pydantic import SecretStr

from cli.ports import choose
from cli.servers.kafka import KafkaServer
from cli.state import State
from libs.dates.japan import japan_instant
from libs.events.migrate import KEY_MIGRATIONS, migrate
from libs.events.topics import create_topics
from libs.process.running import side_by_side
from libs.web.auth import Verifier, keys_at
from services.contracts import main as contracts
from services.contracts.settings import Settings as ContractsSettings
from services.monitoring import main as monitoring
from services.monitoring.settings import Settings as MonitoringSettings
from tests.conftest import MakeDatabase
from tests.support.partner import Partner, a_partner

pytestmark = pytest.mark.timeout(300)

_AT = japan_instant(date(2024, 4, 1))
_TOPICS = ("contracts", "monitoring", "billing")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker of this test's own, which it may stop."""
    server = KafkaServer(State(tmp_path), usual_port=choose(None))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
async def partner(
    broker: KafkaServer, database: MakeDatabase, state: State, jwks_url: str
) -> AsyncIterator[Partner]:
    """Contracts and monitoring, running in this process, as a partner reaches them."""
    kafka = broker.start(tied=True)
    await create_topics(_TOPICS, bootstrap=kafka)
    keys_url = await database()
    await migrate(keys_url, [KEY_MIGRATIONS])
    shared: dict[str, Any] = {
        "keys_url": SecretStr(keys_url),
        "master_key": SecretStr(base64.b64encode(os.urandom(32)).decode()),
        "kafka": kafka,
        "jwks_url": jwks_url,
        "rehearsal": True,
    }
    of_contracts = ContractsSettings(database_url=SecretStr(await database()), **shared)
    of_monitoring = MonitoringSettings(database_url=SecretStr(await database()), **shared)
    await contracts.run_migrate(of_contracts)
    await monitoring.run_migrate(of_monitoring)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(contracts.build(of_contracts))
        built = await stack.enter_async_context(monitoring.build(of_monitoring))
        stop = asyncio.Event()
        runs = [*contracts.make_worker(service).runs, *monitoring.make_worker(built).runs]
        at_work = asyncio.create_task(side_by_side(*runs, stop=stop))
        sites = monitoring.make_api(built, verifier=Verifier(keys_at(jwks_url)))
        async with (
            a_partner({}, state=state) as stranger,
            httpx2.AsyncClient(
                mounts={
                    "http://contracts": httpx2.ASGITransport(contracts.application(service)),
                    "http://monitoring": httpx2.ASGITransport(sites),
                }
            ) as client,
        ):
            addresses = {"contracts": "http://contracts", "monitoring": "http://monitoring"}
            yield Partner(client=client, addresses=addresses, token=stranger.token)
        stop.set()
        await at_work


async def test_commands_succeed_and_their_events_flow_later(
    partner: Partner, broker: KafkaServer
) -> None:
    customer_id, contract_id = str(uuid4()), str(uuid4())
    broker.stop()
    commands: dict[str, dict[str, Any]] = {
        "/customers": {
            "customer_id": customer_id,
            "registered_on": "2024-04-01",
            "corporate": True,
            "payment_method": "invoice",
        },
        "/contracts": {
            "contract_id": contract_id,
            "service": "MYSEC",
            "customer_id": customer_id,
            "applied_on": "2024-04-01",
            "content": {"packs": {"1": 3}},
            "consents": ["terms", "third-party-terms", "disclaimers"],
        },
        f"/contracts/{contract_id}/approval": {
            "approved_on": "2024-04-01",
            "document_number": "1",
        },
    }
    for path, body in commands.items():
        answer = await partner.post("contracts", path, body, at=_AT)
        assert answer.is_success, answer.text
    assert (await partner.get("monitoring", f"/sites/{contract_id}")).status_code == 404
    broker.start(tied=True)
    site = await _opened(partner, contract_id)
    assert (site["opened_on"], site["service"]) == ("2024-04-01", "MYSEC")


async def _opened(partner: Partner, contract_id: str) -> dict[str, str]:
    async with asyncio.timeout(120):
        while True:
            answer = await partner.get("monitoring", f"/sites/{contract_id}")
            if answer.is_success:
                found: dict[str, str] = answer.json()
                return found
            await asyncio.sleep(0.05)
