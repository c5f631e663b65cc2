"""Billing accounts over HTTP: arrangement, due dates, lump-sum bills, payments, what is open."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field
from uuid_utils.compat import uuid7

from libs.events.vocabulary.billing import InterestEntry, PenaltyCharged
from libs.events.vocabulary.contracts import PaymentMethod
from libs.refusal.refusal import NotFound, Stale
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write, etag
from services.billing import use_cases
from services.billing.api.parts import (
    MONTH,
    Asker,
    Body,
    Command,
    Parts,
    Recorded,
    Seen,
    Working,
    changing,
    creating,
    today,
)
from services.billing.domain.account import Account
from services.billing.domain.arrangement import AlreadyBilled, NotALump
from services.billing.domain.books import ContractBooks
from services.billing.domain.explanation import InterestExplained, explain_interest
from services.billing.domain.interest_shown import interest_outcomes
from services.billing.domain.payments import NothingOpen, PaymentUnknown
from services.billing.views.accounts import account_of_payment, accounts_of_customer

router = APIRouter(tags=["accounts"])


class ArrangementBody(Body):
    """How the customer pays, as a whole, from `arranged_on` (today in Japan unless said) on.

    `claims_assigned` is true for all claims, or names the billing months whose claims are assigned.
    """

    payment_method: PaymentMethod
    arranged_on: date | None = None
    consolidated_claim: bool = False
    issue_fee_exempt: bool = False
    claims_assigned: bool | list[str] = False
    wants_qualified_invoice: bool = False
    qualified_invoice_postage: int = Field(default=0, ge=0)


class DueDateBody(Body):
    """The due date of a billing month's invoice; of the account's only contract unless said."""

    due_on: date
    contract_id: UUID | None = None


class LumpBody(Body):
    """Two or more billing months on one bill with the due date `due_on`."""

    months: list[Annotated[str, Field(pattern=MONTH)]] = Field(min_length=1, max_length=120)
    due_on: date
    decided_on: date | None = None
    contract_id: UUID | None = None


class PaymentBody(Body):
    """Money in yen; without `amount` all that is open of what it `names`.

    `names` is a billing month or `penalty`. `settled_on` is the day it counts from where that is
    later than the day it was received (a cheque).
    """

    payment_id: UUID | None = None
    amount: int | None = Field(default=None, gt=0)
    received_on: date
    settled_on: date | None = None
    names: str | None = Field(default=None, pattern=rf"{MONTH}|^penalty$")


class ReversalBody(Body):
    """A payment did not hold."""

    reversed_on: date
    reason: str = Field(min_length=1, max_length=1000)


class ArrangementAnswer(BaseModel):
    """The arrangement that was made for the account itself."""

    payment_method: PaymentMethod
    arranged_on: date
    consolidated_claim: bool
    issue_fee_exempt: bool
    claims_assigned: bool | tuple[str, ...]
    wants_qualified_invoice: bool
    qualified_invoice_postage: int


class ClaimAnswer(BaseModel):
    """Something owed; `open` is what is not yet paid of `total`, in yen with tax."""

    claim_id: UUID
    document_id: UUID
    month: str
    months: tuple[str, ...]
    due_on: date | None
    total: int
    open: int
    late: bool
    interest: bool


class PaymentAnswer(BaseModel):
    """A payment as it was received."""

    payment_id: UUID
    amount: int
    received_on: date
    settled_on: date
    names: str | None
    unapplied: int
    reversed: bool


class AccountAnswer(BaseModel):
    """An account: what is open, what was paid, what was demanded, what being late costs.

    `arrangement` is null while the customer's own details say how they pay. `pending_interest` is
    owed but shown on no document yet.
    """

    account_id: UUID
    customer_id: UUID
    contract_ids: tuple[UUID, ...]
    opened_on: date
    arrangement: ArrangementAnswer | None
    due_dates: dict[str, date]
    open: int
    unapplied: int
    claims: list[ClaimAnswer]
    payments: list[PaymentAnswer]
    demands: tuple[PenaltyCharged, ...]
    interest: list[InterestEntry]
    pending_interest: int


class AccountRow(BaseModel):
    """An account in a list."""

    account_id: UUID


@router.get("/accounts/{account_id}", responses=refusals(NotFound))
async def show_account(
    account_id: UUID, working: Working, asker: Asker, response: Response
) -> AccountAnswer:
    """The account as it stands in the log at this moment; its `ETag` is what `If-Match` takes."""
    account, version = await use_cases.account_state(working.billing, account_id)
    asker.only_own(account.customer_id)
    response.headers["ETag"] = etag(version)
    return AccountAnswer(
        account_id=account.account_id,
        customer_id=account.customer_id,
        contract_ids=account.contract_ids,
        opened_on=account.opened_on,
        arrangement=None
        if account.arrangement is None
        else ArrangementAnswer.model_validate(account.arrangement, from_attributes=True),
        due_dates={month: due_on for (_, month), due_on in sorted(account.due_dates.items())},
        open=sum(account.open_of(claim) for claim in account.claims),
        unapplied=account.unapplied,
        claims=_claims(account),
        payments=_payments(account),
        demands=account.demands,
        interest=await _interest(working, account),
        pending_interest=sum(entry.interest for entry in account.pending),
    )


def _claims(account: Account) -> list[ClaimAnswer]:
    return [
        ClaimAnswer(
            claim_id=claim.claim_id,
            document_id=claim.document_id,
            month=claim.month,
            months=claim.months,
            due_on=claim.due_on,
            total=claim.total,
            open=account.open_of(claim),
            late=claim.claim_id in account.noticed,
            interest=claim.interest,
        )
        for claim in account.claims
    ]


def _payments(account: Account) -> list[PaymentAnswer]:
    return [
        PaymentAnswer(
            payment_id=payment.payment_id,
            amount=payment.amount,
            received_on=payment.received_on,
            settled_on=payment.settled_on,
            names=payment.names,
            unapplied=payment.unapplied,
            reversed=payment.payment_id in account.reversed,
        )
        for payment in account.payments.values()
    ]


async def _interest(working: Parts, account: Account) -> list[InterestEntry]:
    if not account.interest:
        return []
    billing = working.billing
    timelines = await billing.timelines.of(account.contract_ids)
    return [
        entry
        for contract_id, timeline in timelines.items()
        for entry in interest_outcomes(
            account,
            contract=ContractBooks(
                contract_id=contract_id,
                timeline=timeline,
                terms=billing.terms.of(timeline.service),
            ),
        )
    ]


@router.get("/accounts/{account_id}/interest", responses=refusals(NotFound))
async def show_interest(
    account_id: UUID, working: Working, asker: Asker
) -> list[InterestExplained]:
    """All late interest of the account, on a document or still pending, with its arithmetic."""
    account, _ = await use_cases.account_state(working.billing, account_id)
    asker.only_own(account.customer_id)
    clauses = working.clauses()
    return [explain_interest(entry, clauses=clauses) for _, entry in account.interest]


@router.get("/accounts")
async def accounts(
    *,
    working: Working,
    asker: Asker,
    _seen: Seen,
    page: Annotated[Paging, Depends(paging)],
    request: Request,
    response: Response,
    customer_id: Annotated[UUID, Query()],
) -> Page[AccountRow]:
    """The accounts of a customer."""
    asker.only_own(customer_id)
    found = await accounts_of_customer(
        working.pool, customer_id, after=_place(page.after), limit=page.limit + 1
    )
    rows = [AccountRow(account_id=account_id) for account_id in found]
    return page_of(rows, page, key=lambda row: [row.account_id], request=request, response=response)


def _place(after: list[object] | None) -> UUID | None:
    if after is None:
        return None
    try:
        return UUID(str(after[0]))
    except (IndexError, ValueError) as error:
        raise BadCursor from error


@router.put(
    "/accounts/{account_id}/arrangement",
    response_model=Recorded,
    responses=refusals(NotFound, Stale),
)
async def arrange(
    account_id: UUID,
    body: ArrangementBody,
    working: Working,
    wish: Annotated[Write, changing("arrange")],
) -> Response:
    """Put the arrangement as a whole."""
    command = Command(wish=wish, stream_id=account_id)
    claims = body.claims_assigned
    appended = await use_cases.arrange(
        working.billing,
        account_id,
        payment_method=body.payment_method,
        arranged_on=body.arranged_on or today(working, wish),
        consolidated_claim=body.consolidated_claim,
        issue_fee_exempt=body.issue_fee_exempt,
        claims_assigned=claims if isinstance(claims, bool) else tuple(claims),
        wants_qualified_invoice=body.wants_qualified_invoice,
        qualified_invoice_postage=body.qualified_invoice_postage,
        write=command.write,
    )
    return command.answer(appended)


@router.put(
    "/accounts/{account_id}/due-dates/{month}",
    response_model=Recorded,
    responses=refusals(NotFound, Stale, AlreadyBilled),
)
async def agree_due_date(
    account_id: UUID,
    month: Annotated[str, Path(pattern=MONTH)],
    body: DueDateBody,
    working: Working,
    wish: Annotated[Write, changing("agree-due-date")],
) -> Response:
    """Agree the due date of a month's invoice that is still to come."""
    command = Command(wish=wish, stream_id=account_id)
    appended = await use_cases.agree_due_date(
        working.billing,
        account_id,
        contract_id=await _contract(working, account_id, named=body.contract_id),
        month=month,
        due_on=body.due_on,
        write=command.write,
    )
    return command.answer(appended)


