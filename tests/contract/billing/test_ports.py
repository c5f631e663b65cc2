"""What stands behind billing's ports, in memory and in PostgreSQL: one suite for both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid5

import msgspec
import pytest

from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.contracts import CustomerDetailsChanged
from services.billing import use_cases
from services.billing.ports import AccountDraft, Billing
from services.billing.reactions import react
from services.billing.supposing import SupposedEnd, supposed_facts
from services.billing.views.facts import keep_facts
from tests.conftest import MakeDatabase
from tests.integration.billing.ledger import CAUSE, ledger, migrated
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    CUSTOMER,
    NAMES,
    World,
    beginning,
    day,
    outage,
)

NOW = datetime(2024, 4, 1, tzinfo=UTC)
Hear = Callable[[Sequence[Recorded[Event]]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Billing over its ports, and a way to let it hear of facts."""

    billing: Billing
    hear: Hear


@asynccontextmanager
async def _in_memory() -> AsyncIterator[Ports]:
    world = World()

    async def hear(events: Sequence[Recorded[Event]]) -> None:
        world.timelines.take(events)
        await _open_accounts(world.billing, events)

    yield Ports(billing=world.billing, hear=hear)


@asynccontextmanager
async def _in_postgres(dsn: str) -> AsyncIterator[Ports]:
    await migrated(dsn)
    async with ledger(dsn) as (billing, pool, _):

        async def hear(events: Sequence[Recorded[Event]]) -> None:
            async with pool.acquire() as borrowed, borrowed.transaction():
                await keep_facts(cast("Connection", borrowed), events)
            await _open_accounts(billing, events)

        yield Ports(billing=billing, hear=hear)


async def _open_accounts(billing: Billing, events: Sequence[Recorded[Event]]) -> None:
    for recorded in events:
        for reaction in react(recorded):
            await billing.log.decide(reaction.stream_id, reaction.decision, cause=CAUSE)


@pytest.fixture(params=["memory", "postgres"])
async def ports(request: pytest.FixtureRequest, database: MakeDatabase) -> AsyncIterator[Ports]:
    if request.param == "memory":
        async with _in_memory() as found:
            yield found
    else:
        async with _in_postgres(await database()) as found:
            yield found


async def _told() -> list[Recorded[Event]]:
    """A contract's beginning, an outage in March, and a changed detail, as their logs hold them."""
    world = World()
    events = [
        *beginning(content={"device": "SSB10", "line": "flets"}),
        outage("2024-02-10T08:00", "2024-02-11T10:00"),
    ]
    told = [await world.record(event) for event in events]
    changed = CustomerDetailsChanged(
        customer_id=CUSTOMER,
        changed_on=day("2024-03-10"),
        notified_on=day("2024-03-10"),
        corporate=False,
    )
    return [*told, await world.record(changed)]


async def test_nothing_is_known_of_a_contract_before_its_first_fact(ports: Ports) -> None:
    timelines = ports.billing.timelines
    assert await timelines.of([CONTRACT]) == {}
    assert await timelines.account_of(CONTRACT) is None
    assert await timelines.accounts([]) == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (4, 1, 5, 0, 3, 2)])
async def test_facts_give_the_same_timeline_one_by_one_in_any_order(
    ports: Ports, order: tuple[int, ...]
) -> None:
    told = await _told()
    for index in order:
        await ports.hear([told[index]])
    found = (await ports.billing.timelines.of([CONTRACT]))[CONTRACT]
    reference = World()
    reference.timelines.take(told)
    assert found == (await reference.timelines.of([CONTRACT]))[CONTRACT]
    assert [each.corporate for each in found.corporate] == [True, False]


async def test_a_fact_heard_twice_is_one_fact(ports: Ports) -> None:
    told = await _told()
    await ports.hear(told)
    once = await ports.billing.timelines.of([CONTRACT])
    await ports.hear(told[4:5])
    assert await ports.billing.timelines.of([CONTRACT]) == once


