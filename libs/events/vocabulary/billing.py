"""Every event of the billing context: streams of an account, of a contract, and of a run.

All amounts are whole yen, before tax unless a field says total or tax. A billing month is named
`YYYY-MM` after its first day, or by its full first day where two begin in one calendar month.
"""

from datetime import date
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import PaymentMethod


class ChargeLine(BaseModel):
    """One line of an assessment or an invoice.

    `key` is the same in every revision (code and first day, or the source event); `quantity`
    counts units; `days` the days it was computed from, None where nothing is counted in days.
    `arithmetic` shows the numbers; `events` are the facts it rests on; `tax_rate` is in percent,
    0 where no tax is added. `adjusts` names the month whose earlier bill the line puts right.
    `contract_id` and `month` say whose charge it is and for which billing month, on an invoice.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    code: str
    clauses: tuple[str, ...]
    quantity: int
    days: int | None
    amount: int
    tax_rate: int
    from_on: date
    to_on: date
    arithmetic: str
    events: tuple[UUID, ...] = ()
    adjusts: str | None = None
    due_on: date | None = None
    contract_id: UUID | None = None
    month: str | None = None


class TaxSum(BaseModel):
    """The tax of one rate on one document: `tax` = floor(`base` x `rate` / 100)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rate: int
    base: int
    tax: int


class InterestEntry(BaseModel):
    """Late interest on one paid part of a debt; `month` is `penalty` for a demand by itself.

    `days` counts as the terms count them; `rate_permille` is 1/1000 a year. `charged` is False
    where the terms leave it out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    debt_id: UUID
    month: str
    due_on: date
    paid_on: date
    amount: int
    days: int
    rate_permille: int
    interest: int
    charged: bool
    clauses: tuple[str, ...]


class AppliedPart(BaseModel):
    """A part of a payment that settles (a part of) a debt (an invoice or a penalty)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    debt_id: UUID
    amount: int


class DemandMet(BaseModel):
    """A demand of a contract that is paid in full, and the events on which it rests."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    contract_id: UUID
    events: tuple[UUID, ...]


class ForeignPosition(BaseModel):
    """Up to which sequence of a partition of another context a computation had read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    context: str
    partition: int
    sequence: int


class AccountOpened(Event):
    """An arrangement to pay exists for a customer's contracts.

    `payment_method` is None where the customer's own details say it.
    """

    effective: ClassVar[str | None] = "opened_on"

    type: Literal["billing.account-opened.v1"] = "billing.account-opened.v1"
    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    payment_method: PaymentMethod | None = None
    opened_on: date


class AccountArranged(Event):
    """The arrangement as a whole from `arranged_on` on.

    `claims_assigned` is True for all claims, or the billing months whose claims are assigned to
    the billing agent.
    """

    effective: ClassVar[str | None] = "arranged_on"

    type: Literal["billing.account-arranged.v1"] = "billing.account-arranged.v1"
    account_id: UUID
    arranged_on: date
    payment_method: PaymentMethod
    consolidated_claim: bool = False
    issue_fee_exempt: bool = False
    claims_assigned: bool | tuple[str, ...] = False
    wants_qualified_invoice: bool = False
    qualified_invoice_postage: int = 0


class DueDateAgreed(Event):
    """The invoice of a billing month of a contract falls due on `due_on`."""

    type: Literal["billing.due-date-agreed.v1"] = "billing.due-date-agreed.v1"
    account_id: UUID
    contract_id: UUID
    month: str
    due_on: date


class MonthsLumped(Event):
    """Two or more billing months are put on one bill with the due date `due_on`."""

    effective: ClassVar[str | None] = "decided_on"

    type: Literal["billing.months-lumped.v1"] = "billing.months-lumped.v1"
    account_id: UUID
    contract_id: UUID
    decided_on: date
    months: tuple[str, ...]
    due_on: date


