"""The worker: events go out and come in, views follow, deadlines are run."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey

from libs.events.envelope import Cause, Event
from libs.events.follow import Follower
from libs.events.log import StreamAppend
from libs.events.relay import Relay
from libs.events.vocabulary.billing import ArrearsSettled, PaymentLate
from libs.events.vocabulary.contracts import ContractFactCorrected, DunningStarted
from libs.process.running import Run, side_by_side
from services.contracts.main import Service, build, make_worker
from services.contracts.settings import Settings
from services.contracts.views import contracts, deadlines, dunning
from services.contracts.views.registry import views
from tests.conftest import MakeDatabase
from tests.support.anew import made_anew
from tests.support.way import Place, a_log, running, until

from .conftest import WUTM, Caller, a_client, made_settings, token

INVOICE = UUID("c0000000-0000-4000-8000-000000000009")
ACCOUNT = UUID("c0000000-0000-4000-8000-000000000008")


@pytest.fixture
async def billing(database: MakeDatabase) -> AsyncIterator[Place]:
    async with a_log(await database(), "billing") as place:
        yield place


def all_of_them(service: Service) -> Run:
    """Everything the worker does."""

    async def run(stop: asyncio.Event) -> None:
        await side_by_side(*make_worker(service).runs, stop=stop)

    return run


async def published(place: Place, *events: Event) -> None:
    await place.log.append(
        StreamAppend(stream_id=ACCOUNT, events=events, expected=len(await place.log.load(ACCOUNT))),
        cause=Cause(correlation_id=uuid4(), actor="billing"),
    )


async def level(clerk: Caller, position: int) -> None:
    """Return when the service's views have come to a position and all is sent."""

    async def is_level() -> bool:
        standing = (await clerk.client.get("/standing")).json()
        return bool(min(standing["sent"], *standing["views"].values()) >= position)

    await until(is_level)


async def chain_of(clerk: Caller, contract_id: str) -> dict[str, Any]:
    """The chain of the contract's unpaid debt, as the list shows it; empty without one."""
    path = f"/dunning?contract_id={contract_id}&open_only=false"
    items = (await clerk.get(path)).json()["items"]
    return dict(items[0]) if items else {}


def late(contract_id: str) -> PaymentLate:
    return PaymentLate(
        account_id=ACCOUNT,
        customer_id=uuid4(),
        contract_ids=(UUID(contract_id),),
        invoice_id=INVOICE,
        open_amount=2750,
        due_on=date(2024, 4, 30),
        noticed_on=date(2024, 5, 1),
        days_late=1,
    )


def settled(contract_id: str) -> ArrearsSettled:
    return ArrearsSettled(
        account_id=ACCOUNT,
        customer_id=uuid4(),
        contract_ids=(UUID(contract_id),),
        invoice_id=INVOICE,
        settled_on=date(2024, 5, 20),
    )


async def test_a_late_payment_leads_to_a_proposal_and_its_settlement_ends_the_chain(
    settings: Settings, key: ECKey, billing: Place
) -> None:
    relay = Relay(
        dsn=billing.dsn,
        bootstrap=settings.kafka,
        topic=f"{settings.topic_prefix}billing",
    )
    settings = settings.model_copy(update={"deadlines_every_seconds": 3600.0})
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        async with running(relay.run), running(all_of_them(service)):
            contract_id = await clerk.running(WUTM, applied_on="2024-01-10")
            await published(billing, late(contract_id))

            async def begun() -> bool:
                return bool(await chain_of(clerk, contract_id))

            await until(begun)
            chain = await chain_of(clerk, contract_id)
            assert (chain["started_on"], chain["proposed_on"]) == ("2024-05-01", None)
            due = {"until": "2024-05-15T00:00:00+09:00", "scope": [contract_id]}
            ran = (await clerk.post("/deadlines/run", due)).json()
            assert [each["kind"] for each in ran["ran"]] == ["suspension-proposal"]
            await level(clerk, ran["position"])
            assert (await chain_of(clerk, contract_id))["proposed_on"] == "2024-05-15"
            await published(billing, settled(contract_id))

            async def ended() -> bool:
                return bool((await chain_of(clerk, contract_id))["ended_on"] == "2024-05-20")

            await until(ended)
            assert (await clerk.get("/dunning")).json()["items"] == []


async def test_events_are_sent_and_the_list_follows(settings: Settings, key: ECKey) -> None:
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        async with running(all_of_them(service)):
            ids = sorted([await clerk.applied() for _ in range(3)])
            position = await service.log.position()
            await level(clerk, position)
            first = await clerk.get(
                "/contracts?limit=2&state=under-review", **{"Yakkan-At-Least": str(position)}
            )
            assert [each["contract_id"] for each in first.json()["items"]] == ids[:2]
            second = await clerk.get(f"/contracts?limit=2&cursor={first.json()['next']}")
            assert [each["contract_id"] for each in second.json()["items"]] == ids[2:]
            assert second.json()["next"] is None


