"""A billing of its own that hears what happened in a life that was played."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from cli.play.offline import TERMS, Installation, read_book
from cli.play.plan import last_of_calendar_month
from cli.play.scenario import Scenario
from libs.dates.clock import FixedClock
from libs.dates.japan import japan_instant
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import Log, StreamAppend
from libs.events.memory import MemoryLog
from libs.events.vocabulary.billing import ChargeLine, CreditNoteIssued, InvoiceIssued
from services.billing import reactions
from services.billing.domain.assessment import assess, billing_months
from services.billing.facts import OWN
from services.billing.memory import MemoryDrafts, MemoryTimelines
from services.billing.ports import Billing
from services.billing.runs import run_invoices

NAMES = UUID("00000000-0000-0000-0000-0000000000bb")
LATER = timedelta(days=100)

Sums = Counter[tuple[str, str, int]]
"""Yen before tax by billing month, line code and tax rate."""


async def played(life: Scenario) -> Installation:
    """The services after a life."""
    installation = Installation(life, read_book(life.service, folder=TERMS))
    await installation.play()
    return installation


async def bill_the_rest(life: Scenario, installation: Installation) -> None:
    """Bill, long after a life, what had to wait for a next invoice."""
    closing_on = last_of_calendar_month(life.through) + LATER
    at = japan_instant(closing_on + timedelta(days=1))
    await run_invoices(
        installation.case.billing,
        run_id=NAMES,
        closing_on=closing_on,
        issued_on=at.date(),
        cause=Cause(correlation_id=NAMES, actor="test", now=at),
        scope=(installation.case.account_id,),
    )


async def everything(log: Log) -> tuple[Recorded[Event], ...]:
    """All that a log holds."""
    return await log.read(0, limit=100_000)


async def facts_of(installation: Installation) -> list[Recorded[Event]]:
    """What was told of a life: what other contexts said, and billing's own facts."""
    own = await everything(installation.case.billing.log)
    return [
        *await everything(installation.case.contracts),
        *await everything(installation.case.sites),
        *(fact for fact in own if isinstance(fact.event, OWN)),
    ]


def documents_in(events: Iterable[Recorded[Event]]) -> list[InvoiceIssued | CreditNoteIssued]:
    """What was issued, by number."""
    found = [e.event for e in events if isinstance(e.event, InvoiceIssued | CreditNoteIssued)]
    return sorted(found, key=lambda document: document.number)


def _summed(lines: Iterable[tuple[str, ChargeLine]], *, through: str) -> Sums:
    found: Sums = Counter()
    for month, line in lines:
        if month[:7] <= through:
            found[month, line.code, line.tax_rate] += line.amount
    return Counter({key: amount for key, amount in found.items() if amount})


def billed(events: Iterable[Recorded[Event]], *, through: str) -> Sums:
    """What documents bill, adjustments counted to the month they put right."""
    lines = [
        (line.adjusts or line.month or "", line)
        for document in documents_in(events)
        for line in document.lines
    ]
    return _summed(lines, through=through)


async def owed(installation: Installation, *, through: str) -> Sums:
    """What the rules alone make of all that is known, month by month."""
    timeline = await installation.timeline()
    assert timeline is not None
    contract_id = installation.case.contract_id
    terms = installation.case.billing.terms.of(timeline.service)
    until = last_of_calendar_month(through)
    lines = [
        (month.name, line.charge_line(contract_id=contract_id, month=month.name))
        for month in billing_months(timeline, until=until, terms=terms)
        for line in assess(timeline, month=month, terms=terms).lines
    ]
    return _summed(lines, through=through)


def in_order_of_recording(fact: Recorded[Event]) -> tuple[Any, ...]:
    """The order in which facts became known."""
    return (fact.envelope.recorded_at, fact.envelope.context, fact.envelope.position)


class Hearer:
    """A billing that hears facts one at a time, all on one day."""

    def __init__(self, installation: Installation, *, on: date) -> None:
        self.clock = FixedClock(japan_instant(on))
        self.log = MemoryLog("billing", clock=self.clock, rehearsal=True)
        self.timelines = MemoryTimelines(self.log)
        self.contract_id = installation.case.contract_id
        self.account_id = installation.case.account_id
        self.billing = Billing(
            log=self.log,
            timelines=self.timelines,
            terms=installation.case.billing.terms,
            drafts=MemoryDrafts(),
        )
        self._runs = 0

    def cause(self) -> Cause:
        """Nothing in particular, today."""
        return Cause(correlation_id=NAMES, actor="test", now=self.clock.at)

    async def hear(self, *facts: Recorded[Event]) -> None:
        """Take facts in this order."""
        for fact in facts:
            if isinstance(fact.event, OWN):
                await self._record(fact)
                continue
            self.timelines.take([fact])
            for reaction in reactions.react(fact):
                await self.log.decide(reaction.stream_id, reaction.decision, cause=self.cause())

    async def _record(self, fact: Recorded[Event]) -> None:
        stream_id = fact.envelope.stream_id
        history = await self.log.load(stream_id)
        own = StreamAppend(stream_id=stream_id, events=(fact.event,), expected=len(history))
        await self.log.append(own, cause=self.cause())

    def order(self, closing_on: date) -> dict[str, Any]:
        """What a next run that closes on a day is asked for."""
        self._runs += 1
        return {
            "run_id": uuid5(NAMES, f"run {self._runs}"),
            "closing_on": closing_on,
            "issued_on": self.clock.at.date(),
            "cause": self.cause(),
            "scope": (self.account_id,),
        }

    async def run(self, closing_on: date) -> None:
        """Bill all that ended on or before a day."""
        await run_invoices(self.billing, **self.order(closing_on))


async def heard(
    installation: Installation,
    facts: Sequence[Recorded[Event]],
    *,
    runs: Sequence[tuple[int, date]],
    last_on: date,
) -> Hearer:
    """A billing that heard facts in this order, a run (place, closing day) between some."""
    hearer = Hearer(installation, on=last_on + LATER)
    for place, fact in enumerate(facts):
        for after, closing_on in runs:
            if after == place:
                await hearer.run(closing_on)
        await hearer.hear(fact)
    await hearer.run(last_on)
    await hearer.run(last_on + LATER)
    return hearer
