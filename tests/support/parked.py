"""What is parked, looked at without the library."""

from libs.events.database import Pool
from libs.events.parking import Parked

ALL_PARKED = """
SELECT consumer, topic, partition, sequence, stream_id, event_id, waiting, reason, attempts,
    parked_at, clause, tried_at
FROM parked_event ORDER BY parked_at, topic, partition, sequence
"""


async def parked_events(pool: Pool) -> list[Parked]:
    """Every parked event, longest parked first."""
    return [Parked.model_validate(dict(row)) for row in await pool.fetch(ALL_PARKED)]
