"""The bodies of requests. Dates are Japan dates, the days on which things take effect."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.events.vocabulary.contracts import Content, PaymentMethod
from services.contracts.domain.customer import Details
from services.contracts.domain.ending import LineEnd
from services.contracts.domain.forgetting import Reason, Retention
from services.contracts.domain.terms import ChangeKind, TicketKind

Text = Annotated[str, Field(min_length=1, max_length=500)]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
"""A text that says something: not blank."""
Count = Annotated[int, Field(gt=0, le=1_000_000)]
Yen = Annotated[int, Field(ge=0, le=10_000_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerDetails(_Body):
    """What is registered of a customer; what is left out stays as it is."""

    name: Text | None = None
    address: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    billing_address: Text | None = None
    billing_name: Text | None = None

    def details(self, *, corporate: bool | None, payment_method: PaymentMethod | None) -> Details:
        """As the rules take them."""
        return Details(
            corporate=corporate,
            payment_method=payment_method,
            name=self.name,
            address=self.address,
            email=self.email,
            phone=self.phone,
            billing_address=self.billing_address,
            billing_name=self.billing_name,
        )


class NewCustomer(CustomerDetails):
    """A customer to register; `customer_id` only where the caller keeps the ids."""

    customer_id: UUID | None = None
    registered_on: date
    corporate: bool
    payment_method: PaymentMethod
    corporate_number: Annotated[str, Field(pattern=r"^\d{13}$")] | None = None


class CustomerChange(CustomerDetails):
    """Details that changed, when they did, and when it was notified."""

    changed_on: date
    notified_on: date
    corporate: bool | None = None
    payment_method: PaymentMethod | None = None


class Forgetting(_Body):
    """What of a party is to be forgotten for good, by retention class, and why."""

    classes: Annotated[list[Retention], Field(min_length=1, max_length=2)]
    reason: Reason


class NewContract(_Body):
    """An application; `contract_id` only where the caller keeps the ids."""

    contract_id: UUID | None = None
    service: Text
    customer_id: UUID
    applied_on: date
    content: Content
    consents: Annotated[list[Text], Field(max_length=50)]


class Approval(_Body):
    approved_on: date
    document_number: Text


class Decline(_Body):
    declined_on: date
    ground: Text


class Revocation(_Body):
    revoked_on: date
    ground: Text
    costs: Yen = 0
    costs_due_on: date | None = None


class InitialWork(_Body):
    scheduled_on: date


class Start(_Body):
    started_on: date


class Acceptance(_Body):
    accepted_on: date


class TicketOrder(_Body):
    kind: TicketKind
    quantity: Count = 1
    ordered_on: date


class GroundArose(_Body):
    """A ground of ending the contract, by its number in the terms."""

    ground: Annotated[int, Field(ge=1, le=99)]
    arose_on: date


class CancellationRequest(_Body):
    """A customer's notice of cancellation; the amounts, in yen before tax, are the operator's."""

    requested_on: date
    desired_on: date
    option: Text | None = None
    cancellation_fee: Yen = 0
    actual_damage: Yen = 0
    loss_amount: Yen = 0


class ContentChange(_Body):
    """A change; `packs` is what is added, removed, or the whole new content, by kind."""

    kind: ChangeKind
    effective_on: date
    packs: dict[int, Count] = {}
    option: Text | None = None
    device: Text | None = None
    licensed: bool | None = None
    monthly_discount: Yen | None = None
    special_prices: dict[int, Yen] | None = None
    applied_on: date | None = None
    initial_fee: Yen | None = None
    monthly_fee: Yen | None = None


class BillingDay(_Body):
    start_day: Annotated[int, Field(ge=1, le=28)]
    from_on: date


class Suspend(_Body):
    from_on: date
    until_on: date | None = None
    ground: Text
    notified_on: date | None = None
    urgent_reason: Text | None = None


class Resume(_Body):
    resumed_on: date


class LineEnded(_Body):
    ended_on: date
    reason: LineEnd = "termination"


class LineConverted(_Body):
    converted_on: date


class TerminationRequest(_Body):
    requested_on: date
    desired_on: date


class EndQuery(_Body):
    """What a preview of an end is asked with; the amounts as in `CancellationRequest`.

    `requested_on` is today unless said, `confirmed_on` the day of the request.
    """

    on: date
    requested_on: date | None = None
    confirmed_on: date | None = None
    option: Text | None = None
    cancellation_fee: Yen = 0
    actual_damage: Yen = 0
    loss_amount: Yen = 0
    penalty_due_on: date | None = None


class TerminationConfirmation(_Body):
    confirmed_on: date


class CustomerTermination(_Body):
    """By the customer's form, received on `received_on` (default: the termination date).

    With a `ground` that the terms give the customer the contract ends with the receipt.
    """

    by: Literal["customer"]
    terminated_on: date
    received_on: date | None = None
    ground: Text | None = None
    penalty_due_on: date | None = None


class OperatorTermination(_Body):
    by: Literal["operator"]
    terminated_on: date
    ground: Text
    cure_by_on: date | None = None
    notified_on: date | None = None
    urgent_reason: Text | None = None
    penalty_due_on: date | None = None


class Abolition(_Body):
    """One contract ends by the end of its service, which was announced elsewhere: nobody is told."""

    by: Literal["abolition"]
    terminated_on: date


Termination = Annotated[
    CustomerTermination | OperatorTermination | Abolition, Field(discriminator="by")
]


class Correction(_Body):
    """New values for named fields of a fact, or null to withdraw it."""

    corrects: UUID
    values: Annotated[dict[str, Any], Field(min_length=1)] | None
    reason: Text


class DeadlineRun(_Body):
    """Run what is due until an instant, with an offset; only of these contracts when given."""

    until: AwareDatetime
    scope: list[UUID] | None = None


class ChangeDecline(_Body):
    """A change that was asked for and is refused, on a ground of the terms."""

    kind: ChangeKind
    applied_on: date
    declined_on: date
    ground: Text


class ServiceAbolition(_Body):
    """A service that ends, or one plan of it; `reason` is told to every customer.

    `urgent_reason` where the customers cannot be told as early as the terms ask.
    """

    abolished_on: date
    plan: Text | None = None
    reason: Words
    urgent_reason: Words | None = None
