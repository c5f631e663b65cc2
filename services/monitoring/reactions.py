"""What monitoring does because of other contexts' events: a site follows its contract."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from libs.events.envelope import Event, Recorded
from libs.events.reaction import Reaction
from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    ContractApproved,
    ContractFactCorrected,
    ContractFormed,
    ContractTerminated,
)
from libs.events.vocabulary.monitoring import MonitoringFactCorrected
from services.monitoring.domain import life
from services.monitoring.domain.facts import site_of

READER = "monitoring"
SOURCES = ("contracts",)

_FIELD_OF = {
    "approved_on": "opened_on",
    "effective_on": "opened_on",
    "customer_id": "customer_id",
    "service": "service",
    "terminated_on": "closed_on",
    "revoked_on": "closed_on",
}


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """A site opens with the contract, closes with the end, and follows corrections of both."""
    match recorded.event:
        case ContractApproved(customer_id=customer_id, service=service) as approved:
            return (
                _opens(approved.contract_id, customer_id, service, opened_on=approved.approved_on),
            )
        case ContractFormed(customer_id=UUID() as customer_id, service=str() as service) as formed:
            return (
                _opens(formed.contract_id, customer_id, service, opened_on=formed.effective_on),
            )
        case ContractTerminated() as ended:
            return (_closes(ended.contract_id, ended.terminated_on),)
        case ApprovalRevoked() as revoked:
            return (_closes(revoked.contract_id, revoked.revoked_on),)
        case ContractFactCorrected() as correction:
            return (
                Reaction(
                    stream_id=correction.contract_id,
                    decision=lambda history: _corrected(history, correction),
                ),
            )
        case _:
            return ()


def _opens(contract_id: UUID, customer_id: UUID, service: str, *, opened_on: date) -> Reaction:
    return Reaction(
        stream_id=contract_id,
        decision=lambda history: life.open_site(
            site_of(history),
            contract_id=contract_id,
            customer_id=customer_id,
            service=service,
            opened_on=opened_on,
        ),
    )


def _closes(contract_id: UUID, closed_on: date) -> Reaction:
    return Reaction(
        stream_id=contract_id,
        decision=lambda history: life.close_site(site_of(history), closed_on=closed_on),
    )


def _corrected(
    history: Sequence[Recorded[Event]], correction: ContractFactCorrected
) -> tuple[Event, ...]:
    """Our fact that rests on the corrected one, put right in the same way; none: nothing."""
    ours = _resting_on(history, correction.corrects)
    if ours is None:
        return ()
    values = _values(correction.values)
    if values == {}:
        return ()
    return (
        MonitoringFactCorrected(
            contract_id=correction.contract_id,
            corrects=ours,
            values=values,
            reason=correction.reason,
        ),
    )


def _resting_on(history: Sequence[Recorded[Event]], cause: UUID) -> UUID | None:
    for each in history:
        if each.envelope.causation_id == cause:
            return each.envelope.event_id
    return None


def _values(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {_FIELD_OF[name]: value for name, value in values.items() if name in _FIELD_OF}
