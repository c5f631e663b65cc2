"""The view that benchmarks fill: a row an event, written by COPY."""

from collections.abc import Sequence

from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.contracts import ContractApproved

MAKE = """
CREATE TABLE approved (
    position bigint PRIMARY KEY,
    contract_id uuid NOT NULL,
    service text NOT NULL,
    approved_on date NOT NULL,
    document_number text NOT NULL
)
"""
EMPTY = "TRUNCATE approved"
COLUMNS = ("position", "contract_id", "service", "approved_on", "document_number")


async def write(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    """Write a row for each approval."""
    rows = [
        (
            recorded.envelope.position,
            recorded.event.contract_id,
            recorded.event.service,
            recorded.event.approved_on,
            recorded.event.document_number,
        )
        for recorded in events
        if isinstance(recorded.event, ContractApproved)
    ]
    await connection.copy_records_to_table("approved", records=rows, columns=COLUMNS)