async def test_what_was_recorded_later_is_left_out(ports: Ports) -> None:
    told = await _told()
    await ports.hear(told)
    at = told[4].envelope.recorded_at
    for until, outages in ((at, 0), (at + timedelta(microseconds=1), 1)):
        known = await ports.billing.timelines.of([CONTRACT], known_until=until)
        assert len(known[CONTRACT].outages) == outages


async def test_what_is_supposed_is_folded_with_what_is_known_and_not_kept(ports: Ports) -> None:
    timelines = ports.billing.timelines
    end = SupposedEnd(terminated_on=day("2024-04-10"), requested_on=day("2024-04-01"))
    facts = supposed_facts(end, contract_id=CONTRACT, customer_id=CUSTOMER, at=NOW)
    assert await timelines.supposing(CONTRACT, facts) is None
    await ports.hear(await _told())
    known = (await timelines.of([CONTRACT]))[CONTRACT]
    supposed = await timelines.supposing(CONTRACT, facts)
    assert supposed is not None
    assert supposed.ended is not None
    assert supposed == msgspec.structs.replace(known, ended=supposed.ended)
    assert (str(supposed.ended.on), supposed.ended.by) == ("2024-04-10", "customer")
    assert (await timelines.of([CONTRACT]))[CONTRACT] == known


async def test_an_application_opens_its_account(ports: Ports) -> None:
    await ports.hear(await _told())
    timelines = ports.billing.timelines
    await timelines.level(await ports.billing.log.position())
    assert await timelines.account_of(CONTRACT) == ACCOUNT
    assert list(await timelines.accounts([])) == [ACCOUNT]
    assert list(await timelines.accounts([ACCOUNT])) == [ACCOUNT]


async def test_own_facts_are_in_the_timeline_once_it_is_level(ports: Ports) -> None:
    await ports.hear(await _told())
    write = use_cases.Write(cause=CAUSE)
    found = await use_cases.find_evasion(
        ports.billing, CONTRACT, found_on=day("2024-02-10"), evaded=100, write=write
    )
    await use_cases.agree_due_date(
        ports.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        month="2024-02",
        due_on=day("2024-03-31"),
        write=write,
    )
    timeline = await use_cases.timeline_of(ports.billing, CONTRACT)
    assert [item.kind for item in timeline.items] == ["evasion"]
    assert [(month, due_on) for month, due_on, _ in timeline.due_dates] == [
        ("2024-02", day("2024-03-31"))
    ]
    event_id = found.events[0].envelope.event_id
    evidence = await ports.billing.timelines.evidence([event_id, uuid5(NAMES, "none")])
    assert [each.type for each in evidence.values()] == ["billing.evasion-found.v1"]
    assert evidence[event_id].effective_on == day("2024-02-10")


def _draft(name: str, outcome: str = "nothing to bill") -> AccountDraft:
    account_id = uuid5(NAMES, name)
    return AccountDraft(
        account_id=account_id, versions={account_id: 1}, outcomes={CONTRACT: outcome}
    )


async def test_the_first_draft_of_an_account_stays_until_it_is_issued(ports: Ports) -> None:
    drafts, run_id = ports.billing.drafts, uuid5(NAMES, "run")
    await drafts.save(run_id, [_draft("a", "first"), _draft("b")])
    await drafts.save(run_id, [_draft("a", "second")])
    loaded = await drafts.load(run_id)
    assert [d.account_id for d in loaded] == sorted(uuid5(NAMES, n) for n in ("a", "b"))
    assert "first" in {said for d in loaded for said in d.outcomes.values()}
    await drafts.mark_issued(run_id, [_draft("a", "as issued")])
    assert "as issued" in {said for d in await drafts.load(run_id) for said in d.outcomes.values()}
    assert list(await drafts.load(uuid5(NAMES, "other run"))) == []


async def test_a_run_is_held_by_one_at_a_time(ports: Ports) -> None:
    drafts, run_id = ports.billing.drafts, uuid5(NAMES, "run")
    async with drafts.claim(run_id) as mine:
        assert mine
        async with drafts.claim(run_id) as too:
            assert not too
        async with drafts.claim(uuid5(NAMES, "other run")) as other:
            assert other
    async with drafts.claim(run_id) as again:
        assert again
