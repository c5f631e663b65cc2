"""Whatever arrives when, with runs in between: a scenario ends in the sums of its offline play."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from cli.play.offline import TERMS, Installation, read_book
from cli.play.plan import last_of_calendar_month
from cli.play.scenario import Scenario, read_scenario
from libs.dates.clock import FixedClock
from libs.dates.japan import japan_instant
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import Log, StreamAppend
from libs.events.memory import MemoryLog
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from services.billing import reactions
from services.billing.facts import OWN
from services.billing.memory import MemoryDrafts, MemoryTimelines
from services.billing.ports import Billing
from services.billing.runs import run_invoices

CASES = Path(__file__).parents[2] / "cases"
PATHS = sorted(path for one in ("mysec", "wutm", "cas") for path in CASES.glob(f"{one}-*.json"))
SCENARIOS = {
    path.stem: read_scenario(json.loads(path.read_text(encoding="utf-8"))) for path in PATHS
}
LATER = timedelta(days=100)


async def played(scenario: Scenario) -> Installation:
    installation = Installation(scenario, read_book(scenario.service, folder=TERMS))
    await installation.play()
    return installation


async def everything(log: Log) -> tuple[Recorded[Event], ...]:
    return await log.read(0, limit=10_000)


def sums(events: Iterable[Recorded[Event]], *, through: str) -> Counter[str]:
    """Yen before tax by billing month, adjustments counted to the month they put right."""
    found: Counter[str] = Counter()
    for recorded in events:
        if isinstance(recorded.event, InvoiceIssued | CreditNoteIssued):
            for line in recorded.event.lines:
                month = line.adjusts or line.month or ""
                if month[:7] <= through:
                    found[month] += line.amount
    return Counter({month: amount for month, amount in found.items() if amount})


class Hearer:
    """A billing that hears facts one at a time."""

    def __init__(self, installation: Installation, *, billed_on: date) -> None:
        self.clock = FixedClock(japan_instant(billed_on))
        self.log = MemoryLog("billing", clock=self.clock, rehearsal=True)
        self.timelines = MemoryTimelines(self.log)
        self.account_id = installation.case.account_id
        self.billing = Billing(
            log=self.log,
            timelines=self.timelines,
            terms=installation.case.billing.terms,
            drafts=MemoryDrafts(),
        )

    def cause(self) -> Cause:
        return Cause(correlation_id=uuid7(), actor="test", now=self.clock.at)

    async def hear(self, fact: Recorded[Event]) -> None:
        if isinstance(fact.event, OWN):
            history = await self.log.load(fact.envelope.stream_id)
            own = StreamAppend(
                stream_id=fact.envelope.stream_id, events=(fact.event,), expected=len(history)
            )
            await self.log.append(own, cause=self.cause())
            return
        self.timelines.take([fact])
        for reaction in reactions.react(fact):
            await self.log.decide(reaction.stream_id, reaction.decision, cause=self.cause())

    async def run(self, closing_on: date) -> None:
        await run_invoices(
            self.billing,
            run_id=uuid7(),
            closing_on=closing_on,
            issued_on=self.clock.at.date(),
            cause=self.cause(),
            scope=(self.account_id,),
        )


async def heard(
    installation: Installation,
    facts: Sequence[Recorded[Event]],
    *,
    runs: Sequence[tuple[int, date]],
    last_on: date,
) -> Counter[str]:
    """The sums after hearing facts in this order, a run (place, closing day) between some."""
    hearer = Hearer(installation, billed_on=last_on + LATER)
    for place, fact in enumerate(facts):
        for after, closing_on in runs:
            if after == place:
                await hearer.run(closing_on)
        await hearer.hear(fact)
    await hearer.run(last_on)
    await hearer.run(last_on + LATER)
    return sums(await everything(hearer.log), through=last_on.isoformat()[:7])


@pytest.mark.parametrize("name", SCENARIOS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
async def test_any_order_of_arrival_ends_in_the_same_sums(name: str, data: st.DataObject) -> None:
    scenario = SCENARIOS[name]
    installation = await played(scenario)
    own = await everything(installation.case.billing.log)
    facts = [
        *await everything(installation.case.contracts),
        *await everything(installation.case.sites),
        *(fact for fact in own if isinstance(fact.event, OWN)),
    ]
    last_on = last_of_calendar_month(scenario.through)
    order = data.draw(st.permutations(facts))
    days = st.dates(min_value=last_on - timedelta(days=200), max_value=last_on)
    places = st.integers(min_value=0, max_value=len(facts))
    runs = data.draw(st.lists(st.tuples(places, days), max_size=4))
    billed = await heard(installation, order, runs=runs, last_on=last_on)
    assert billed == sums(own, through=scenario.through)
