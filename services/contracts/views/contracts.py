"""Which contracts there are, of whom, and in which state."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.reaction import Effect
from services.contracts.domain.contract import application_of, ended_on, state_name
from services.contracts.domain.facts import Life, started_on
from services.contracts.views.streams import contracts_moved, life_at

NAME = "contracts"


class ContractRow(BaseModel):
    """A contract in the list."""

    contract_id: UUID
    customer_id: UUID
    service: str
    state: str
    applied_on: date
    started_on: date | None
    ended_on: date | None
    version: int


def filling(log: Log) -> Effect:
    """Write each contract anew as it stood after its last event of the batch.

    One whose application was withdrawn has no row, as if it had never been applied for.
    """

    async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
        for contract_id, version in contracts_moved(recorded).items():
            life = await life_at(log, contract_id, version=version)
            await _store(connection, contract_id, life=life, version=version)

    return fill


_STORE = """
INSERT INTO contract
    (contract_id, customer_id, service, state, applied_on, started_on, ended_on, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT contract_once DO UPDATE SET
    customer_id = excluded.customer_id, service = excluded.service, state = excluded.state,
    applied_on = excluded.applied_on, started_on = excluded.started_on,
    ended_on = excluded.ended_on, version = excluded.version
"""


_REMOVE = "DELETE FROM contract WHERE contract_id = $1"


async def _store(connection: Connection, contract_id: UUID, *, life: Life, version: int) -> None:
    application = application_of(life.now)
    if application is None:
        await connection.execute(_REMOVE, contract_id)
        return
    await connection.execute(
        _STORE,
        application.contract_id,
        application.customer_id,
        application.service,
        state_name(life.now),
        application.applied_on,
        started_on(life.facts),
        ended_on(life.now),
        version,
    )


_FIND = """
SELECT contract_id, customer_id, service, state, applied_on, started_on, ended_on, version
FROM contract
WHERE ($1::uuid IS NULL OR customer_id = $1)
    AND ($2::text IS NULL OR state = $2)
    AND ($3::uuid IS NULL OR contract_id > $3)
ORDER BY contract_id
LIMIT $4
"""


async def find(
    pool: Pool, *, customer_id: UUID | None, state: str | None, after: UUID | None, limit: int
) -> list[ContractRow]:
    """Contracts by id, from the one after `after`."""
    rows = await pool.fetch(_FIND, customer_id, state, after, limit)
    return [ContractRow(**row) for row in rows]


_EMPTY = "DELETE FROM contract"


async def empty(connection: Connection) -> None:
    """Remove every row, before the view is made anew."""
    await connection.execute(_EMPTY)
