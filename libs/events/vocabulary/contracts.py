"""Every event of the contracts context: streams of a customer and of a contract."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.events.envelope import Event, Personal

PaymentMethod = Literal["invoice", "account_transfer_notice", "account_transfer", "credit_card"]
Line = Literal["collab", "flets"]
Actor = Literal["customer", "operator"]


class Content(BaseModel):
    """What a contract is for; only the fields that its service knows are given.

    `packs` counts price-table rows by size (licences); `billing_day` is the first day of the
    billing month, 1 to 28; fees are yen before tax, where the application sets them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    packs: dict[int, int] = Field(default_factory=dict)
    special_prices: dict[int, int] = Field(default_factory=dict)
    mac_registered: bool = False
    options: tuple[str, ...] = ()
    device: str | None = None
    licensed: bool = False
    line: Line | None = None
    line_id: str | None = None
    billing_day: int = 1
    plan: str | None = None
    initial_fee: int | None = None
    monthly_fee: int | None = None
    wished_start_on: date | None = None


class CustomerRegistered(Event):
    """A customer is known; the key of every personal field is made with it."""

    effective: ClassVar[str | None] = "registered_on"
    subject: ClassVar[str | None] = "customer_id"

    type: Literal["contracts.customer-registered.v1"] = "contracts.customer-registered.v1"
    customer_id: UUID
    registered_on: date
    corporate: bool
    payment_method: PaymentMethod
    corporate_number: str | None = None
    name: Annotated[str | None, Personal("contact")] = None
    address: Annotated[str | None, Personal("contact")] = None
    email: Annotated[str | None, Personal("contact")] = None
    phone: Annotated[str | None, Personal("contact")] = None
    billing_address: Annotated[str | None, Personal("invoice")] = None
    billing_name: Annotated[str | None, Personal("invoice")] = None


class CustomerDetailsChanged(Event):
    """Registered details changed; a field left out (None) stays as it was."""

    effective: ClassVar[str | None] = "changed_on"
    subject: ClassVar[str | None] = "customer_id"

    type: Literal["contracts.customer-details-changed.v1"] = "contracts.customer-details-changed.v1"
    customer_id: UUID
    changed_on: date
    notified_on: date
    corporate: bool | None = None
    payment_method: PaymentMethod | None = None
    name: Annotated[str | None, Personal("contact")] = None
    address: Annotated[str | None, Personal("contact")] = None
    email: Annotated[str | None, Personal("contact")] = None
    phone: Annotated[str | None, Personal("contact")] = None
    billing_address: Annotated[str | None, Personal("invoice")] = None
    billing_name: Annotated[str | None, Personal("invoice")] = None


class PartyForgotten(Event):
    """The keys of these retention classes are destroyed for good: every reader redacts.

    `reason` is one word of a closed list: requested, no-longer-needed, obtained-wrongly.
    """

    effective: ClassVar[str | None] = "forgotten_on"

    type: Literal["contracts.party-forgotten.v1"] = "contracts.party-forgotten.v1"
    party_id: UUID
    forgotten_on: date
    retention_classes: tuple[str, ...]
    reason: str | None = None


class ContractApplied(Event):
    """An application was received, with the terms version it was made under."""

    effective: ClassVar[str | None] = "applied_on"

    type: Literal["contracts.contract-applied.v1"] = "contracts.contract-applied.v1"
    contract_id: UUID
    service: str
    customer_id: UUID
    terms_version: date
    applied_on: date
    content: Content
    consents: tuple[str, ...] = ()


class ContractDeclined(Event):
    """The application was refused on a ground of the terms."""

    effective: ClassVar[str | None] = "declined_on"

    type: Literal["contracts.contract-declined.v1"] = "contracts.contract-declined.v1"
    contract_id: UUID
    declined_on: date
    ground: str
    clause: str


