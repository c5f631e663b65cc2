"""Play in one process: the same decisions, reactions and prices over logs in memory, no servers.

In the running system a worker takes events from Kafka; here they are handed on until nothing
moves, which is the same rest that a play through the running system waits for.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from cli.play.operations import Case, perform
from cli.play.plan import Step, last_of_calendar_month, plan
from cli.play.result import Outcome, extra_of, reason_of, render
from cli.play.scenario import Scenario, Settings
from libs.dates.clock import FixedClock
from libs.dates.japan import japan_date, japan_instant
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import StreamAppend
from libs.events.memory import MemoryLog
from libs.events.reaction import React
from libs.events.vocabulary.billing import (
    CreditNoteIssued,
    InterestEntry,
    InvoiceIssued,
    PenaltyCharged,
)
from libs.events.vocabulary.contracts import DunningStarted
from libs.refusal.refusal import Refusal
from services.billing import reactions as billing_reactions
from services.billing import use_cases as billing_commands
from services.billing.domain.account import account_of
from services.billing.domain.billing_month import billing_months_until
from services.billing.domain.books import ContractBooks
from services.billing.domain.interest_shown import interest_outcomes
from services.billing.domain.terms import FormerInterest
from services.billing.domain.terms import Settings as BillingSettings
from services.billing.domain.timeline import Timeline
from services.billing.memory import MemoryDrafts, MemoryTimelines
from services.billing.ports import Billing
from services.billing.runs import run_invoices
from services.billing.terms_folder import TermsFolder
from services.contracts import reactions as contracts_reactions
from services.contracts import use_cases as contract_commands
from services.contracts.answers import ContractAnswer, contract_answer
from services.contracts.domain import dunning
from services.contracts.domain.refusals import UnknownContract
from services.contracts.domain.terms import Terms, load_terms
from services.monitoring import reactions as site_reactions
from services.monitoring import use_cases as site_commands
from services.monitoring.terms import swap_terms
from services.monitoring.use_cases import SwapTermsOf

TERMS = Path(__file__).parents[2] / "terms"
CONTEXTS = ("contracts", "monitoring", "billing")
"""The contexts that a play needs, in the order in which their events are handed on."""

_ACTOR = "player"
_ONE_DAY = timedelta(days=1)

_Due = tuple[datetime, Callable[[datetime], Awaitable[None]]]
"""When a deadline comes, and how it is met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The terms of a service, of all contexts, read once for many plays."""

    contracts: Terms
    sites: SwapTermsOf
    folder: Path

    def billing(self, settings: Settings) -> TermsFolder:
        """The billing terms with what an operator set otherwise."""
        return _billing_terms(self.folder, settings.model_dump_json())


@lru_cache
def read_book(service: str, *, folder: Path) -> Book:
    """The terms of a service in a folder. Raises WrongTerms."""
    return Book(
        contracts=load_terms((service,), folder=folder),
        sites=swap_terms(folder),
        folder=folder,
    )


@lru_cache
def _billing_terms(folder: Path, settings: str) -> TermsFolder:
    chosen = Settings.model_validate_json(settings, by_name=True)
    rates, former = chosen.statutory_rates, chosen.former_interest
    return TermsFolder(
        folder,
        settings=BillingSettings(
            lone_interest=chosen.lone_interest,
            statutory_rates=None
            if rates is None
            else tuple((rate.from_on, rate.permille) for rate in rates),
            former_interest=None
            if former is None
            else FormerInterest(permille=former.permille, grace_days=former.grace_days),
        ),
    )


async def play_offline(scenario: Scenario, *, terms: Path = TERMS) -> dict[str, Any]:
    """Play a scenario in this process; the result as the cases print it."""
    installation = Installation(scenario, read_book(scenario.service, folder=terms))
    return await installation.play()


@dataclass(slots=True)
class _Reader:
    """A context that takes the events of others, and how far it has come in each log."""

    log: MemoryLog
    react: React
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CONTEXTS, 0))


@dataclass(slots=True)
class _Deadline:
    """The next deadline of one kind, looked for again only after its log has moved."""

    log: MemoryLog
    find: Callable[[], Awaitable[_Due | None]]
    found_at: int = -1
    due: _Due | None = None

    async def look(self) -> _Due | None:
        """The next deadline, if any."""
        if self.found_at != self.log.head:
            self.due, self.found_at = await self.find(), self.log.head
        return self.due


class Installation:
    """The services of one play, with one contract."""

    def __init__(self, scenario: Scenario, book: Book) -> None:
        self._scenario = scenario
        self._book = book
        self._clock = FixedClock(japan_instant(date(2000, 1, 1)))
        self._correlation_id = uuid7()
        self._warnings: list[str] = []
        self._dunning: list[UUID] = []
        self._last_at = self._clock.at
        logs = {
            context: MemoryLog(context, clock=self._clock, rehearsal=True) for context in CONTEXTS
        }
        self._timelines = MemoryTimelines(logs["billing"])
        self._billing = Billing(
            log=logs["billing"],
            timelines=self._timelines,
            terms=book.billing(scenario.settings),
            drafts=MemoryDrafts(),
        )
        readers = [
            _Reader(logs["contracts"], contracts_reactions.react),
            _Reader(logs["monitoring"], site_reactions.react),
            _Reader(logs["billing"], billing_reactions.react),
        ]
        self._ways = [
            (reader, source)
            for source in logs.values()
            for reader in readers
            if reader.log is not source
        ]
        self._deadlines = [
            _Deadline(logs["contracts"], self._contract_deadline),
            _Deadline(logs["monitoring"], self._site_deadline),
            _Deadline(logs["billing"], self._late_debt),
            _Deadline(logs["contracts"], self._proposal),
        ]
        contract_id = uuid7()
        self.case = Case(
            service=scenario.service,
            customer_id=uuid7(),
            contract_id=contract_id,
            account_id=account_of(contract_id),
            contracts=logs["contracts"],
            sites=logs["monitoring"],
            billing=self._billing,
            contract_terms=book.contracts,
            swap_terms=book.sites,
        )

    async def play(self) -> dict[str, Any]:
        """Give the commands in order, then bill to the end and collect what came of it."""
        planned = plan(self._scenario, line_id=str(self.case.contract_id))
        self._warnings += planned.warnings
        for step in planned.steps:
            await self._meet_deadlines(step.at)
            await self._give(step)
        closing_on = await self._last_day()
        await self._meet_deadlines(japan_instant(closing_on))
        closing_on = await self._last_day()
        await self._run(closing_on, at=max(self._last_at, japan_instant(closing_on + _ONE_DAY)))
        return render(self._scenario, await self._outcome())

    async def timeline(self) -> Timeline | None:
        """All that billing knows of the contract; None before anything is."""
        known = await self._timelines.of([self.case.contract_id])
        return known.get(self.case.contract_id)

    async def _give(self, step: Step) -> None:
        self._last_at = max(self._last_at, step.at)
        self._clock.at = step.at
        if step.operation == "run_invoices":
            closing_on = min(step.arguments["closing_on"], await self._last_day())
            await self._run(closing_on, at=step.at)
            return
        try:
            said = await perform(self.case, step, cause=self._cause(step.at))
            self._warnings += [f"{step.on} {step.operation}: {each}" for each in said]
        except Refusal as refused:
            clause = f" ({refused.clause})" if refused.clause else ""
            self._warnings.append(f"{step.on} {step.operation}: {refused.detail}{clause}")
        await self._settle()

    def _cause(self, at: datetime) -> Cause:
        return Cause(correlation_id=self._correlation_id, actor=_ACTOR, now=at)

    async def _run(self, closing_on: date, *, at: datetime) -> None:
        await run_invoices(
            self._billing,
            run_id=uuid7(),
            closing_on=closing_on,
            issued_on=japan_date(at),
            cause=self._cause(at),
            scope=(self.case.account_id,),
        )
        await self._settle()

    async def _settle(self) -> None:
        """Hand events on until every context has read all that others published."""
        moved = True
        while moved:
            moved = False
            for reader, source in self._ways:
                if reader.read[source.context] < source.head:
                    await self._hand_on(source, reader)
                    moved = True

    async def _hand_on(self, source: MemoryLog, reader: _Reader) -> None:
        events = await source.read(reader.read[source.context], limit=1000)
        reader.read[source.context] = events[-1].envelope.position
        if reader.log is self._billing.log:
            self._timelines.take(events)
        for recorded in events:
            await self._react(recorded, reader)

    async def _react(self, recorded: Recorded[Event], reader: _Reader) -> None:
        reactions = reader.react(recorded)
        if not reactions:
            return
        appends = []
        for reaction in reactions:
            history = await reader.log.load(reaction.stream_id)
            decided = reaction.decision(history)
            self._dunning += [
                reaction.stream_id for event in decided if isinstance(event, DunningStarted)
            ]
            appends.append(
                StreamAppend(stream_id=reaction.stream_id, events=decided, expected=len(history))
            )
        envelope = recorded.envelope
        cause = Cause(
            correlation_id=envelope.correlation_id,
            causation_id=envelope.event_id,
            actor=f"system:{reader.log.context}",
            now=envelope.recorded_at,
        )
        await reader.log.append(*appends, cause=cause)

    async def _meet_deadlines(self, until: datetime) -> None:
        """Run every deadline due at or before an instant, the earliest of all contexts first."""
        while (due := await self._earliest(until)) is not None:
            at, meet = due
            self._clock.at = at
            await meet(at)
            await self._settle()

    async def _earliest(self, until: datetime) -> _Due | None:
        dues = [await deadline.look() for deadline in self._deadlines]
        found = [due for due in dues if due is not None and due[0] <= until]
        return min(found, key=lambda due: due[0], default=None)

    async def _contract_deadline(self) -> _Due | None:
        terms = self._book.contracts
        contract_id = self.case.contract_id
        try:
            due = await contract_commands.deadlines_of(
                self.case.contracts, contract_id, terms=terms
            )
        except UnknownContract:
            return None
        if not due:
            return None
        deadline = due[0]

        async def meet(at: datetime) -> None:
            await contract_commands.run_contract_deadline(
                self.case.contracts,
                contract_commands.Command(stream_id=contract_id, cause=self._cause(at)),
                deadline=deadline,
                terms=terms,
            )

        return deadline.due_at, meet

    async def _site_deadline(self) -> _Due | None:
        due_at = await site_commands.next_deadline(self.case.sites, self.case.contract_id)
        if due_at is None:
            return None

        async def meet(at: datetime) -> None:
            command = site_commands.Command(
                contract_id=self.case.contract_id, cause=self._cause(at)
            )
            await site_commands.meet_deadlines(self.case.sites, command, until=at)

        return due_at, meet

    async def _late_debt(self) -> _Due | None:
        account_id = self.case.account_id
        late_on = await billing_commands.next_late_on(self._billing, account_id)
        if late_on is None:
            return None

        async def meet(at: datetime) -> None:
            write = billing_commands.Write(cause=self._cause(at))
            await billing_commands.notice_late(
                self._billing, account_id, until=late_on, write=write
            )

        return japan_instant(late_on), meet

    async def _proposal(self) -> _Due | None:
        log = self.case.contracts
        found: list[tuple[datetime, UUID]] = []
        for stream_id in self._dunning:
            chain = dunning.chain_of([recorded.event for recorded in await log.load(stream_id)])
            if isinstance(chain, dunning.Late):
                terms = self._book.contracts.at(self.case.service, chain.started.started_on)
                on = dunning.proposal_on(chain, terms=terms.dunning)
                found += [(japan_instant(on), stream_id)] if on else []
        if not found:
            return None
        due_at, stream_id = min(found)

        async def meet(at: datetime) -> None:
            await contract_commands.propose_suspension(
                log,
                contract_commands.Command(stream_id=stream_id, cause=self._cause(at)),
                proposed_on=japan_date(at),
                terms=self._book.contracts,
            )

        return due_at, meet

    async def _last_day(self) -> date:
        """The last day of the last billing month that begins in the month to bill to."""
        until = last_of_calendar_month(self._scenario.through)
        timeline = await self.timeline()
        months = tuple(billing_months_until(timeline, until=until)) if timeline else ()
        return months[-1].to_on if months else until

    async def _outcome(self) -> Outcome:
        documents: list[InvoiceIssued | CreditNoteIssued] = []
        penalties: list[PenaltyCharged] = []
        for recorded in await self._billing.log.load(self.case.account_id):
            match recorded.event:
                case InvoiceIssued() | CreditNoteIssued() as document:
                    documents.append(document)
                case PenaltyCharged() as penalty:
                    penalties.append(penalty)
                case _:
                    pass
        answer = await self._contract()
        end = answer.end if answer else None
        return Outcome(
            documents=documents,
            penalties=penalties,
            interest=await self._interest(),
            terminated_on=end.terminated_on if end else None,
            termination_reason=reason_of(end) if end else None,
            extra=extra_of(answer) if answer else {},
            warnings=self._warnings,
        )

    async def _contract(self) -> ContractAnswer | None:
        try:
            life, version = await contract_commands.load_life(
                self.case.contracts, self.case.contract_id
            )
        except UnknownContract:
            return None
        return contract_answer(life, version=version, terms=self._book.contracts)

    async def _interest(self) -> Sequence[InterestEntry]:
        timeline = await self.timeline()
        if timeline is None:
            return ()
        account, _ = await billing_commands.account_state(self._billing, self.case.account_id)
        books = ContractBooks(
            contract_id=self.case.contract_id,
            timeline=timeline,
            terms=self._billing.terms.of(self._scenario.service),
        )
        return interest_outcomes(account, contract=books)