@router.post(
    "/accounts/{account_id}/lump-bills",
    status_code=201,
    response_model=Recorded,
    responses=refusals(NotFound, AlreadyBilled, NotALump),
)
async def lump_months(
    account_id: UUID,
    body: LumpBody,
    working: Working,
    wish: Annotated[Write, creating("lump-months")],
) -> Response:
    """Put two or more billing months on one bill."""
    command = Command(wish=wish, stream_id=account_id, status=201)
    appended = await use_cases.lump_months(
        working.billing,
        account_id,
        contract_id=await _contract(working, account_id, named=body.contract_id),
        months=body.months,
        due_on=body.due_on,
        decided_on=body.decided_on or today(working, wish),
        write=command.write,
    )
    return command.answer(appended)


async def _contract(working: Parts, account_id: UUID, *, named: UUID | None) -> UUID:
    if named is not None:
        return named
    account, _ = await use_cases.account_state(working.billing, account_id)
    if len(account.contract_ids) != 1:
        raise NotFound("the account pays for several contracts: name one", field="/contract_id")
    return account.contract_ids[0]


@router.post(
    "/accounts/{account_id}/payments",
    status_code=201,
    response_model=Recorded,
    responses=refusals(NotFound, NothingOpen),
)
async def receive_payment(
    account_id: UUID,
    body: PaymentBody,
    working: Working,
    wish: Annotated[Write, creating("receive-payment")],
) -> Response:
    """Money came in."""
    payment_id = body.payment_id or uuid7()
    command = Command(wish=wish, stream_id=account_id, status=201, named=payment_id)
    appended = await use_cases.receive_payment(
        working.billing,
        account_id,
        payment_id=payment_id,
        amount=body.amount,
        received_on=body.received_on,
        settled_on=body.settled_on,
        names=body.names,
        write=command.write,
    )
    return command.answer(appended)


@router.post(
    "/payments/{payment_id}/reversal",
    status_code=201,
    response_model=Recorded,
    responses=refusals(PaymentUnknown),
)
async def reverse_payment(
    payment_id: UUID,
    body: ReversalBody,
    working: Working,
    wish: Annotated[Write, creating("reverse-payment")],
    _seen: Seen,
) -> Response:
    """A payment did not hold: what it settled is open again."""
    account_id = await account_of_payment(working.pool, payment_id)
    if account_id is None:
        raise PaymentUnknown
    command = Command(wish=wish, stream_id=account_id, status=201, named=payment_id)
    appended = await use_cases.reverse_payment(
        working.billing,
        account_id,
        payment_id=payment_id,
        reversed_on=body.reversed_on,
        reason=body.reason,
        write=command.write,
    )
    return command.answer(appended)