class ContractApproved(Event):
    """The operator accepted the application; with it the contract exists."""

    effective: ClassVar[str | None] = "approved_on"

    type: Literal["contracts.contract-approved.v1"] = "contracts.contract-approved.v1"
    contract_id: UUID
    customer_id: UUID
    service: str
    approved_on: date
    document_number: str


class ContractFormed(Event):
    """The contract exists by receipt of a complete application, without approval."""

    effective: ClassVar[str | None] = "effective_on"

    type: Literal["contracts.contract-formed.v1"] = "contracts.contract-formed.v1"
    contract_id: UUID
    formed_on: date
    effective_on: date
    customer_id: UUID | None = None
    service: str | None = None


class ApprovalRevoked(Event):
    """The acceptance was taken back after the contract was formed; costs in yen, untaxed."""

    effective: ClassVar[str | None] = "revoked_on"

    type: Literal["contracts.approval-revoked.v1"] = "contracts.approval-revoked.v1"
    contract_id: UUID
    revoked_on: date
    ground: str
    costs: int = 0
    costs_due_on: date | None = None


class InitialWorkScheduled(Event):
    """The day of the initial work was agreed."""

    effective: ClassVar[str | None] = "scheduled_on"

    type: Literal["contracts.initial-work-scheduled.v1"] = "contracts.initial-work-scheduled.v1"
    contract_id: UUID
    scheduled_on: date


class WorkAccepted(Event):
    """The ordered work was accepted (検収)."""

    effective: ClassVar[str | None] = "accepted_on"

    type: Literal["contracts.work-accepted.v1"] = "contracts.work-accepted.v1"
    contract_id: UUID
    accepted_on: date


class ServiceStarted(Event):
    """`started_on` is the first day of provision."""

    effective: ClassVar[str | None] = "started_on"

    type: Literal["contracts.service-started.v1"] = "contracts.service-started.v1"
    contract_id: UUID
    started_on: date


class ContentChanged(Event):
    """The content of the contract is `after` from `effective_on` on, that day included.

    `kind` tells an addition, a replacement of the whole, a partial termination, and so on.
    """

    effective: ClassVar[str | None] = "effective_on"

    type: Literal["contracts.content-changed.v1"] = "contracts.content-changed.v1"
    contract_id: UUID
    effective_on: date
    kind: Literal[
        "addition",
        "replacement",
        "partial-termination",
        "option-added",
        "option-removed",
        "discount",
        "device",
        "price",
    ]
    before: Content
    after: Content
    option: str | None = None
    applied_on: date | None = None
    initial_fee: int | None = None
    monthly_fee: int | None = None
    monthly_discount: int | None = None


class ContentChangeDeclined(Event):
    """A change of content that was asked for was refused on a ground of the terms; nothing changes.

    `kind` says what was asked for, as in `ContentChanged`.
    """

    effective: ClassVar[str | None] = "declined_on"

    type: Literal["contracts.content-change-declined.v1"] = "contracts.content-change-declined.v1"
    contract_id: UUID
    customer_id: UUID
    applied_on: date
    declined_on: date
    kind: str
    ground: str
    clause: str


class TicketOrdered(Event):
    """Tickets were ordered and the order accepted."""

    effective: ClassVar[str | None] = "ordered_on"

    type: Literal["contracts.ticket-ordered.v1"] = "contracts.ticket-ordered.v1"
    contract_id: UUID
    kind: Literal["config", "question", "urgent"]
    quantity: int
    ordered_on: date


class BillingMonthChanged(Event):
    """From `from_on`, the first day of the new cycle, billing months start on `start_day`."""

    effective: ClassVar[str | None] = "from_on"

    type: Literal["contracts.billing-month-changed.v1"] = "contracts.billing-month-changed.v1"
    contract_id: UUID
    start_day: int
    from_on: date


