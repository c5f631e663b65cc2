"""The ports of billing in memory: for offline play and tests; they pass the real ones' suite."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from uuid import UUID

from libs.dates.japan import japan_date
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.vocabulary.billing import AccountOpened, ForeignPosition
from libs.events.vocabulary.contracts import ContractApplied
from services.billing.domain.account import account_of
from services.billing.domain.explanation import Evidence
from services.billing.domain.fold import fold
from services.billing.domain.timeline import Fact, Timeline
from services.billing.facts import subject_of, trace_of
from services.billing.ports import AccountDraft

_PAGE = 1000


class MemoryTimelines:
    """Facts by subject, folded when they are asked for; own facts are read from the own log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._read = 0
        self._facts: dict[UUID, list[Recorded[Event]]] = {}
        self._customers: dict[UUID, UUID] = {}
        self._accounts: dict[UUID, UUID] = {}
        self._folded: dict[UUID, tuple[int, Timeline]] = {}

    def take(self, events: Iterable[Recorded[Event]]) -> None:
        """Keep events of other contexts, in whatever order they come."""
        for recorded in events:
            if isinstance(recorded.event, ContractApplied):
                self._customers[recorded.event.contract_id] = recorded.event.customer_id
            if (subject := subject_of(recorded.event)) is not None:
                self._facts.setdefault(subject, []).append(recorded)

    async def of(
        self, contract_ids: Sequence[UUID], *, known_until: datetime | None = None
    ) -> Mapping[UUID, Timeline]:
        await self.level(await self._log.position())
        found: dict[UUID, Timeline] = {}
        for contract_id in contract_ids:
            facts = self._facts_of(contract_id)
            if known_until is not None:
                facts = [f for f in facts if f.envelope.recorded_at < known_until]
            if facts:
                found[contract_id] = self._fold(contract_id, facts)
        return found

    async def supposing(self, contract_id: UUID, facts: Sequence[Fact]) -> Timeline | None:
        await self.level(await self._log.position())
        known = [Fact.of(recorded) for recorded in self._facts_of(contract_id)]
        return fold([*known, *facts]) if known else None

    async def accounts(self, scope: Sequence[UUID]) -> Sequence[UUID]:
        await self.level(await self._log.position())
        return sorted(scope or set(self._accounts.values()))

    async def account_of(self, contract_id: UUID) -> UUID | None:
        await self.level(await self._log.position())
        return self._accounts.get(contract_id)

    async def level(self, position: int) -> None:
        while self._read < position:
            page = await self._log.read(self._read, limit=_PAGE)
            self.take(page)
            for recorded in page:
                if isinstance(recorded.event, AccountOpened):
                    for contract_id in recorded.event.contract_ids:
                        self._accounts[contract_id] = recorded.event.account_id
            self._read = page[-1].envelope.position

    async def incomplete(self, until: datetime) -> Sequence[str]:  # noqa: ARG002 - who takes events says when
        return ()

    async def positions(self) -> tuple[ForeignPosition, ...]:
        return ()

    async def evidence(self, event_ids: Iterable[UUID]) -> Mapping[UUID, Evidence]:
        wanted = frozenset(event_ids)
        return {
            recorded.envelope.event_id: evidence_of(recorded)
            for facts in self._facts.values()
            for recorded in facts
            if recorded.envelope.event_id in wanted
        }

    def _facts_of(self, contract_id: UUID) -> list[Recorded[Event]]:
        customer_id = self._customers.get(contract_id)
        account_id = self._accounts.get(contract_id, account_of(contract_id))
        subjects = [contract_id, account_id, *([customer_id] if customer_id else [])]
        return [fact for subject in subjects for fact in self._facts.get(subject, ())]

    def _fold(self, contract_id: UUID, facts: Sequence[Recorded[Event]]) -> Timeline:
        count, timeline = self._folded.get(contract_id, (0, Timeline()))
        if count != len(facts):
            timeline = fold(Fact.of(recorded) for recorded in facts)
            self._folded[contract_id] = (len(facts), timeline)
        return timeline


def evidence_of(recorded: Recorded[Event]) -> Evidence:
    """A fact as explanations show it."""
    envelope = recorded.envelope
    return Evidence(
        event_id=envelope.event_id,
        context=envelope.context,
        type=recorded.event.type,
        effective_on=recorded.event.takes_effect_on or japan_date(envelope.recorded_at),
        recorded_at=envelope.recorded_at,
        trace_id=trace_of(envelope.traceparent),
    )


class MemoryDrafts:
    """The drafts of runs while this process lives."""

    def __init__(self) -> None:
        self._drafts: dict[UUID, dict[UUID, AccountDraft]] = {}
        self._held: set[UUID] = set()

    def claim(self, run_id: UUID) -> AbstractAsyncContextManager[bool]:
        return self._claim(run_id)

    @asynccontextmanager
    async def _claim(self, run_id: UUID) -> AsyncIterator[bool]:
        if run_id in self._held:
            yield False
            return
        self._held.add(run_id)
        try:
            yield True
        finally:
            self._held.discard(run_id)

    async def save(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        kept = self._drafts.setdefault(run_id, {})
        for draft in drafts:
            kept.setdefault(draft.account_id, draft)

    async def load(self, run_id: UUID) -> Sequence[AccountDraft]:
        return sorted(self._drafts.get(run_id, {}).values(), key=lambda d: d.account_id)

    async def mark_issued(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        self._drafts[run_id].update({draft.account_id: draft for draft in drafts})
