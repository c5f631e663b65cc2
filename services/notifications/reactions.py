"""Which event of another context is an occasion to tell a customer something, and what of it."""

from dataclasses import dataclass
from uuid import UUID

from libs.events.envelope import Event
from libs.events.vocabulary.billing import InvoiceIssued, PaymentLate
from libs.events.vocabulary.contracts import (
    ContentChangeDeclined,
    ContractApproved,
    ContractSuspended,
    ContractTerminated,
)
from libs.events.vocabulary.monitoring import DeviceSwapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """An event to tell `customer_id` about, and what must be known to do it.

    The service is that of `invoice_id` where there is one, else that of the first contract.
    """

    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    invoice_id: UUID | None = None


def occasion_of(event: Event) -> Occasion | None:
    """The occasion that an event is; None for one of which nobody is told.

    Of the end of a contract nobody is told here unless it came with the end of its service: an
    application may end that was never approved, and then its contract is not known.
    """
    match event:
        case (
            ContractApproved()
            | ContractSuspended()
            | ContractTerminated(abolition_id=UUID())
            | ContentChangeDeclined()
            | DeviceSwapped()
        ):
            return Occasion(customer_id=event.customer_id, contract_ids=(event.contract_id,))
        case InvoiceIssued() | PaymentLate():
            return Occasion(
                customer_id=event.customer_id,
                contract_ids=event.contract_ids,
                invoice_id=event.invoice_id,
            )
        case _:
            return None
