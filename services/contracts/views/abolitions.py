"""Which services are given up, when, and whether their contracts have been ended."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from libs.events.database import Connection, Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.vocabulary.contracts import AbolitionCarriedOut, ServiceAbolished
from libs.events.wire import as_told

NAME = "abolitions"


class AbolitionRow(BaseModel):
    """An abolition as it was announced; `carried_out` once all its contracts have been met."""

    abolition_id: UUID
    announced: ServiceAbolished
    carried_out: AbolitionCarriedOut | None
    event_id: UUID
    correlation_id: UUID
    actor: str
    traceparent: str | None
    recorded_at: datetime

    def cause(self, *, rehearsal: bool) -> Cause:
        """The cause of what follows; a rehearsal stays at the time of the announcement."""
        return Cause(
            correlation_id=self.correlation_id,
            causation_id=self.event_id,
            actor=self.actor,
            traceparent=self.traceparent,
            now=self.recorded_at if rehearsal else None,
        )


INSERT_ABOLITION = """
INSERT INTO abolition (
    abolition_id, stream_id, service, announced, event_id, correlation_id, actor, traceparent,
    recorded_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT abolition_once DO NOTHING
"""
FINISH_ABOLITION = "UPDATE abolition SET carried_out = $2 WHERE abolition_id = $1"


async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
    """Note what was announced and what was carried out."""
    for each in recorded:
        event, at = each.event, each.envelope
        if isinstance(event, ServiceAbolished):
            await connection.execute(
                INSERT_ABOLITION,
                event.abolition_id,
                at.stream_id,
                event.service,
                as_told(event),
                at.event_id,
                at.correlation_id,
                at.actor,
                at.traceparent,
                at.recorded_at,
            )
        elif isinstance(event, AbolitionCarriedOut):
            await connection.execute(FINISH_ABOLITION, event.abolition_id, as_told(event))


FIND_ABOLITIONS = """
SELECT abolition_id, announced, carried_out, event_id, correlation_id, actor, traceparent,
    recorded_at
FROM abolition WHERE $1::text IS NULL OR service = $1 ORDER BY recorded_at, abolition_id
"""


async def find(pool: Pool, *, service: str | None) -> list[AbolitionRow]:
    """The abolitions, of one service or of all, the first announced first."""
    return [
        AbolitionRow(
            abolition_id=row["abolition_id"],
            announced=ServiceAbolished.model_validate_json(row["announced"]),
            carried_out=None
            if row["carried_out"] is None
            else AbolitionCarriedOut.model_validate_json(row["carried_out"]),
            event_id=row["event_id"],
            correlation_id=row["correlation_id"],
            actor=row["actor"],
            traceparent=row["traceparent"],
            recorded_at=row["recorded_at"],
        )
        for row in await pool.fetch(FIND_ABOLITIONS, service)
    ]
