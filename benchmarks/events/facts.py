"""The events that are appended: a real fact of about two hundred bytes."""

from datetime import date
from uuid import UUID

from libs.events.vocabulary.contracts import ContractApproved

_APPROVED_ON = date(2026, 4, 1)


def facts(stream_id: UUID, *, events: int) -> list[ContractApproved]:
    """So many events of one stream, made as a decision makes them: checked by their class."""
    return [
        ContractApproved(
            contract_id=stream_id,
            customer_id=stream_id,
            service="MYSEC",
            approved_on=_APPROVED_ON,
            document_number=f"2026-{number:06}",
        )
        for number in range(events)
    ]
