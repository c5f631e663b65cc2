"""All debts fall due at once: which of an account's claims had arisen when a ground arose."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from pydantic import TypeAdapter

from libs.events.vocabulary.billing import (
    AcceleratedDebt,
    AccelerationWithdrawn,
    AccountEvent,
    ArrearsSettled,
    DebtsAccelerated,
)
from services.billing.domain.account import Account, AccountState, Unopened, evolve, opened
from services.billing.domain.claims import Claim, lines_due, with_tax
from services.billing.domain.timeline import Moment, Timeline

_DAY = TypeAdapter(date)
"""A day in any of the ways that the events take one: what is corrected is recorded as it was said."""


def accelerate(
    state: AccountState,
    *,
    contract_id: UUID,
    arose_on: date,
    clause: str,
    because_of: UUID,
) -> tuple[AccountEvent, ...]:
    """Let fall due what a contract owed on the day a ground arose, known of since or not.

    A monthly fee arises on the first day of its month, an initial fee with the acceptance, another
    charge and a demand on their own day. What arises later keeps its date, and so does what was due
    already or paid by then; what was paid since had fallen due. It takes effect on the day of the
    ground, not of its recording, and stands on the account even where nothing is owed.

    Clauses: RRNS-11.3.
    """
    if isinstance(state, Unopened):
        return ()
    if any(known.because_of == because_of for known in state.accelerations):
        return ()
    debts = tuple(
        AcceleratedDebt(debt_id=claim.claim_id, amount=amount, due_on=claim.due_on)
        for claim in state.claims
        if contract_id in claim.contract_ids
        and _may_wait(state, claim, arose_on=arose_on)
        and (amount := _arisen(state, claim, contract_id=contract_id, by=arose_on)) > 0
    )
    return (
        DebtsAccelerated(
            account_id=state.account_id,
            contract_id=contract_id,
            accelerated_on=arose_on,
            clause=clause,
            debts=debts,
            because_of=because_of,
        ),
    )


def put_right(
    state: AccountState, *, because_of: UUID, values: Mapping[str, Any] | None, on: date
) -> tuple[AccountEvent, ...]:
    """A ground is put right, or withdrawn (`values` None): its debts move with it.

    All that fell due by grounds of the contract is due again when it was, the last recorded first;
    then what falls due by the grounds that stand is said anew. A late debt that is no longer late on
    `on`, the day of the correction, or no longer by itself, is settled as one. What was paid bears
    the interest of its new due date with the next run. A fact that is no ground known here changes
    nothing.

    Clauses: RRNS-11.3.
    """
    if isinstance(state, Unopened):
        return ()
    ground = next((e for e in state.accelerations if e.because_of == because_of), None)
    if ground is None:
        return ()
    grounds = [
        e
        for e in state.accelerations
        if e.contract_id == ground.contract_id and e.because_of is not None
    ]
    events: list[AccountEvent] = []
    after = state
    for each in reversed(grounds):
        undone = _undone(after, each)
        events.append(undone)
        after = _after(after, (undone,))
    for each in grounds:
        arose_on, clause = each.accelerated_on, each.clause
        if each is ground:
            if values is None:
                continue
            arose_on = _DAY.validate_python(values.get("arose_on", arose_on))
            clause = values.get("clause", clause)
        assert each.because_of is not None  # only those that name their ground are undone
        again = accelerate(
            after,
            contract_id=each.contract_id,
            arose_on=arose_on,
            clause=clause,
            because_of=each.because_of,
        )
        events.extend(again)
        after = _after(after, again)
    return (
        *events,
        *_no_longer_late(after, on=on),
        *_no_longer_divided(after, ground=ground, on=on),
    )


def with_grounds_of(account: Account, *, contract_id: UUID, timeline: Timeline) -> Timeline:
    """The timeline of a contract with its grounds as the account of it knows them.

    A run may go by what was known on an earlier day, and a timeline may be behind or ahead of the
    account. What the account said fell due, or no longer does, is said once: so what is billed after
    goes by the account, and only a ground that it never heard of by the timeline.

    Clauses: RRNS-11.3.
    """
    known = {
        e.because_of: Moment(e.accelerated_on, e.because_of)
        for e in account.accelerations
        if e.contract_id == contract_id and e.because_of is not None
    }
    unheard = (
        each
        for each in timeline.grounds
        if each.event not in known and each.event not in account.no_grounds
    )
    return msgspec.structs.replace(timeline, grounds=(*known.values(), *unheard))


def _undone(account: Account, event: DebtsAccelerated) -> AccelerationWithdrawn:
    assert event.because_of is not None  # as above
    known_when_issued = tuple(
        AcceleratedDebt(debt_id=claim.claim_id, amount=claim.total, due_on=claim.agreed_on)
        for claim in account.claims
        if claim.agreed_on is not None
        and claim.due_on == event.accelerated_on
        and event.contract_id in claim.contract_ids
    )
    return AccelerationWithdrawn(
        account_id=event.account_id,
        contract_id=event.contract_id,
        accelerated_on=event.accelerated_on,
        debts=(*event.debts, *known_when_issued),
        because_of=event.because_of,
    )


def _after(account: Account, events: Iterable[AccountEvent]) -> Account:
    for event in events:
        account = opened(evolve(account, event))
    return account


def _no_longer_late(account: Account, *, on: date) -> tuple[ArrearsSettled, ...]:
    return tuple(
        ArrearsSettled(
            account_id=account.account_id,
            customer_id=account.customer_id,
            contract_ids=claim.contract_ids,
            invoice_id=claim.claim_id,
            settled_on=on,
        )
        for claim in account.claims
        if claim.claim_id in account.noticed and (claim.due_on is None or claim.due_on >= on)
    )


def _no_longer_divided(
    account: Account, *, ground: DebtsAccelerated, on: date
) -> tuple[ArrearsSettled, ...]:
    """Nobody would pay the part of a debt that is whole again; the whole is late by itself."""
    there = {claim.claim_id for claim in account.claims}
    return tuple(
        ArrearsSettled(
            account_id=account.account_id,
            customer_id=account.customer_id,
            contract_ids=(ground.contract_id,),
            invoice_id=debt_id,
            settled_on=on,
        )
        for debt_id in sorted(account.noticed - there)
    )


def _may_wait(account: Account, claim: Claim, *, arose_on: date) -> bool:
    """Whether a claim was still to fall due on a day, and not paid by then."""
    later = claim.due_on is None or claim.due_on > arose_on
    paid_by_then = sum(
        part.amount
        for part in account.parts
        if part.claim_id == claim.claim_id and part.paid_on <= arose_on
    )
    return later and not claim.interest and claim.total > paid_by_then


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
        if line.contract_id == contract_id and lines_due(line, document=document) == claim.lines_due
    ]
    arisen = [line for line in lines if line.from_on <= by]
    if len(arisen) == len(lines):
        return claim.total
    due_before = sum(  # what arose first is the part of the divided claim that is due first
        other.total
        for other in account.claims
        if (other.document_id, other.lines_due) == (claim.document_id, claim.lines_due)
        and (other.due_on or date.max) < (claim.due_on or date.max)
    )
    return min(claim.total, max(0, with_tax(arisen, tax=document.tax) - due_before))
