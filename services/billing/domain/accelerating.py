"""All debts fall due at once: which of an account's claims had arisen when a ground arose."""

from datetime import date
from uuid import UUID

from libs.events.vocabulary.billing import AcceleratedDebt, AccountEvent, DebtsAccelerated
from services.billing.domain.account import Account, AccountState, Unopened
from services.billing.domain.claims import Claim, with_tax


def accelerate(
    state: AccountState, *, contract_id: UUID, arose_on: date, clause: str
) -> tuple[AccountEvent, ...]:
    """Let fall due what a contract owed on the day a ground arose, known of since or not.

    A monthly fee arises on the first day of its month, an initial fee with the acceptance, another
    charge and a demand on their own day. What arises later keeps its date, and so does what is due
    already or paid. It takes effect on the day of the ground, not of its recording.

    Clauses: RRNS-11.3.
    """
    if isinstance(state, Unopened):
        return ()
    debts = tuple(
        AcceleratedDebt(debt_id=claim.claim_id, amount=amount, due_on=claim.due_on)
        for claim in state.claims
        if contract_id in claim.contract_ids
        and _may_wait(state, claim, arose_on=arose_on)
        and (amount := _arisen(state, claim, contract_id=contract_id, by=arose_on)) > 0
    )
    if not debts:
        return ()
    return (
        DebtsAccelerated(
            account_id=state.account_id,
            contract_id=contract_id,
            accelerated_on=arose_on,
            clause=clause,
            debts=debts,
        ),
    )


def _may_wait(account: Account, claim: Claim, *, arose_on: date) -> bool:
    later = claim.due_on is None or claim.due_on > arose_on
    return later and not claim.interest and account.open_of(claim) > 0


def _arisen(account: Account, claim: Claim, *, contract_id: UUID, by: date) -> int:
    """How much of a claim had arisen by a day, in yen with tax."""
    document = next(
        (each for each in account.issued if each.document_id == claim.document_id), None
    )
    if document is None:
        return claim.total if claim.arises_on <= by else 0
    lines = [
        line
        for line in document.lines
        if line.contract_id == contract_id and (line.due_on or document.due_on) == claim.due_on
    ]
    arisen = [line for line in lines if line.from_on <= by]
    if len(arisen) == len(lines):
        return claim.total
    return min(claim.total, with_tax(arisen, tax=document.tax))
