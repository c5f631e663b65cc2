"""Which event of another context leads to which decision of billing."""

from collections.abc import Sequence
from datetime import date
from typing import cast
from uuid import UUID

from libs.dates.japan import japan_date
from libs.events.envelope import Event, Recorded
from libs.events.reaction import Reaction
from libs.events.vocabulary.billing import AccountEvent
from libs.events.vocabulary.contracts import (
    ContractApplied,
    ContractFactCorrected,
    TerminationGroundArose,
)
from services.billing.domain.accelerating import accelerate, put_right
from services.billing.domain.account import account_of, fold_account, open_account

READER = "billing-accounts"
SOURCES = ("contracts",)


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """An application opens the account of its contract; how it pays the customer's details say.

    It is opened with the application and not with the approval: some services form a contract by
    receipt of the application alone, and an account without a contract owes nothing. A ground that
    lets all debts fall due does so on the account, and so does what puts such a ground right.
    """
    match recorded.event:
        case ContractApplied() as applied:
            return (_opening(applied),)
        case TerminationGroundArose() as arose:
            return (_acceleration(arose, because_of=recorded.envelope.event_id),)
        case ContractFactCorrected() as correction:
            return (_correction(correction, on=japan_date(recorded.envelope.recorded_at)),)
        case _:
            return ()


def _opening(applied: ContractApplied) -> Reaction:
    account_id = account_of(applied.contract_id)

    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return open_account(
            fold_account([cast("AccountEvent", own.event) for own in events]),
            account_id=account_id,
            customer_id=applied.customer_id,
            contract_ids=(applied.contract_id,),
            opened_on=applied.applied_on,
        )

    return Reaction(stream_id=account_id, decision=decision)


def _acceleration(arose: TerminationGroundArose, *, because_of: UUID) -> Reaction:
    """What was billed falls due; what is billed later knows the ground from the timeline."""

    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return accelerate(
            fold_account([cast("AccountEvent", own.event) for own in events]),
            contract_id=arose.contract_id,
            arose_on=arose.arose_on,
            clause=arose.clause,
            because_of=because_of,
        )

    return Reaction(stream_id=account_of(arose.contract_id), decision=decision)


def _correction(correction: ContractFactCorrected, *, on: date) -> Reaction:
    """Of all corrections only those of grounds find something on the account."""

    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return put_right(
            fold_account([cast("AccountEvent", own.event) for own in events]),
            because_of=correction.corrects,
            values=correction.values,
            on=on,
        )

    return Reaction(stream_id=account_of(correction.contract_id), decision=decision)
