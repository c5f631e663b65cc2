"""What is known of contracts, from the packed timelines in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from libs.events.complete import complete_until
from libs.events.database import Connection, Pool
from libs.events.follow import wait_for
from libs.events.heard import incomplete
from libs.events.kafka import topic_of
from libs.events.vocabulary.billing import ForeignPosition
from services.billing.domain.explanation import Evidence
from services.billing.domain.fold import fold
from services.billing.domain.timeline import Fact, Timeline, unpack
from services.billing.memory import evidence_of
from services.billing.views.facts import find_facts, recorded_from

FACTS = "billing-facts"
"""The reader of other contexts' topics."""
BOOKS = "books"
"""The view that follows the own log: own facts, accounts, documents, runs."""


class PostgresTimelines:
    """Timelines as the readers of topics and of the own log keep them.

    `sources` names the contexts that say up to when they are complete: in a rehearsal none does.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        topic_prefix: str = "",
        wait_seconds: float = 5.0,
        sources: Sequence[str] = (),
    ) -> None:
        self._pool = pool
        self._prefix = topic_prefix
        self._sources = tuple(topic_of(source, prefix=topic_prefix) for source in sources)
        self._wait_seconds = wait_seconds

    async def of(
        self, contract_ids: Sequence[UUID], *, known_until: datetime | None = None
    ) -> Mapping[UUID, Timeline]:
        """Packed timelines; those with later facts than `known_until` are folded without them."""
        found: dict[UUID, Timeline] = {}
        later: list[UUID] = []
        for row in await self._pool.fetch(FIND_PACKED, list(contract_ids)):
            if known_until is None or row["last_recorded_at"] < known_until:
                found[UUID(int=row["contract_id"].int)] = unpack(row["packed"])
            else:
                later.append(UUID(int=row["contract_id"].int))
        if later and known_until is not None:
            found.update(await self._as_known(later, known_until=known_until))
        return found

    async def _as_known(
        self, contract_ids: Sequence[UUID], *, known_until: datetime
    ) -> dict[UUID, Timeline]:
        async with self._pool.acquire() as borrowed:
            facts = await find_facts(cast("Connection", borrowed), contract_ids)
        known = {
            contract_id: [f for f in found if f.envelope.recorded_at < known_until]
            for contract_id, found in facts.items()
        }
        return {
            contract_id: fold(Fact.of(recorded) for recorded in found)
            for contract_id, found in known.items()
            if found
        }

    async def supposing(self, contract_id: UUID, facts: Sequence[Fact]) -> Timeline | None:
        """Folded anew from the kept facts and these."""
        async with self._pool.acquire() as borrowed:
            kept = await find_facts(cast("Connection", borrowed), [contract_id])
        known = [Fact.of(recorded) for recorded in kept.get(contract_id, ())]
        return fold([*known, *facts]) if known else None

    async def accounts(self, scope: Sequence[UUID]) -> Sequence[UUID]:
        """Those in scope, or all that were opened."""
        if scope:
            return sorted(scope)
        return [UUID(int=row["account_id"].int) for row in await self._pool.fetch(FIND_ACCOUNTS)]

    async def account_of(self, contract_id: UUID) -> UUID | None:
        """The account that was opened for a contract."""
        found = await self._pool.fetchval(FIND_ACCOUNT_OF, contract_id)
        return None if found is None else UUID(int=found.int)

    async def level(self, position: int) -> None:
        """Raises NotLevel, a kind of OSError, when the view stays behind."""
        await wait_for(self._pool, BOOKS, position=position, seconds=self._wait_seconds)

    async def incomplete(self, until: datetime) -> Sequence[str]:
        """What the sources, and the own log, have not told up to a time; nothing in a rehearsal."""
        if not self._sources:
            return ()
        lacking = await incomplete(self._pool, FACTS, topics=self._sources, until=until)
        own = await complete_until(self._pool)
        if own is None or own >= until:
            return lacking
        return (*lacking, "billing itself may still record what counts")

    async def positions(self) -> tuple[ForeignPosition, ...]:
        """How far each partition has been read into the facts."""
        return tuple(
            ForeignPosition(
                context=row["topic"].removeprefix(self._prefix),
                partition=row["partition"],
                sequence=row["sequence"],
            )
            for row in await self._pool.fetch(FIND_POSITIONS, FACTS)
        )

    async def evidence(self, event_ids: Iterable[UUID]) -> Mapping[UUID, Evidence]:
        """Kept facts by event id."""
        rows = await self._pool.fetch(FIND_EVIDENCE, list(event_ids))
        found = [evidence_of(recorded_from(row)) for row in rows]
        return {evidence.event_id: evidence for evidence in found}


FIND_PACKED = """
SELECT contract_id, packed, last_recorded_at FROM contract_timeline
WHERE contract_id = ANY($1) AND packed IS NOT NULL
"""
FIND_ACCOUNTS = "SELECT account_id FROM billing_account ORDER BY account_id"
FIND_ACCOUNT_OF = """
SELECT billing_account.account_id FROM contract_timeline JOIN billing_account USING (account_id)
WHERE contract_timeline.contract_id = $1
"""
FIND_POSITIONS = """
SELECT topic, partition, sequence FROM consumer_cursor WHERE consumer = $1
ORDER BY topic, partition
"""
FIND_EVIDENCE = "SELECT * FROM fact WHERE event_id = ANY($1)"
