"""What contracts did because of billing is there, once asked for; what is missing is told."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from libs.events.reconcile import whole_round
from libs.events.relay import Relay
from services.contracts.domain.dunning import stream_of
from services.contracts.main import Service, build
from services.contracts.reactions import READER
from services.contracts.settings import Settings
from tests.conftest import MakeDatabase
from tests.support.way import Place, a_log, running, until

from .conftest import WUTM, Caller, a_client, token
from .test_worker import INVOICE, all_of_them, late, published, settled


@pytest.fixture
async def billing(database: MakeDatabase) -> AsyncIterator[Place]:
    async with a_log(await database(), "billing") as place:
        yield place


async def words(service: Service, name: str) -> list[str]:
    (check,) = (each for each in service.checks() if each.name == name)
    return [f"{d.place}: {d.what}" for d in (await whole_round(check, limit=100)).drift]


async def test_the_end_of_a_chain_that_is_missing_is_told_and_what_changed_nothing_is_not(
    settings: Settings, key: ECKey, billing: Place
) -> None:
    topic = f"{settings.topic_prefix}billing"
    relay = Relay(dsn=billing.dsn, bootstrap=settings.kafka, topic=topic)
    settings = settings.model_copy(update={"deadlines_every_seconds": 3600.0})
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        async with running(relay.run), running(all_of_them(service)):
            contract_id = await clerk.running(WUTM, applied_on="2024-01-10")
            await published(billing, late(contract_id), late(contract_id), settled(contract_id))
            await published(billing, settled(contract_id))

            async def rested() -> bool:
                taken = await service.pool.fetchval(
                    "SELECT sum(sequence) FROM consumer_cursor WHERE consumer = $1", READER
                )
                standing = (await client.get("/standing")).json()
                levels = {standing["sent"], *standing["views"].values()}
                return bool(taken == 4 and levels == {standing["head"]})

            await until(rested)
        rounds = [await whole_round(check, limit=100) for check in service.checks()]
        assert [drift for found in rounds for drift in found.drift] == []
        assert {found.check: found.looked for found in rounds}[f"{READER} of {topic}"] == 4

        chain = stream_of(late(contract_id).contract_ids[0], invoice_id=INVOICE)
        await service.pool.execute(
            "DELETE FROM event WHERE stream_id = $1 AND type = 'contracts.dunning-ended.v1'", chain
        )
        found = await words(service, f"{READER} of {topic}")
        assert [line.partition(": billing.")[2].partition(".v1 ")[0] for line in found] == [
            "arrears-settled",
            "arrears-settled",
        ], "of both any may have been the one that ended it"
        assert found[0].endswith(f"a reaction on stream {chain}, and the log has none")


async def test_who_was_forgotten_stands_in_the_view_and_nobody_else(
    settings: Settings, key: ECKey
) -> None:
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        async with running(all_of_them(service)):
            customer_id = await clerk.registered()
            asked = {"classes": ["contact"], "reason": "requested"}
            answer = await clerk.post(f"/customers/{customer_id}/forgetting", asked)
            assert answer.status_code == 200, answer.text

            async def listed() -> bool:
                return bool(await service.pool.fetchval("SELECT count(*) FROM forgotten_party"))

            await until(listed)
        assert await words(service, "view forgotten") == []
        await service.pool.execute(
            "INSERT INTO forgotten_party SELECT 99, $1, classes FROM forgotten_party", uuid4()
        )
        (told,) = await words(service, "view forgotten")
        assert told == "forgotten_party of position 99: the row is there, and no event says so"
        await service.pool.execute("DELETE FROM forgotten_party")
        (told,) = await words(service, "view forgotten")
        assert told.endswith("the row is missing, and its events say that there is one")
