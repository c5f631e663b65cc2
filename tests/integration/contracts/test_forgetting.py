"""A party is forgotten: over HTTP, and whatever is killed or restored between event and keys."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import pytest
from joserfc.jwk import ECKey

from cli.ports import choose
from libs.events.database import Connection
from libs.events.keys import KeyOwner
from libs.events.vocabulary.contracts import CustomerRegistered, PartyForgotten
from libs.process.running import side_by_side
from services.contracts.main import Service, make_worker
from services.contracts.settings import Settings
from tests.support.way import running, until

from .conftest import Caller, token

_CHECKOUT = Path(__file__).parents[3]
FORGETTING = {"classes": ["contact"], "reason": "requested"}
ENDING = {"by": "customer", "terminated_on": "2024-05-31", "received_on": "2024-04-20"}


@pytest.fixture
async def key_database(settings: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(settings.keys_url.get_secret_value())
    yield connection
    await connection.close()


async def an_ended_customer(clerk: Caller) -> str:
    customer_id = await clerk.registered(billing_name="経理部")
    contract_id = await clerk.running(customer_id=customer_id)
    ended = await clerk.post(f"/contracts/{contract_id}/termination", ENDING)
    assert ended.status_code == 200, ended.text
    return customer_id


async def living_keys(key_database: Connection, customer_id: str) -> set[str]:
    rows = await key_database.fetch(
        "SELECT retention FROM data_key WHERE subject = $1 AND wrapped IS NOT NULL",
        UUID(customer_id),
    )
    return {row["retention"] for row in rows}


async def is_recorded(service: Service, customer_id: str) -> bool:
    history = await service.log.load(UUID(customer_id))
    return isinstance(history[-1].event, PartyForgotten)


async def test_a_party_is_forgotten_for_good_and_the_rest_stays(
    clerk: Caller, service: Service, key_database: Connection
) -> None:
    customer_id = await an_ended_customer(clerk)
    path = f"/customers/{customer_id}"
    answer = await clerk.post(f"{path}/forgetting", FORGETTING, key="once", version=1)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["name"], shown["email"], shown["forgotten"]) == (None, None, ["contact"])
    assert (shown["billing_name"], shown["registered_on"]) == ("経理部", "2024-01-05")
    assert (await clerk.get(path)).json() == shown
    again = await clerk.post(f"{path}/forgetting", FORGETTING, key="once", version=1)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == shown
    assert await living_keys(key_database, customer_id) == {"invoice"}
    registered = (await service.log.load(UUID(customer_id)))[0].event
    assert isinstance(registered, CustomerRegistered)
    assert (registered.name, registered.billing_name) == (None, "経理部")
    change = {"changed_on": "2024-07-01", "notified_on": "2024-07-01", "name": "株式会社みどり"}
    refused = await clerk.client.patch(path, json=change, headers={"If-Match": "*"} | clerk.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "party-is-forgotten")


async def test_a_party_with_a_standing_contract_is_not_forgotten(
    clerk: Caller, key_database: Connection
) -> None:
    customer_id = await clerk.registered()
    await clerk.running(customer_id=customer_id)
    answer = await clerk.post(f"/customers/{customer_id}/forgetting", FORGETTING)
    assert (answer.status_code, answer.json()["code"]) == (409, "still-needed")
    assert await living_keys(key_database, customer_id) == {"contact"}
    assert (await clerk.get(f"/customers/{customer_id}")).json()["name"] == "株式会社みどり"


async def test_the_kept_answer_of_an_old_request_shows_nothing_that_was_forgotten(
    clerk: Caller,
) -> None:
    """While another process may still read with a cached key, the answers don't."""
    body = {
        "registered_on": "2024-01-05",
        "corporate": True,
        "payment_method": "invoice",
        "name": "株式会社みどり",
    }
    first = await clerk.post("/customers", body, key="registration")
    assert first.json()["name"] == "株式会社みどり"
    await clerk.post(f"/customers/{first.json()['customer_id']}/forgetting", FORGETTING)
    again = await clerk.post("/customers", body, key="registration")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.json()["name"], again.json()["forgotten"]) == (None, ["contact"])