class InvoiceIssued(Event):
    """A document was issued; `total` = `subtotal` + taxes, late interest is a section beside it.

    `payable` adds the interest charged. `hash` covers the document and `previous_hash`. Of lines that
    a ground let fall due `agreed_due_on` says, by their keys, when they would be without it.
    """

    effective: ClassVar[str | None] = "issued_on"

    type: Literal["billing.invoice-issued.v1"] = "billing.invoice-issued.v1"
    invoice_id: UUID
    number: int
    run_id: UUID
    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    service: str
    month: str
    from_on: date
    to_on: date
    lines: tuple[ChargeLine, ...]
    subtotal: int
    tax: tuple[TaxSum, ...]
    total: int
    interest: tuple[InterestEntry, ...] = ()
    payable: int
    issued_on: date
    due_on: date | None
    refers_to: UUID | None = None
    previous_hash: str
    hash: str
    agreed_due_on: dict[str, date] = Field(default_factory=dict)


class CreditNoteIssued(Event):
    """A document that lowers an earlier one when no next invoice will come; amounts negative."""

    effective: ClassVar[str | None] = "issued_on"

    type: Literal["billing.credit-note-issued.v1"] = "billing.credit-note-issued.v1"
    credit_note_id: UUID
    number: int
    run_id: UUID
    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    service: str
    month: str
    from_on: date
    to_on: date
    lines: tuple[ChargeLine, ...]
    subtotal: int
    tax: tuple[TaxSum, ...]
    total: int
    issued_on: date
    refers_to: UUID
    previous_hash: str
    hash: str


class PenaltyCharged(Event):
    """An amount demanded by itself, beside the invoices, with its own tax.

    `bears_interest` says whether being late with it costs late interest. `agreed_due_on` is when it
    would be due without the ground that let it fall due on `due_on`.
    """

    effective: ClassVar[str | None] = "charged_on"

    type: Literal["billing.penalty-charged.v1"] = "billing.penalty-charged.v1"
    penalty_id: UUID
    account_id: UUID
    contract_id: UUID
    key: str
    code: str
    clauses: tuple[str, ...]
    quantity: int
    amount: int
    tax_rate: int
    tax: int
    total: int
    arithmetic: str
    events: tuple[UUID, ...]
    charged_on: date
    due_on: date | None
    bears_interest: bool = True
    agreed_due_on: date | None = None


class PaymentReceived(Event):
    """Money came in. `names` is the billing month it names, `penalty`, or None.

    `settled_on` is the day it counts from where that is later (a cheque); `applied` says which
    debts it settled, `demands_met` which demands are paid in full by it, `unapplied` is what is
    left over in yen.
    """

    effective: ClassVar[str | None] = "received_on"

    type: Literal["billing.payment-received.v1"] = "billing.payment-received.v1"
    payment_id: UUID
    account_id: UUID
    amount: int
    received_on: date
    settled_on: date
    names: str | None
    applied: tuple[AppliedPart, ...]
    unapplied: int
    demands_met: tuple[DemandMet, ...] = ()


class PaymentReversed(Event):
    """A payment did not hold (returned debit, bounced cheque); its debts are open again."""

    effective: ClassVar[str | None] = "reversed_on"

    type: Literal["billing.payment-reversed.v1"] = "billing.payment-reversed.v1"
    payment_id: UUID
    account_id: UUID
    reversed_on: date
    reason: str


class LateInterestCharged(Event):
    """Interest on paid parts of a debt, owed beside it.

    `instead_of` are entries that no document shows yet and that these take the place of: what was
    paid had fallen due on another day than was known.
    """

    effective: ClassVar[str | None] = "charged_on"

    type: Literal["billing.late-interest-charged.v1"] = "billing.late-interest-charged.v1"
    account_id: UUID
    payment_id: UUID
    charged_on: date
    entries: tuple[InterestEntry, ...]
    instead_of: tuple[InterestEntry, ...] = ()


class PaymentLate(Event):
    """A debt is open after its due date: `days_late` counts from the day after it."""

    effective: ClassVar[str | None] = "noticed_on"

    type: Literal["billing.payment-late.v1"] = "billing.payment-late.v1"
    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    invoice_id: UUID
    open_amount: int
    due_on: date
    noticed_on: date
    days_late: int


class ArrearsSettled(Event):
    """A late debt is fully paid."""

    effective: ClassVar[str | None] = "settled_on"

    type: Literal["billing.arrears-settled.v1"] = "billing.arrears-settled.v1"
    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    invoice_id: UUID
    settled_on: date


