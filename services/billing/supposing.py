"""What an end that is only thought of would cost: the fold and the run's own draft, nothing kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID, uuid5

from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.billing import (
    ContractBillingEvent,
    CreditNoteIssued,
    InvoiceIssued,
    PenaltyCharged,
)
from libs.events.vocabulary.contracts import (
    Cancellation,
    Content,
    ContentChanged,
    ContractTerminated,
    TerminationRequested,
)
from services.billing.domain.billing_month import billing_month_of
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.contract_facts import fold_record
from services.billing.domain.invoicing import draft_contract
from services.billing.domain.timeline import Fact, Timeline
from services.billing.ports import Billing
from services.billing.use_cases import UnknownContract, account_for, account_state, timeline_of

_SUPPOSED = UUID("8d0c0a52-3f5b-4c0b-9a51-6b7f5d1b2c33")
_LAST = 1 << 62
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedEnd:
    """An end by the customer, as contracts would decide it; sums are yen before tax.

    With `option` only that one ends. `fee`, `excess` and `loss` are what a cancellation by notice
    costs.
    """

    terminated_on: date
    requested_on: date
    option: str | None = None
    fee: int = 0
    excess: int = 0
    loss: int = 0
    penalty_due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDraft:
    """What would be issued up to the billing month of the end, and in that time without the end."""

    closing_on: date
    outcome: str
    documents: tuple[InvoiceIssued | CreditNoteIssued, ...]
    demands: tuple[PenaltyCharged, ...]
    total: int
    total_without: int


async def preview_end(
    billing: Billing, contract_id: UUID, *, end: SupposedEnd, at: datetime, order: Order
) -> EndDraft:
    """Draft what a run after the billing month of the end would issue; changes nothing.

    Bills of that time that were issued already are put right by adjustments or credit notes.
    `order` gives the day of issue, at the earliest the day after that month, and the due-date
    policy. Raises UnknownContract.

    Clauses: NSEC-14.4, NSEC-A3.N6a, WUTM-28.2, WSRV-28.2.0, NQMS-20.1b, RRNS-34.3.S3, RRNS-10.3.S2.
    """
    before = await timeline_of(billing, contract_id)
    facts = supposed_facts(end, contract_id=contract_id, customer_id=before.customer_id, at=at)
    after = await billing.timelines.supposing(contract_id, facts)
    if after is None:
        raise UnknownContract
    closing_on = billing_month_of(after, end.terminated_on).to_on
    order = replace(
        order, closing_on=closing_on, issued_on=max(order.issued_on, closing_on + _ONE_DAY)
    )
    outcome, ended = await _drafted(billing, contract_id, timeline=after, order=order)
    _, went_on = await _drafted(billing, contract_id, timeline=before, order=order)
    return EndDraft(
        closing_on=closing_on,
        outcome=outcome,
        documents=tuple(e for e in ended if isinstance(e, InvoiceIssued | CreditNoteIssued)),
        demands=tuple(e for e in ended if isinstance(e, PenaltyCharged)),
        total=sum(e.total for e in ended),
        total_without=sum(e.total for e in went_on),
    )


_Issued = InvoiceIssued | CreditNoteIssued | PenaltyCharged


async def _drafted(
    billing: Billing, contract_id: UUID, *, timeline: Timeline, order: Order
) -> tuple[str, tuple[_Issued, ...]]:
    account, _ = await account_state(billing, await account_for(billing, contract_id))
    stream = cast("Sequence[Recorded[ContractBillingEvent]]", await billing.log.load(contract_id))
    books = ContractBooks(
        contract_id=contract_id,
        timeline=timeline,
        terms=billing.terms.of(timeline.service),
        revisions=fold_record(stream).revisions,
    )
    draft = draft_contract(account, contract=books, order=order)
    return draft.outcome, tuple(e for e in draft.account_events if isinstance(e, _Issued))


def supposed_facts(
    end: SupposedEnd, *, contract_id: UUID, customer_id: UUID | None, at: datetime
) -> tuple[Fact, ...]:
    """The events that contracts would tell, as facts recorded last of all."""
    cancellation = Cancellation(
        ends_on=end.terminated_on,
        contract_end_on=end.terminated_on,
        clause="",
        option=end.option,
        fee=end.fee,
        excess=end.excess,
        loss=end.loss,
    )
    requested = TerminationRequested(
        contract_id=contract_id,
        requested_on=end.requested_on,
        desired_on=end.terminated_on,
        cancellation=cancellation,
    )
    over: Event
    if end.option is None:
        over = ContractTerminated(
            contract_id=contract_id,
            customer_id=customer_id or contract_id,
            terminated_on=end.terminated_on,
            by="customer",
            cause="customer",
            clause="",
            penalty_due_on=end.penalty_due_on,
        )
    else:
        over = ContentChanged(
            contract_id=contract_id,
            effective_on=end.terminated_on,
            kind="option-removed",
            before=Content(),
            after=Content(),
            option=end.option,
        )
    return tuple(
        Fact(
            effective_on=on,
            recorded_at=at,
            context="contracts",
            position=_LAST + number,
            event_id=uuid5(_SUPPOSED, f"{contract_id} {number}"),
            event=event,
        )
        for number, (on, event) in enumerate(
            ((end.requested_on, requested), (end.terminated_on, over))
        )
    )
