"""The chain of an unpaid debt, for one contract: found late, suspension proposed, settled.

The chain proposes; an operator's command acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid5

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import DunningEnded, DunningStarted, SuspensionProposed
from services.contracts.domain.terms import Dunning


@dataclass(frozen=True, slots=True)
class NothingLate:
    """No chain was begun."""


@dataclass(frozen=True, slots=True)
class Late:
    """A debt is late; `proposed_on` once a suspension was proposed."""

    started: DunningStarted
    proposed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The debt was paid."""

    started: DunningStarted
    ended_on: date


Chain = NothingLate | Late | Settled


def stream_of(contract_id: UUID, *, invoice_id: UUID) -> UUID:
    """The stream of the chain of one debt of one contract."""
    return uuid5(contract_id, str(invoice_id))


def chain_of(events: Sequence[Event]) -> Chain:
    """The chain after its events."""
    chain: Chain = NothingLate()
    for event in events:
        match event, chain:
            case DunningStarted(), NothingLate() | Settled():
                chain = Late(event)
            case SuspensionProposed(), Late(started=started):
                chain = Late(started, event.proposed_on)
            case DunningEnded(), Late(started=started):
                chain = Settled(started, event.ended_on)
            case _:
                pass
    return chain


def begin(chain: Chain, *, started: DunningStarted) -> tuple[Event, ...]:
    """A debt was found late; one that is known to be changes nothing.

    Clauses: NSEC-16.1.1, WUTM-18.1.1 (from the day after the due date).
    """
    return () if isinstance(chain, Late) else (started,)


def settle(chain: Chain, *, ended_on: date) -> tuple[Event, ...]:
    """The debt was paid in full; what was not late stays as it is.

    Clauses: NSEC-16.1.1 (cure ends the ground).
    """
    match chain:
        case Late(started=started):
            return (
                DunningEnded(
                    contract_id=started.contract_id,
                    invoice_id=started.invoice_id,
                    ended_on=ended_on,
                ),
            )
        case NothingLate() | Settled():
            return ()


def proposal_on(chain: Chain, *, terms: Dunning | None) -> date | None:
    """The day on which a suspension is to be proposed; None when nothing waits for it."""
    if terms is not None and isinstance(chain, Late) and chain.proposed_on is None:
        return chain.started.started_on + timedelta(days=terms.propose_after_days)
    return None


def propose(chain: Chain, *, proposed_on: date, terms: Dunning | None) -> tuple[Event, ...]:
    """Propose a suspension when its day has come; an operator decides.

    Clauses: NSEC-16.1.1, WUTM-18.1.1, WSRV-18.1.1.
    """
    due_on = proposal_on(chain, terms=terms)
    if terms is None or due_on is None or not isinstance(chain, Late):
        return ()
    if due_on > proposed_on:
        return ()
    return (
        SuspensionProposed(
            contract_id=chain.started.contract_id,
            invoice_id=chain.started.invoice_id,
            proposed_on=due_on,
            clause=terms.clause,
        ),
    )
