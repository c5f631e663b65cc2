"""What a party holds, from the views of contracts and of late debts."""

from uuid import UUID

from libs.events.database import Pool
from services.contracts.domain.forgetting import ContractHeld

_HELD = """
SELECT contract_id, ended_on, state <> 'declined' AS formed, EXISTS (
    SELECT FROM dunning
    WHERE dunning.contract_id = contract.contract_id AND dunning.ended_on IS NULL
) AS owes
FROM contract WHERE customer_id = $1 ORDER BY contract_id
"""


async def held_by(pool: Pool, customer_id: UUID) -> list[ContractHeld]:
    """The contracts of a party, ended ones too."""
    return [ContractHeld(**row) for row in await pool.fetch(_HELD, customer_id)]
