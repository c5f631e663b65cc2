"""Which event of another context leads to which decision of billing."""

from collections.abc import Sequence
from typing import cast

from libs.events.envelope import Event, Recorded
from libs.events.reaction import Reaction
from libs.events.vocabulary.billing import AccountEvent
from libs.events.vocabulary.contracts import ContractApplied, TerminationGroundArose
from services.billing.domain.accelerating import accelerate
from services.billing.domain.account import account_of, fold_account, open_account

READER = "billing-accounts"
SOURCES = ("contracts",)


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """An application opens the account of its contract; how it pays the customer's details say.

    It is opened with the application and not with the approval: some services form a contract by
    receipt of the application alone, and an account without a contract owes nothing. A ground that
    lets all debts fall due does so on the account.
    """
    match recorded.event:
        case ContractApplied() as applied:
            return (_opening(applied),)
        case TerminationGroundArose() as arose:
            return (_acceleration(arose),)
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


def _acceleration(arose: TerminationGroundArose) -> Reaction:
    """What was billed falls due; what is billed later knows the ground from the timeline."""

    def decision(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return accelerate(
            fold_account([cast("AccountEvent", own.event) for own in events]),
            contract_id=arose.contract_id,
            arose_on=arose.arose_on,
            clause=arose.clause,
        )

    return Reaction(stream_id=account_of(arose.contract_id), decision=decision)
