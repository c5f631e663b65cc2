"""What is agreed about an account: how it pays, due dates, months put together on one bill."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from libs.events.vocabulary.billing import (
    AccountArranged,
    AccountEvent,
    DueDateAgreed,
    MonthsLumped,
)
from libs.refusal.refusal import NotFound, Refusal
from services.billing.domain.account import Account, AccountState, opened
from services.billing.domain.terms import BillingTerms

_ONE_MONTH = 1


class AlreadyBilled(Refusal):
    """The billing month was billed: what concerns its bill can no longer be agreed."""

    code = "month-already-billed"
    title = "This billing month was billed already"


class NotALump(Refusal):
    """One month by itself is no lump-sum bill.

    Clauses: WUTM-31, WSRV-31 (two months or more).
    """

    code = "not-a-lump"
    title = "A lump-sum bill puts two or more billing months together"


def arrange(state: AccountState, *, wished: AccountArranged) -> tuple[AccountEvent, ...]:
    """Put the whole arrangement as wished; the same again changes nothing.

    Clauses: WUTM-34.1 (which claims are assigned to the billing agent).
    """
    account = opened(state)
    present = account.arrangement
    if (
        present is not None
        and present.model_copy(update={"arranged_on": wished.arranged_on}) == wished
    ):
        return ()
    return (wished,)


def agree_due_date(
    state: AccountState, *, contract_id: UUID, month: str, due_on: date
) -> tuple[AccountEvent, ...]:
    """Agree when the invoice of a billing month falls due, as long as it is not billed."""
    account = opened(state)
    _concerns(account, contract_id)
    if account.due_dates.get((contract_id, month)) == due_on:
        return ()
    if month in account.bills_of(contract_id):
        raise AlreadyBilled(f"{month} was billed; its due date stands", field="/due_on")
    return (
        DueDateAgreed(
            account_id=account.account_id, contract_id=contract_id, month=month, due_on=due_on
        ),
    )


def lump_months(
    state: AccountState,
    *,
    contract_id: UUID,
    months: Sequence[str],
    due_on: date,
    decided_on: date,
    terms: BillingTerms,
) -> tuple[AccountEvent, ...]:
    """Put billing months on one bill with one due date, as long as none of them is billed.

    Where the terms know no such bill nothing changes.

    Clauses: WUTM-31, WSRV-31 (two months or more, one date).
    """
    account = opened(state)
    _concerns(account, contract_id)
    clauses = terms.at(max(decided_on, terms.first_on)).lump_bills
    if clauses is None:
        return ()
    wished = tuple(sorted(set(months)))
    if len(wished) <= _ONE_MONTH:
        raise NotALump(clause=clauses[0], field="/months")
    for month in wished:
        if month in account.bills_of(contract_id):
            raise AlreadyBilled(f"{month} was billed by itself", clause=clauses[0], field="/months")
        if any(lump.contract_id == contract_id and month in lump.months for lump in account.lumps):
            raise AlreadyBilled(
                f"{month} stands on another lump-sum bill", clause=clauses[0], field="/months"
            )
    return (
        MonthsLumped(
            account_id=account.account_id,
            contract_id=contract_id,
            decided_on=decided_on,
            months=wished,
            due_on=due_on,
        ),
    )


def _concerns(account: Account, contract_id: UUID) -> None:
    if contract_id not in account.contract_ids:
        raise NotFound("the account does not pay for this contract", field="/contract_id")
