"""Bills as known on a day: the run waits for its sources, and what came later changes nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import httpx2
import pytest
from pydantic import SecretStr

from libs.dates.clock import FixedClock
from libs.events.complete import Herald
from libs.events.envelope import Event
from libs.events.kafka import topic_of
from libs.events.key_store import PostgresKeys
from libs.events.log import StreamAppend
from libs.events.migrate import KEY_MIGRATIONS, MIGRATIONS, initialise, migrate
from libs.events.relay import Relay
from libs.events.store import PostgresLog
from libs.events.topics import create_topics
from libs.process.running import side_by_side
from services.billing.main import build, make_api, make_worker, run_migrate
from services.billing.settings import Settings
from tests.conftest import MakeDatabase
from tests.integration.billing.conftest import READS
from tests.support.contexts import CASE, MASTER, MASTER_TEXT
from tests.support.edges import a_client, a_verifier, writing
from tests.support.way import running, until
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, beginning, outage

ON = "2024-03-04"
CONTENT = {"device": "SSB10", "line": "flets"}
ON_THE_DAY = outage("2024-02-10T08:00", "2024-02-11T10:00")
THE_DAY_AFTER = outage("2024-02-20T08:00", "2024-02-21T10:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A context that publishes, by a clock set by hand; its relay runs when it is told to."""

    log: PostgresLog
    relay: Relay

    async def record(self, *events: Event) -> None:
        for event in events:
            stream_id = getattr(event, "contract_id", None) or getattr(event, "customer_id")  # noqa: B009 - one of the two
            present = len(await self.log.load(stream_id))
            append = StreamAppend(stream_id=stream_id, events=[event], expected=present)
            await self.log.append(append, cause=CASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Billing as it runs in production, two sources, and the clock that these go by."""

    clock: FixedClock
    contracts: Source
    monitoring: Source
    client: httpx2.AsyncClient

    def it_is(self, text: str) -> None:
        self.clock.at = datetime.fromisoformat(f"{text}+09:00")

    async def get(self, path: str, **params: str) -> httpx2.Response:
        return await self.client.get(path, params=params, headers=READS)


@pytest.fixture
async def world(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> AsyncIterator[World]:
    keys_url = await database()
    await migrate(keys_url, [KEY_MIGRATIONS])
    names = ("contracts", "monitoring", "billing")
    topics = [topic_of(name, prefix=topic_prefix) for name in names]
    await create_topics(topics, bootstrap=kafka_bootstrap)
    settings = Settings(
        database_url=SecretStr(await database()),
        keys_url=SecretStr(keys_url),
        master_key=SecretStr(MASTER_TEXT),
        kafka=kafka_bootstrap,
        jwks_url="http://127.0.0.1:1/",
        topic_prefix=topic_prefix,
        due_policy="end-of-next-month",
    )
    await run_migrate(settings)
    clock = FixedClock(datetime.fromisoformat(f"{ON}T09:00+09:00"))
    async with AsyncExitStack() as stack:
        key_pool = await stack.enter_async_context(asyncpg.create_pool(keys_url, min_size=0))
        keys = PostgresKeys(key_pool, master=MASTER)
        sources = [
            await stack.enter_async_context(
                a_source(
                    context,
                    dsn=await database(),
                    keys=keys,
                    clock=clock,
                    kafka=kafka_bootstrap,
                    prefix=topic_prefix,
                )
            )
            for context in ("contracts", "monitoring")
        ]
        built = await stack.enter_async_context(build(settings))
        runs = make_worker(built).runs
        await stack.enter_async_context(running(lambda stop: side_by_side(*runs, stop=stop)))
        client = await stack.enter_async_context(a_client(make_api(built, verifier=a_verifier())))
        yield World(clock=clock, contracts=sources[0], monitoring=sources[1], client=client)


@asynccontextmanager
async def a_source(
    context: str, *, dsn: str, keys: PostgresKeys, clock: FixedClock, kafka: str, prefix: str
) -> AsyncIterator[Source]:
    await migrate(dsn, [MIGRATIONS])
    await initialise(dsn, context, rehearsal=False)
    topic = topic_of(context, prefix=prefix)
    async with (
        asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool,
        await PostgresLog.open(pool, context=context, keys=keys, clock=clock) as log,
    ):
        herald = Herald(
            pool=pool,
            clock=clock,
            bootstrap=kafka,
            topic=topic,
            prefix=prefix,
            every_seconds=0.1,
        )
        async with running(herald.run):
            yield Source(log=log, relay=Relay(dsn=dsn, bootstrap=kafka, topic=topic))


async def test_a_run_waits_for_a_source_and_bills_what_was_known_that_day(world: World) -> None:
    async with running(world.contracts.relay.run):
        await world.contracts.record(*beginning(content=CONTENT))
        await until(lambda: is_there(world, f"/accounts/{ACCOUNT}"))
        await until(lambda: is_there(world, f"/contracts/{CONTRACT}"))
        world.it_is(f"{ON}T23:59")
        await world.monitoring.record(ON_THE_DAY)

        early = await world.get(preview_of(), closing_on="2024-02-29", known_on=ON)
        assert (early.status_code, early.json()["code"]) == (409, "not-complete-yet")

        world.it_is("2024-03-05T00:01")
        await world.monitoring.record(THE_DAY_AFTER)
        path = await asked_for(world)
        await until(lambda: waits_for_monitoring_alone(world, path))

        async with running(world.monitoring.relay.run):
            await until(lambda: has_state(world, path, "finished"))
            run = (await world.get(path)).json()
            assert (run["failed"], run["waits_for"]) == (0, [])
            assert await credits_of(world, "/invoices", account_id=str(ACCOUNT)) == [-87]
            known = {"closing_on": "2024-03-31", "issued_on": "2024-04-01"}
            assert await previewed(world, **known, known_on=ON) == []
            issued = (await world.get("/invoices", account_id=str(ACCOUNT))).json()["items"]
            path = f"/invoices/{issued[0]['invoice_id']}/explanation"
            explained = [await world.get(path, known_on=on) for on in (ON, "2999-01-01")]
            assert [one.json().get("code") for one in explained] == [
                "document-unknown",  # it was issued later
                "not-complete-yet",
            ]
            await until(lambda: both_are_known(world))
            assert await previewed(world, **known) != []


async def test_a_day_to_come_is_refused(world: World) -> None:
    answer = await world.client.post(
        "/invoice-runs",
        json={"closing_on": "2024-02-29", "known_on": "2999-01-01"},
        headers=writing(),
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "known-on-ahead")


def preview_of() -> str:
    return f"/contracts/{CONTRACT}/preview"


async def asked_for(world: World) -> str:
    body = {"closing_on": "2024-02-29", "issued_on": "2024-03-05", "known_on": ON}
    asked = await world.client.post("/invoice-runs", json=body, headers=writing())
    assert asked.status_code == 202, asked.text
    return str(asked.headers["Location"])


async def is_there(world: World, path: str) -> bool:
    return (await world.get(path)).status_code == 200


async def has_state(world: World, path: str, state: str) -> bool:
    answer = await world.get(path)
    return answer.status_code == 200 and answer.json()["state"] == state


async def waits_for_monitoring_alone(world: World, path: str) -> bool:
    """Whether the run says in words that it waits, for that source and no other."""
    answer = await world.get(path)
    if answer.status_code != 200 or answer.json()["state"] != "waiting":
        return False
    words: list[str] = answer.json()["waits_for"]
    return len(words) == 1 and "monitoring is complete up to 2024-03-04" in words[0]


async def both_are_known(world: World) -> bool:
    facts = (await world.get(preview_of(), closing_on="2024-03-31")).json()
    return "WUTM-OUTAGE" in str(facts)


async def credits_of(world: World, path: str, **params: str) -> list[int]:
    """The outage credits on the invoices issued."""
    listed = (await world.get(path, **params)).json()["items"]
    documents = [(await world.get(f"/invoices/{one['invoice_id']}")).json() for one in listed]
    return _outage_credits(documents)


async def previewed(world: World, **params: str) -> list[int]:
    """The outage credits that a run would issue."""
    answer = await world.get(preview_of(), **params)
    assert answer.status_code == 200, answer.text
    return _outage_credits(answer.json()["documents"])


def _outage_credits(documents: list[dict[str, Any]]) -> list[int]:
    return [
        line["amount"]
        for document in documents
        for line in document["lines"]
        if line["code"] == "WUTM-OUTAGE"
    ]
