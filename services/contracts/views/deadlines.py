"""What follows by itself, and what of it comes first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from libs.dates.japan import japan_instant
from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.reaction import Effect
from services.contracts.domain.contract import application_of
from services.contracts.domain.deadlines import next_deadlines
from services.contracts.domain.dunning import Late, proposal_on
from services.contracts.domain.facts import facts_of, life_of
from services.contracts.domain.terms import Terms
from services.contracts.views.streams import chain_at, chains_moved, contracts_moved, life_at

NAME = "deadlines"
PROPOSAL = "suspension-proposal"


class DeadlineRow(BaseModel):
    """A deadline; its stream is the contract's, or that of a chain of an unpaid debt."""

    stream_id: UUID
    kind: str
    contract_id: UUID
    due_at: datetime


def filling(log: Log, *, terms: Terms) -> Effect:
    """Write the deadlines of each stream anew as they stood after its last event of the batch.

    A proposal rests on the contract too, so it is written anew when that moves as well.
    """

    async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
        chains: dict[UUID, int | None] = {}
        for contract_id, version in contracts_moved(recorded).items():
            life = await life_at(log, contract_id, version=version)
            await _replace(
                connection,
                contract_id,
                rows=[
                    DeadlineRow(
                        stream_id=contract_id,
                        kind=deadline.kind,
                        contract_id=contract_id,
                        due_at=deadline.due_at,
                    )
                    for deadline in next_deadlines(life, terms=terms)
                ],
            )
            waiting = await connection.fetch(_PROPOSALS_OF, contract_id, PROPOSAL)
            chains.update((row["stream_id"], None) for row in waiting)
        chains.update(chains_moved(recorded))
        for stream_id, chain_version in chains.items():
            rows = await _proposals(log, stream_id, version=chain_version, terms=terms)
            await _replace(connection, stream_id, rows=rows)

    return fill


_PROPOSALS_OF = "SELECT stream_id FROM deadline WHERE contract_id = $1 AND kind = $2"


async def _proposals(
    log: Log, stream_id: UUID, *, version: int | None, terms: Terms
) -> list[DeadlineRow]:
    """The proposal that a chain waits for; the contract is looked at as it stands now."""
    chain = await chain_at(log, stream_id, version=version)
    if not isinstance(chain, Late):
        return []
    started = chain.started
    life = life_of(facts_of(await log.load(started.contract_id)))
    application = application_of(life.now)
    if application is None:
        return []
    rules = terms.at(application.service, started.started_on).dunning
    due_on = proposal_on(chain, terms=rules)
    if due_on is None:
        return []
    return [
        DeadlineRow(
            stream_id=stream_id,
            kind=PROPOSAL,
            contract_id=started.contract_id,
            due_at=japan_instant(due_on),
        )
    ]


_REMOVE = "DELETE FROM deadline WHERE stream_id = $1"
_INSERT = "INSERT INTO deadline (stream_id, kind, contract_id, due_at) VALUES ($1, $2, $3, $4)"


async def _replace(connection: Connection, stream_id: UUID, *, rows: Sequence[DeadlineRow]) -> None:
    await connection.execute(_REMOVE, stream_id)
    for row in rows:
        await connection.execute(_INSERT, row.stream_id, row.kind, row.contract_id, row.due_at)


_EARLIEST = """
SELECT stream_id, kind, contract_id, due_at
FROM deadline
WHERE ($1::timestamptz IS NULL OR due_at <= $1)
    AND ($2::uuid[] IS NULL OR contract_id = ANY($2))
ORDER BY due_at, stream_id, kind
LIMIT 1
"""


async def earliest(
    pool: Pool, *, until: datetime | None, scope: Sequence[UUID] | None
) -> DeadlineRow | None:
    """The first deadline, of these contracts only (None: of all), due by `until` (None: ever)."""
    row = await pool.fetchrow(_EARLIEST, until, scope)
    return None if row is None else DeadlineRow(**row)
