"""One event of each kind that a customer is told of, and the occasion it makes."""

from datetime import date
from uuid import UUID

from libs.dates.japan import japan_instant
from libs.events.envelope import Event
from libs.events.vocabulary.billing import InvoiceIssued, PaymentLate, TaxSum
from libs.events.vocabulary.contracts import (
    ContentChangeDeclined,
    ContractApproved,
    ContractSuspended,
    ContractTerminated,
)
from libs.events.vocabulary.monitoring import DeviceSwapped
from services.notifications.reactions import occasion_of
from services.notifications.views.occasions import OpenOccasion

CUSTOMER = UUID(int=2)
CONTRACT = UUID(int=1)
ACCOUNT = UUID(int=3)
INVOICE = UUID(int=4)
RUN = UUID(int=5)
EVENT = UUID(int=6)
CASE = UUID(int=7)

APPROVED = ContractApproved(
    contract_id=CONTRACT,
    customer_id=CUSTOMER,
    service="WUTM",
    approved_on=date(2025, 4, 1),
    document_number="承-0042",
)
SUSPENDED = ContractSuspended(
    contract_id=CONTRACT,
    customer_id=CUSTOMER,
    from_on=date(2025, 6, 10),
    until_on=date(2025, 12, 10),
    ground="unpaid",
    clause="WUTM-18.1.1",
    notified_on=date(2025, 6, 2),
)
ABOLISHED = ContractTerminated(
    contract_id=CONTRACT,
    customer_id=CUSTOMER,
    terminated_on=date(2025, 8, 31),
    by="operator",
    cause="abolition",
    clause="WUTM-20.2.2",
    abolition_id=UUID(int=12),
    reason="機器の製造終了のため",
)
CHANGE_DECLINED = ContentChangeDeclined(
    contract_id=CONTRACT,
    customer_id=CUSTOMER,
    applied_on=date(2025, 6, 2),
    declined_on=date(2025, 6, 9),
    kind="device",
    ground="not-line-party",
    clause="WUTM-9.3.4",
)
SWAPPED = DeviceSwapped(
    contract_id=CONTRACT,
    customer_id=CUSTOMER,
    old_device_id=UUID(int=10),
    new_device_id=UUID(int=11),
    model="SSB5",
    serial="S-2",
    licensed=False,
    swapped_on=date(2025, 6, 9),
    ownership_moved_on=date(2025, 6, 6),
    due_back_on=date(2025, 7, 8),
    replacement_cost=88_000,
)
ISSUED = InvoiceIssued(
    invoice_id=INVOICE,
    number=17,
    run_id=RUN,
    account_id=ACCOUNT,
    customer_id=CUSTOMER,
    contract_ids=(CONTRACT,),
    service="WUTM",
    month="2025-04",
    from_on=date(2025, 4, 1),
    to_on=date(2025, 4, 30),
    lines=(),
    subtotal=2_500,
    tax=(TaxSum(rate=10, base=2_500, tax=250),),
    total=2_750,
    payable=2_753,
    issued_on=date(2025, 5, 10),
    due_on=date(2025, 5, 31),
    previous_hash="",
    hash="",
)
LATE = PaymentLate(
    account_id=ACCOUNT,
    customer_id=CUSTOMER,
    contract_ids=(CONTRACT,),
    invoice_id=INVOICE,
    open_amount=2_753,
    due_on=date(2025, 5, 31),
    noticed_on=date(2025, 6, 1),
    days_late=1,
)


def an_occasion(event: Event, *, service: str = "WUTM") -> OpenOccasion:
    found = occasion_of(event)
    assert found is not None
    return OpenOccasion(
        event_id=EVENT,
        event=event,
        customer_id=found.customer_id,
        contract_ids=found.contract_ids,
        service=service,
        invoice_number=17 if found.invoice_id else None,
        recorded_at=japan_instant(date(2025, 6, 9), 10),
        correlation_id=CASE,
        traceparent=None,
    )
