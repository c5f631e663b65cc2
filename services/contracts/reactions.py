"""Which event of billing leads to which decision here. Pure: event in, reactions out."""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from libs.events.envelope import Event, Recorded
from libs.events.log import Decision
from libs.events.reaction import Reaction
from libs.events.vocabulary.billing import ArrearsSettled, PaymentLate, PaymentReceived
from libs.events.vocabulary.contracts import DunningStarted
from services.contracts.domain.cancelling import loss_paid
from services.contracts.domain.dunning import Chain, begin, chain_of, settle, stream_of
from services.contracts.domain.facts import Life, facts_of, life_of

READER = "contracts-reactions"
SOURCES = ("billing",)


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """A late payment begins a chain for every contract on the bill, its settlement ends it.

    A payment that settles what a cancellation waits for ends that contract.
    """
    match recorded.event:
        case PaymentLate() as late:
            return [_beginning(late, contract_id=contract_id) for contract_id in late.contract_ids]
        case ArrearsSettled() as settled:
            return [
                Reaction(
                    stream_id=stream_of(contract_id, invoice_id=settled.invoice_id),
                    decision=_on_chain(partial(settle, ended_on=settled.settled_on)),
                )
                for contract_id in settled.contract_ids
            ]
        case PaymentReceived() as received:
            return [
                Reaction(
                    stream_id=met.contract_id,
                    decision=_on_life(
                        partial(loss_paid, requests=met.events, paid_on=received.settled_on)
                    ),
                )
                for met in received.demands_met
            ]
        case _:
            return ()


def _on_life(decide: Callable[[Life], Sequence[Event]]) -> Decision:
    return lambda history: decide(life_of(facts_of(history)))


def _beginning(late: PaymentLate, *, contract_id: UUID) -> Reaction:
    started = DunningStarted(
        contract_id=contract_id,
        invoice_id=late.invoice_id,
        started_on=late.noticed_on,
        open_amount=late.open_amount,
    )
    return Reaction(
        stream_id=stream_of(contract_id, invoice_id=late.invoice_id),
        decision=_on_chain(partial(begin, started=started)),
    )


def _on_chain(decide: Callable[[Chain], Sequence[Event]]) -> Decision:
    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return decide(chain_of([recorded.event for recorded in history]))

    return decision