async def test_killed_between_event_and_keys_a_party_ends_forgotten(
    clerk: Caller,
    service: Service,
    key: ECKey,
    key_database: Connection,
) -> None:
    customer_id = await an_ended_customer(clerk)
    async with an_api_process(service.settings) as (process, address):
        headers = {
            "Authorization": f"Bearer {token(key, 'operator', subject='night')}",
            "Idempotency-Key": "killed",
            "If-Match": "*",
        }
        async with (
            httpx2.AsyncClient(base_url=address, timeout=60) as client,
            key_database.transaction(),
        ):
            await key_database.execute(
                "SELECT FROM data_key WHERE subject = $1 FOR UPDATE", UUID(customer_id)
            )
            asked = asyncio.ensure_future(
                client.post(
                    f"/customers/{customer_id}/forgetting", json=FORGETTING, headers=headers
                )
            )
            await until(lambda: recorded_or_answered(service, customer_id, asked))
            assert not asked.done(), asked.result().text
            process.send_signal(signal.SIGKILL)
            await process.wait()
            with pytest.raises(httpx2.TransportError):
                await asked
            # Its statement waits in the server, which would else carry it out for the dead.
            await key_database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
    assert await living_keys(key_database, customer_id) == {"contact", "invoice"}
    async with worker(service):
        await until(lambda: only_invoice_left(key_database, customer_id))


async def test_a_destruction_without_its_event_ends_forgotten_when_asked_again(
    clerk: Caller, service: Service, key_database: Connection
) -> None:
    """As after the restore of a log to a time before the event: the keys are gone already."""
    customer_id = await an_ended_customer(clerk)
    await service.keys.destroy([KeyOwner(UUID(customer_id), "contact")])
    answer = await clerk.post(f"/customers/{customer_id}/forgetting", FORGETTING)
    assert (answer.status_code, answer.json()["forgotten"]) == (200, ["contact"])
    assert await is_recorded(service, customer_id)
    assert await living_keys(key_database, customer_id) == {"invoice"}


async def test_keys_that_a_restore_brought_back_are_destroyed_again(
    clerk: Caller, service: Service, key_database: Connection
) -> None:
    customer_id = await an_ended_customer(clerk)
    backup = await key_database.fetch("SELECT * FROM data_key")
    await clerk.post(f"/customers/{customer_id}/forgetting", FORGETTING)
    await key_database.execute("TRUNCATE data_key")
    await key_database.copy_records_to_table("data_key", records=[tuple(row) for row in backup])
    assert await living_keys(key_database, customer_id) == {"contact", "invoice"}
    async with worker(service):
        await until(lambda: only_invoice_left(key_database, customer_id))


async def recorded_or_answered(
    service: Service, customer_id: str, asked: asyncio.Future[httpx2.Response]
) -> bool:
    """Whether the log tells of it, read without a key; or the request came to an end."""
    found = await service.pool.fetchval(
        "SELECT count(*) FROM event WHERE stream_id = $1 AND type = $2",
        UUID(customer_id),
        "contracts.party-forgotten.v1",
    )
    return asked.done() or bool(found)


async def only_invoice_left(key_database: Connection, customer_id: str) -> bool:
    return await living_keys(key_database, customer_id) == {"invoice"}


@asynccontextmanager
async def worker(service: Service) -> AsyncIterator[None]:
    """The worker of the service, in this process."""

    async def run(stop: asyncio.Event) -> None:
        await side_by_side(*make_worker(service).runs, stop=stop)

    async with running(run):
        yield


@asynccontextmanager
async def an_api_process(
    settings: Settings,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The service's HTTP edge in a process of its own; it is killed at the end at the latest."""
    port = choose(None)
    told = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KEYS_URL": settings.keys_url.get_secret_value(),
        "MASTER_KEY": settings.master_key.get_secret_value(),
        "KAFKA": settings.kafka,
        "JWKS_URL": settings.jwks_url,
        "TOPIC_PREFIX": settings.topic_prefix,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.contracts",
        "api",
        cwd=_CHECKOUT,
        env=os.environ | {f"CONTRACTS_{name}": value for name, value in told.items()},
    )
    address = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        try:
            async with httpx2.AsyncClient(base_url=address) as client:
                return (await client.get("/health/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        await until(ready)
        yield process, address
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