class ContractSuspended(Event):
    """Use is suspended from `from_on`; at the latest until the day before `until_on`."""

    effective: ClassVar[str | None] = "from_on"

    type: Literal["contracts.contract-suspended.v1"] = "contracts.contract-suspended.v1"
    contract_id: UUID
    customer_id: UUID
    from_on: date
    until_on: date | None
    ground: str
    clause: str
    notified_on: date | None = None
    urgent_reason: str | None = None


class ContractResumed(Event):
    """The suspension is over from `resumed_on` on."""

    effective: ClassVar[str | None] = "resumed_on"

    type: Literal["contracts.contract-resumed.v1"] = "contracts.contract-resumed.v1"
    contract_id: UUID
    resumed_on: date


class ServiceInterrupted(Event):
    """利用中止: provision stopped at an instant, by the operator, for a cause of the terms."""

    effective: ClassVar[str | None] = "from_at"

    type: Literal["contracts.service-interrupted.v1"] = "contracts.service-interrupted.v1"
    contract_id: UUID
    from_at: datetime
    cause: str


class ServiceRestored(Event):
    """The interruption ended."""

    effective: ClassVar[str | None] = "restored_at"

    type: Literal["contracts.service-restored.v1"] = "contracts.service-restored.v1"
    contract_id: UUID
    restored_at: datetime


class LineConverted(Event):
    """転用: the line is a collaboration line from `converted_on`."""

    effective: ClassVar[str | None] = "converted_on"

    type: Literal["contracts.line-converted.v1"] = "contracts.line-converted.v1"
    contract_id: UUID
    converted_on: date


class LineContractEnded(Event):
    """The line contract under this one ended; only some reasons end this contract too."""

    effective: ClassVar[str | None] = "ended_on"

    type: Literal["contracts.line-contract-ended.v1"] = "contracts.line-contract-ended.v1"
    contract_id: UUID
    ended_on: date
    reason: Literal["termination", "relocation", "conversion", "provider_change"]


