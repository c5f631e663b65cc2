"""Which contracts there are, of whom, and in which state."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.reaction import Effect
from libs.events.vocabulary.contracts import ServiceAbolished
from services.contracts.domain.contract import Ended, application_of, ended_on, state_name
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
    (
        contract_id, customer_id, service, state, applied_on, started_on, ended_on, version,
        abolition_id
    )
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT contract_once DO UPDATE SET
    customer_id = excluded.customer_id, service = excluded.service, state = excluded.state,
    applied_on = excluded.applied_on, started_on = excluded.started_on,
    ended_on = excluded.ended_on, version = excluded.version,
    abolition_id = excluded.abolition_id
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
        life.now.end.abolition_id if isinstance(life.now, Ended) else None,
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


class OpenContract(NamedTuple):
    """A contract that would outlast a day, and its version when the list last saw it."""

    contract_id: UUID
    version: int


_OUTLASTING = """
SELECT contract_id, version
FROM contract
WHERE service = $1
    AND (ended_on IS NULL OR ended_on > $2)
    AND state NOT IN ('under-review', 'declined', 'revoked')
ORDER BY contract_id
"""


async def outlasting(pool: Pool, abolished: ServiceAbolished) -> list[OpenContract]:
    """The contracts of an abolished service that exist and have no end by its day, by id."""
    rows = await pool.fetch(_OUTLASTING, abolished.service, abolished.abolished_on)
    return [OpenContract(UUID(int=row["contract_id"].int), row["version"]) for row in rows]


_COUNT_ENDED = "SELECT count(*) FROM contract WHERE abolition_id = $1"


async def count_ended(pool: Pool, abolition_id: UUID) -> int:
    """How many contracts an abolition has ended."""
    return int(await pool.fetchval(_COUNT_ENDED, abolition_id))