async def test_a_list_that_is_not_level_yet_says_so(clerk: Caller) -> None:
    await clerk.applied()
    answer = await clerk.get("/contracts", **{"Yakkan-At-Least": "1000000"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_deadlines_are_run_earliest_first_and_only_in_scope(clerk: Caller) -> None:
    one, other = await clerk.running(WUTM), await clerk.running(WUTM)
    suspension = {"from_on": "2024-05-01", "ground": "unpaid", "urgent_reason": "now"}
    for contract_id in (one, other):
        await clerk.post(f"/contracts/{contract_id}/suspension", suspension)
    next_one = (await clerk.get(f"/deadlines/next?scope={one}")).json()["next"]
    assert (next_one["kind"], next_one["contract_id"]) == ("suspension-limit", one)
    assert datetime.fromisoformat(next_one["due_at"]) == datetime(2024, 10, 31, 15, tzinfo=UTC)
    before = {"until": "2024-10-31T14:59:59+00:00", "scope": [one]}
    assert (await clerk.post("/deadlines/run", before)).json()["ran"] == []
    after = {"until": "2029-01-15T00:00:00+09:00", "scope": [one]}
    ran = (await clerk.post("/deadlines/run", after)).json()["ran"]
    assert [each["kind"] for each in ran] == ["suspension-limit", "maximum-period"]
    ended = (await clerk.get(f"/contracts/{one}")).json()
    assert ended["end"]["terminated_on"] == "2029-01-15"
    assert ended["end"]["cause"] == "maximum_period"
    assert ended["suspensions"][0]["over_on"] == "2024-11-01"
    assert (await clerk.get(f"/contracts/{other}")).json()["state"] == "suspended"
    assert (await clerk.get(f"/deadlines/next?scope={one}")).json()["next"] is None


async def test_in_a_rehearsal_deadlines_are_recorded_when_they_fall_due(
    database: MakeDatabase, jwks_url: str, kafka_bootstrap: str, topic_prefix: str, key: ECKey
) -> None:
    settings = await made_settings(
        database, jwks_url, kafka_bootstrap, topic_prefix, rehearsal=True
    )
    async with build(settings) as service, a_client(service) as client:
        clerk = Caller(client, token=token(key, "operator", subject="clerk"))
        clerk.headers["Yakkan-Now"] = "2024-01-15T09:00:00+09:00"
        contract_id = await clerk.running(WUTM)
        due = {"until": "2029-02-01T00:00:00+09:00", "scope": [contract_id]}
        assert len((await clerk.post("/deadlines/run", due)).json()["ran"]) == 1
        last = (await clerk.get(f"/contracts/{contract_id}/history")).json()[-1]
        recorded_at = datetime.fromisoformat(last["recorded_at"])
        assert recorded_at == datetime(2029, 1, 14, 15, tzinfo=UTC)


async def test_every_view_made_anew_is_the_same(clerk: Caller, service: Service) -> None:
    contract_id = await clerk.running(WUTM)
    suspension = {"from_on": "2024-05-01", "ground": "unpaid", "urgent_reason": "now"}
    await clerk.post(f"/contracts/{contract_id}/suspension", suspension)
    log, pool = service.log, service.pool
    begun = DunningStarted(
        contract_id=UUID(contract_id),
        invoice_id=INVOICE,
        started_on=date(2024, 5, 1),
        open_amount=2750,
    )
    await log.append(
        StreamAppend(stream_id=INVOICE, events=[begun], expected=0),
        cause=Cause(correlation_id=INVOICE, actor="someone"),
    )
    known = {view.name: view for view in views(log, terms=service.terms)}
    for name, rows in (
        (contracts.NAME, "SELECT * FROM contract"),
        (deadlines.NAME, "SELECT * FROM deadline ORDER BY stream_id, kind"),
        (dunning.NAME, "SELECT * FROM dunning"),
    ):
        await Follower(name, log=log, pool=pool, effect=known[name].effect).catch_up()
        followed = await pool.fetch(rows)
        assert followed
        await made_anew(
            known[name], log=log, pool=pool, dsn=service.settings.database_url.get_secret_value()
        )
        assert await pool.fetch(rows) == followed


async def test_views_of_a_withdrawn_application_do_not_depend_on_how_its_events_are_batched(
    clerk: Caller, service: Service
) -> None:
    """Taken one by one the application has a row for a while; taken at once it never has one."""
    contract_id = UUID(await clerk.running(WUTM))
    log, pool = service.log, service.pool
    history = await log.load(contract_id)
    begun = DunningStarted(
        contract_id=contract_id,
        invoice_id=INVOICE,
        started_on=date(2024, 5, 1),
        open_amount=2750,
    )
    withdrawn = [
        ContractFactCorrected(
            contract_id=contract_id, corrects=each.envelope.event_id, values=None, reason="mistaken"
        )
        for each in reversed(history)
    ]
    for stream_id, events, expected in (
        (INVOICE, [begun], 0),
        (contract_id, withdrawn, len(history)),
    ):
        await log.append(
            StreamAppend(stream_id=stream_id, events=events, expected=expected),
            cause=Cause(correlation_id=INVOICE, actor="someone"),
        )
    known = {view.name: view for view in views(log, terms=service.terms)}
    for name, count in (
        (contracts.NAME, "SELECT count(*) FROM contract"),
        (deadlines.NAME, "SELECT count(*) FROM deadline"),
    ):
        follower = Follower(name, log=log, pool=pool, effect=known[name].effect)
        counts = [
            (await follower.catch_up(until=position), await pool.fetchval(count))[1]
            for position in range(1, await log.position() + 1)
        ]
        assert max(counts) == 1, name
        assert counts[-1] == 0, name
        await made_anew(
            known[name], log=log, pool=pool, dsn=service.settings.database_url.get_secret_value()
        )
        assert await pool.fetchval(count) == 0, name
