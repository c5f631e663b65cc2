"""Whatever comes when, with runs in between: what is billed is what is owed."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.envelope import Event
from libs.events.vocabulary import contracts
from services.billing.domain.assessment import assess, billing_months
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    World,
    beginning,
    day,
    outage,
    terminated,
)

LAST = "2024-12-31"

_CONTENT = contracts.Content.model_validate({"device": "SSB10", "line": "flets"})


def _discount(on: str, yen: int) -> Event:
    return contracts.ContentChanged(
        contract_id=CONTRACT,
        effective_on=day(on),
        kind="discount",
        before=_CONTENT,
        after=_CONTENT,
        monthly_discount=yen,
    )


WUTM_FACTS: tuple[Event, ...] = (
    outage("2024-02-10T08:00", "2024-02-12T10:00"),
    outage("2024-03-30T08:00", "2024-04-02T10:00"),
    _discount("2024-02-15", 500),
    _discount("2024-04-01", 0),
    contracts.BillingMonthChanged(contract_id=CONTRACT, start_day=11, from_on=day("2024-04-11")),
    contracts.LineConverted(contract_id=CONTRACT, converted_on=day("2024-03-05")),
    terminated("2024-05-20"),
)

_MYSEC = {"packs": {10: 2, 1: 3}}


def _packs(on: str, kind: str, **packs: int) -> Event:
    given = {"packs": {int(name[1:]): count for name, count in packs.items()}}
    return contracts.ContentChanged(
        contract_id=CONTRACT,
        effective_on=day(on),
        kind="replacement",
        before=contracts.Content.model_validate(_MYSEC),
        after=contracts.Content.model_validate(given),
    )


MYSEC_FACTS: tuple[Event, ...] = (
    _packs("2024-02-10", "replacement", p10=5, p1=3),
    _packs("2024-03-20", "replacement", p10=1),
    _packs("2024-04-01", "replacement", p100=1),
    terminated("2024-05-20"),
)

RUNS = ("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30")


async def _owed(world: World) -> dict[str, int]:
    """By month that has ended, before tax: the assessment with every fact known."""
    timeline = (await world.timelines.of([CONTRACT]))[CONTRACT]
    terms = world.billing.terms.of(timeline.service)
    months = billing_months(timeline, until=date.fromisoformat(LAST), terms=terms)
    owed = {
        month.name: sum(line.amount for line in assess(timeline, month=month, terms=terms).lines)
        for month in months
        if month.to_on <= date.fromisoformat(LAST)
    }
    return {month: amount for month, amount in owed.items() if amount}


async def _billed(world: World) -> dict[str, int]:
    account = await world.account(ACCOUNT)
    billed: dict[str, int] = {}
    for document in account.issued:
        for line in document.lines:
            month = line.adjusts or line.month or ""
            billed[month] = billed.get(month, 0) + line.amount
    return {month: amount for month, amount in billed.items() if amount}


async def _live(
    service: str, content: dict[str, object], *, arriving: Sequence[tuple[str, Event]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Tell facts in order of arrival, a run after each day that has one, and one at the end."""
    world = World()
    start = [
        await world.record(event, on="2024-01-05")
        for event in beginning(service=service, content=content)
    ]
    await world.deliver(start)
    for closing_on in RUNS:
        for after, event in arriving:
            if after == closing_on:
                await world.tell(event, on=closing_on)
        await world.run(closing_on)
    await world.run(LAST)
    return await _billed(world), await _owed(world)


def _arrivals(facts: Sequence[Event]) -> st.SearchStrategy[list[tuple[str, Event]]]:
    """Some of the facts, in any order, each heard before one of the runs."""
    return st.lists(
        st.tuples(st.sampled_from(RUNS), st.sampled_from(facts)),
        unique_by=lambda pair: id(pair[1]),
    )


@settings(max_examples=60, deadline=None)
@given(arriving=_arrivals(WUTM_FACTS))
async def test_wutm_bills_what_is_owed_whatever_comes_when(
    arriving: list[tuple[str, Event]],
) -> None:
    billed, owed = await _live("WUTM", {"device": "SSB10", "line": "collab"}, arriving=arriving)
    assert billed == owed


@settings(max_examples=60, deadline=None)
@given(arriving=_arrivals(MYSEC_FACTS))
async def test_mysec_bills_what_is_owed_whatever_comes_when(
    arriving: list[tuple[str, Event]],
) -> None:
    billed, owed = await _live("MYSEC", dict(_MYSEC), arriving=arriving)
    assert billed == owed


@given(order=st.permutations(range(3 + len(WUTM_FACTS))))
@settings(max_examples=40, deadline=None)
async def test_a_timeline_does_not_depend_on_the_order_of_arrival(order: list[int]) -> None:
    events = [
        *beginning(content={"device": "SSB10", "line": "collab"})[:3],
        *WUTM_FACTS,
    ]
    told, reversed_ = World(), World()
    recorded = [await told.record(event, on="2024-06-01") for event in events]
    told.timelines.take([recorded[i] for i in order])
    reversed_.timelines.take(recorded)
    known: list[UUID] = [CONTRACT]
    assert await told.timelines.of(known) == await reversed_.timelines.of(known)