class AcceleratedDebt(BaseModel):
    """So much of a debt, in yen with tax, as had arisen; it was due on `due_on` before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    debt_id: UUID
    amount: int
    due_on: date | None


class DebtsAccelerated(Event):
    """All that a contract owed on a day fell due on it, by a ground of its terms.

    `because_of` is the event by which the ground was recorded. There may be no such debt (yet).
    """

    effective: ClassVar[str | None] = "accelerated_on"

    type: Literal["billing.debts-accelerated.v1"] = "billing.debts-accelerated.v1"
    account_id: UUID
    contract_id: UUID
    accelerated_on: date
    clause: str
    debts: tuple[AcceleratedDebt, ...]
    because_of: UUID | None = None


class AccelerationWithdrawn(Event):
    """What had fallen due by a ground is due again when it was, for the ground was put right.

    Those that rest on other grounds are said anew after it.
    """

    effective: ClassVar[str | None] = "accelerated_on"

    type: Literal["billing.acceleration-withdrawn.v1"] = "billing.acceleration-withdrawn.v1"
    account_id: UUID
    contract_id: UUID
    accelerated_on: date
    debts: tuple[AcceleratedDebt, ...]
    because_of: UUID


class ChargesAssessed(Event):
    """What a contract owes for a billing month, as computed in a revision."""

    effective: ClassVar[str | None] = "to_on"

    type: Literal["billing.charges-assessed.v1"] = "billing.charges-assessed.v1"
    contract_id: UUID
    month: str
    from_on: date
    to_on: date
    revision: int
    terms_versions: tuple[str, ...]
    lines: tuple[ChargeLine, ...]
    positions: tuple[ForeignPosition, ...] = ()


class ReliefGranted(Event):
    """Disaster relief: exactly one of full, percent, amount (before tax), or days from..to.

    Both days of a range are included; the others are for the billing month of `granted_on`.
    """

    effective: ClassVar[str | None] = "granted_on"

    type: Literal["billing.relief-granted.v1"] = "billing.relief-granted.v1"
    contract_id: UUID
    granted_on: date
    full: bool = False
    percent: int | None = None
    amount: int | None = None
    from_on: date | None = None
    to_on: date | None = None
    reason: str = ""


class EvasionFound(Event):
    """A charge was unlawfully evaded; `evaded` before tax, taxed at the rate of `original_on`."""

    effective: ClassVar[str | None] = "found_on"

    type: Literal["billing.evasion-found.v1"] = "billing.evasion-found.v1"
    contract_id: UUID
    found_on: date
    evaded: int
    original_on: date
    due_on: date | None


class UnderbillingFound(Event):
    """The bill of the month of `original_on` was too low; both amounts before tax, as stated."""

    effective: ClassVar[str | None] = "found_on"

    type: Literal["billing.underbilling-found.v1"] = "billing.underbilling-found.v1"
    contract_id: UUID
    found_on: date
    original_on: date
    billed: int
    correct: int
    due_on: date | None
    waived: bool = False


class CertificateIssued(Event):
    """A payment certificate was issued; `postage` and `other_costs` in yen as spent."""

    effective: ClassVar[str | None] = "issued_on"

    type: Literal["billing.certificate-issued.v1"] = "billing.certificate-issued.v1"
    contract_id: UUID
    requested_on: date
    issued_on: date
    month: str | None
    copies: int
    postage: int = 0
    other_costs: int = 0


class QualifiedInvoiceIssued(Event):
    """A qualified invoice (適格請求書) was issued on request; costs in yen as spent."""

    effective: ClassVar[str | None] = "issued_on"

    type: Literal["billing.qualified-invoice-issued.v1"] = "billing.qualified-invoice-issued.v1"
    contract_id: UUID
    requested_on: date
    issued_on: date
    copies: int
    postage: int = 0
    other_costs: int = 0


class InvoiceReissued(Event):
    """An invoice was issued again, at the customer's wish or for the company's mistake."""

    effective: ClassVar[str | None] = "reissued_on"

    type: Literal["billing.invoice-reissued.v1"] = "billing.invoice-reissued.v1"
    contract_id: UUID
    reissued_on: date
    reason: Literal["customer", "company"]


class ActualCostRecorded(Event):
    """A cost that the terms oblige the customer to pay without naming its amount; yen."""

    effective: ClassVar[str | None] = "recorded_on"

    type: Literal["billing.actual-cost-recorded.v1"] = "billing.actual-cost-recorded.v1"
    contract_id: UUID
    recorded_on: date
    kind: Literal[
        "repair",
        "damages",
        "disclosure",
        "attendance",
        "work",
        "delivery",
        "move_repair",
        "defect_repair",
    ]
    amount: int
    due_on: date | None


class BillingFactCorrected(Event):
    """A recorded fact is put right: new values for named fields, or None for withdrawn."""

    type: Literal["billing.fact-corrected.v1"] = "billing.fact-corrected.v1"
    contract_id: UUID
    corrects: UUID
    values: dict[str, Any] | None
    reason: str


class LateInterestWaived(Event):
    """Pending interest is left out: its contract ended and no other charge will come."""

    effective: ClassVar[str | None] = "waived_on"

    type: Literal["billing.late-interest-waived.v1"] = "billing.late-interest-waived.v1"
    account_id: UUID
    waived_on: date
    entries: tuple[InterestEntry, ...]


class SurplusApplied(Event):
    """Money left over from earlier payments settles debts that arose later.

    `unapplied` is what is still left over, in yen.
    """

    effective: ClassVar[str | None] = "applied_on"

    type: Literal["billing.surplus-applied.v1"] = "billing.surplus-applied.v1"
    account_id: UUID
    applied_on: date
    applied: tuple[AppliedPart, ...]
    unapplied: int


class DocumentsIssued(Event):
    """One batch of a run's documents: their numbers, both included, and the chain of hashes.

    The stream of the issuer holds only these, so its expected version settles who numbers next.
    `previous_hash` is the hash of the document before `first_number`; `hash` that of the last one.
    A batch of demands alone has no numbers: `last_number` is one below `first_number`. `total` sums
    invoices and credit notes, in yen with tax.
    """

    type: Literal["billing.documents-issued.v1"] = "billing.documents-issued.v1"
    run_id: UUID
    batch: int
    first_number: int
    last_number: int
    previous_hash: str
    hash: str
    invoices: int = 0
    credit_notes: int = 0
    total: int = 0


class InvoiceRunStarted(Event):
    """A run bills every billing month that ended on or before `closing_on`, that day included.

    It rests on what was recorded before the end of `known_on`, Japan time, or on all that was known
    when it was drafted; an empty scope means all accounts.
    """

    effective: ClassVar[str | None] = "issued_on"

    type: Literal["billing.invoice-run-started.v1"] = "billing.invoice-run-started.v1"
    run_id: UUID
    closing_on: date
    known_on: date | None
    issued_on: date
    due_policy: str
    scope: tuple[UUID, ...]
    positions: tuple[ForeignPosition, ...]


class InvoiceRunFinished(Event):
    """Every contract in scope has an outcome; `failures` says in words what could not be billed.

    `positions` says up to where other contexts' topics had been read when it was drafted.
    """

    effective: ClassVar[str | None] = "finished_on"

    type: Literal["billing.invoice-run-finished.v1"] = "billing.invoice-run-finished.v1"
    run_id: UUID
    finished_on: date
    invoices: int
    credit_notes: int
    contracts: int
    total: int
    failures: dict[str, str]
    last_hash: str
    positions: tuple[ForeignPosition, ...] = ()


AccountEvent = (
    AccountOpened
    | AccountArranged
    | DueDateAgreed
    | MonthsLumped
    | InvoiceIssued
    | CreditNoteIssued
    | PenaltyCharged
    | PaymentReceived
    | PaymentReversed
    | LateInterestCharged
    | LateInterestWaived
    | SurplusApplied
    | PaymentLate
    | ArrearsSettled
    | DebtsAccelerated
    | AccelerationWithdrawn
)

ContractBillingEvent = (
    ChargesAssessed
    | ReliefGranted
    | EvasionFound
    | UnderbillingFound
    | CertificateIssued
    | QualifiedInvoiceIssued
    | InvoiceReissued
    | ActualCostRecorded
    | BillingFactCorrected
)

RunEvent = InvoiceRunStarted | InvoiceRunFinished

IssuerEvent = DocumentsIssued
