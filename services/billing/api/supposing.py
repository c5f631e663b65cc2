"""What an end that is only thought of would cost."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued, PenaltyCharged
from libs.web.problems import refusals
from services.billing import use_cases
from services.billing.api.parts import Asker, Body, Seen, Working, today
from services.billing.domain.books import NoRules, Order
from services.billing.supposing import SupposedEnd, preview_end
from services.billing.use_cases import UnknownContract

router = APIRouter(prefix="/contracts/{contract_id}", tags=["contracts"])
_NO_RUN = UUID(int=0)


class EndQuery(Body):
    """An end by the customer as contracts previewed it, in yen before tax.

    `requested_on` is today unless said; `issued_on` the day after the last billing month.
    """

    terminated_on: date
    requested_on: date | None = None
    option: str | None = Field(default=None, max_length=500)
    fee: int = Field(default=0, ge=0)
    excess: int = Field(default=0, ge=0)
    loss: int = Field(default=0, ge=0)
    penalty_due_on: date | None = None
    issued_on: date | None = None
    due_policy: str | None = Field(default=None, max_length=100)


class EndPreviewAnswer(BaseModel):
    """All that is still to be issued up to the billing month of the end, if it came to it.

    Documents have no number and no hash. `total` is with tax, demands included; `total_without` is
    what would be issued in the same time if the contract went on. Each line and demand says its
    clauses and its arithmetic.
    """

    contract_id: UUID
    terminated_on: date
    closing_on: date
    outcome: str
    documents: list[InvoiceIssued | CreditNoteIssued]
    demands: list[PenaltyCharged]
    total: int
    total_without: int


@router.get("/end-preview", responses=refusals(UnknownContract, NoRules))
async def show_end_preview(
    contract_id: UUID,
    query: Annotated[EndQuery, Query()],
    working: Working,
    asker: Asker,
    _seen: Seen,
) -> EndPreviewAnswer:
    """What an end on a day would cost, by the functions of a run; changes nothing.

    Whether that day can be had is for contracts to say, whose answer holds the path to this.
    """
    timeline = await use_cases.timeline_of(working.billing, contract_id)
    asker.only_own(timeline.customer_id)
    draft = await preview_end(
        working.billing,
        contract_id,
        end=SupposedEnd(
            terminated_on=query.terminated_on,
            requested_on=query.requested_on or today(working),
            option=query.option,
            fee=query.fee,
            excess=query.excess,
            loss=query.loss,
            penalty_due_on=query.penalty_due_on,
        ),
        at=working.clock.now(),
        order=Order(
            run_id=_NO_RUN,
            closing_on=query.terminated_on,
            issued_on=query.issued_on or query.terminated_on + timedelta(days=1),
            due_policy=query.due_policy or working.due_policy,
        ),
    )
    return EndPreviewAnswer(
        contract_id=contract_id,
        terminated_on=query.terminated_on,
        closing_on=draft.closing_on,
        outcome=draft.outcome,
        documents=list(draft.documents),
        demands=list(draft.demands),
        total=draft.total,
        total_without=draft.total_without,
    )
