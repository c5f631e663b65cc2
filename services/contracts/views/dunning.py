"""Which debts are late, and where a suspension has been proposed."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never
from uuid import UUID

from pydantic import BaseModel

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.reaction import Effect
from services.contracts.domain.dunning import Chain, Late, NothingLate, Settled
from services.contracts.views.streams import chain_at, chains_moved

NAME = "dunning"


class DunningRow(BaseModel):
    """The chain of one unpaid debt of one contract; `open_amount` in yen when it was found late."""

    stream_id: UUID
    contract_id: UUID
    invoice_id: UUID
    open_amount: int
    started_on: date
    proposed_on: date | None
    ended_on: date | None


def filling(log: Log) -> Effect:
    """Write each chain anew as it stood after its last event of the batch."""

    async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
        for stream_id, version in chains_moved(recorded).items():
            chain = await chain_at(log, stream_id, version=version)
            await _store(connection, stream_id, chain=chain)

    return fill


_STORE = """
INSERT INTO dunning
    (stream_id, contract_id, invoice_id, open_amount, started_on, proposed_on, ended_on)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT ON CONSTRAINT dunning_once DO UPDATE SET
    open_amount = excluded.open_amount, started_on = excluded.started_on,
    proposed_on = excluded.proposed_on, ended_on = excluded.ended_on
"""


async def _store(connection: Connection, stream_id: UUID, *, chain: Chain) -> None:
    match chain:
        case NothingLate():
            return
        case Late(started=started, proposed_on=proposed_on):
            ended_on = None
        case Settled(started=started, ended_on=ended_on):
            proposed_on = None
        case _:
            assert_never(chain)
    await connection.execute(
        _STORE,
        stream_id,
        started.contract_id,
        started.invoice_id,
        started.open_amount,
        started.started_on,
        proposed_on,
        ended_on,
    )


_FIND = """
SELECT stream_id, contract_id, invoice_id, open_amount, started_on, proposed_on, ended_on
FROM dunning
WHERE ($1::uuid IS NULL OR contract_id = $1)
    AND ($2::boolean IS FALSE OR ended_on IS NULL)
    AND ($3::uuid IS NULL OR stream_id > $3)
ORDER BY stream_id
LIMIT $4
"""


async def find(
    pool: Pool, *, contract_id: UUID | None, open_only: bool, after: UUID | None, limit: int
) -> list[DunningRow]:
    """Chains by stream, from the one after `after`."""
    rows = await pool.fetch(_FIND, contract_id, open_only, after, limit)
    return [DunningRow(**row) for row in rows]