class Cancellation(BaseModel):
    """What a cancellation by notice comes to; amounts are yen before tax, `clause` is its rule.

    The contract, or `option` alone, ends with the end of `ends_on`; where a `loss` is asked for,
    only if it is paid by then. `excess` is the damage above the fee. `contract_end_on` is the last
    day of the month of the notice.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    ends_on: date
    contract_end_on: date
    clause: str
    option: str | None = None
    fee: int = 0
    excess: int = 0
    loss: int = 0


class TerminationRequested(Event):
    """The customer asked for the end on a desired day; it waits for confirmation.

    One with a `cancellation` waits for nothing but the payment of its loss.
    """

    effective: ClassVar[str | None] = "requested_on"

    type: Literal["contracts.termination-requested.v1"] = "contracts.termination-requested.v1"
    contract_id: UUID
    requested_on: date
    desired_on: date
    cancellation: Cancellation | None = None


class TerminationLapsed(Event):
    """The request came to nothing: what had to be paid by its day was not."""

    effective: ClassVar[str | None] = "lapsed_on"

    type: Literal["contracts.termination-lapsed.v1"] = "contracts.termination-lapsed.v1"
    contract_id: UUID
    lapsed_on: date
    clause: str


class TerminationGroundArose(Event):
    """A ground of ending the contract arose, by its number in the terms; nothing ends by itself.

    All debts that are open then fall due on that day.
    """

    effective: ClassVar[str | None] = "arose_on"

    type: Literal["contracts.termination-ground-arose.v1"] = "contracts.termination-ground-arose.v1"
    contract_id: UUID
    arose_on: date
    ground: str
    clause: str


class TerminationScheduled(Event):
    """The contract will end on `terminates_on` unless something ends it earlier."""

    effective: ClassVar[str | None] = "scheduled_on"

    type: Literal["contracts.termination-scheduled.v1"] = "contracts.termination-scheduled.v1"
    contract_id: UUID
    scheduled_on: date
    terminates_on: date
    by: Actor
    cause: str
    clause: str


class ContractTerminated(Event):
    """The contract ended; `terminated_on` is the date as its terms use the word.

    `declared_on` is the day the declaration to end it arrived, where the terms ask for it. With an
    abolition comes its `abolition_id` and the `reason` that the customer is told.
    """

    effective: ClassVar[str | None] = "terminated_on"

    type: Literal["contracts.contract-terminated.v1"] = "contracts.contract-terminated.v1"
    contract_id: UUID
    customer_id: UUID
    terminated_on: date
    by: Actor
    cause: Literal["customer", "provider", "line", "maximum_period", "abolition", "antisocial"]
    clause: str
    penalty_due_on: date | None = None
    declared_on: date | None = None
    abolition_id: UUID | None = None
    reason: str | None = None


class ServiceAbolished(Event):
    """The operator gives up a service, or one plan of it, from `abolished_on` on.

    It is recorded on the day it is announced; every contract of it ends by an event of its own.
    `urgent_reason` is why the customers were not told as early as the terms ask.
    """

    effective: ClassVar[str | None] = "announced_on"

    type: Literal["contracts.service-abolished.v1"] = "contracts.service-abolished.v1"
    abolition_id: UUID
    service: str
    plan: str | None = None
    announced_on: date
    abolished_on: date
    reason: str
    clause: str
    urgent_reason: str | None = None


class AbolitionCarriedOut(Event):
    """Every contract that an abolition met was ended, or is over by its day without it.

    `ended` counts those ended by it; `failures` says by contract why one could not be.
    """

    effective: ClassVar[str | None] = "carried_out_on"

    type: Literal["contracts.abolition-carried-out.v1"] = "contracts.abolition-carried-out.v1"
    abolition_id: UUID
    service: str
    carried_out_on: date
    ended: int
    failures: dict[str, str] = Field(default_factory=dict)


class ContractFactCorrected(Event):
    """A recorded fact is put right: new values for named fields, or None for withdrawn."""

    type: Literal["contracts.fact-corrected.v1"] = "contracts.fact-corrected.v1"
    contract_id: UUID
    corrects: UUID
    values: dict[str, Any] | None
    reason: str


class DunningStarted(Event):
    """An invoice is late: reminder, notice, suspension and termination may follow in turn."""

    effective: ClassVar[str | None] = "started_on"

    type: Literal["contracts.dunning-started.v1"] = "contracts.dunning-started.v1"
    contract_id: UUID
    invoice_id: UUID
    started_on: date
    open_amount: int


class SuspensionProposed(Event):
    """The chain of an unpaid debt reached the step where an operator may suspend."""

    effective: ClassVar[str | None] = "proposed_on"

    type: Literal["contracts.suspension-proposed.v1"] = "contracts.suspension-proposed.v1"
    contract_id: UUID
    invoice_id: UUID
    proposed_on: date
    clause: str


class DunningEnded(Event):
    """The debt that started the chain is settled."""

    effective: ClassVar[str | None] = "ended_on"

    type: Literal["contracts.dunning-ended.v1"] = "contracts.dunning-ended.v1"
    contract_id: UUID
    invoice_id: UUID
    ended_on: date


CustomerEvent = CustomerRegistered | CustomerDetailsChanged | PartyForgotten

ContractEvent = (
    ContractApplied
    | ContractDeclined
    | ContractApproved
    | ContractFormed
    | ApprovalRevoked
    | InitialWorkScheduled
    | WorkAccepted
    | ServiceStarted
    | ContentChanged
    | ContentChangeDeclined
    | TicketOrdered
    | BillingMonthChanged
    | ContractSuspended
    | ContractResumed
    | ServiceInterrupted
    | ServiceRestored
    | LineConverted
    | LineContractEnded
    | TerminationRequested
    | TerminationLapsed
    | TerminationGroundArose
    | TerminationScheduled
    | ContractTerminated
    | ContractFactCorrected
)

DunningEvent = DunningStarted | SuspensionProposed | DunningEnded

ServiceEvent = ServiceAbolished | AbolitionCarriedOut
