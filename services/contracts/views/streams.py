"""Which streams a batch of events has moved, as the views fill themselves from them."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.vocabulary.contracts import ContractEvent, DunningEvent
from services.contracts.domain.dunning import Chain, chain_of
from services.contracts.domain.facts import Life, facts_of, life_of

_CONTRACT: tuple[type[Event], ...] = get_args(ContractEvent)
_DUNNING: tuple[type[Event], ...] = get_args(DunningEvent)


def contracts_moved(recorded: Sequence[Recorded[Event]]) -> dict[UUID, int]:
    """The contracts that these events are of, each with its version after them."""
    return _moved(recorded, kinds=_CONTRACT)


def chains_moved(recorded: Sequence[Recorded[Event]]) -> dict[UUID, int]:
    """The chains of unpaid debts that these events are of, each with its version after them."""
    return _moved(recorded, kinds=_DUNNING)


async def life_at(log: Log, contract_id: UUID, *, version: int) -> Life:
    """A contract as it was at a version: the same whenever it is asked."""
    return life_of(facts_of((await log.load(contract_id))[:version]))


async def chain_at(log: Log, stream_id: UUID, *, version: int | None) -> Chain:
    """A chain as it was at a version, or as it is."""
    return chain_of([each.event for each in (await log.load(stream_id))[:version]])


def _moved(
    recorded: Sequence[Recorded[Event]], *, kinds: tuple[type[Event], ...]
) -> dict[UUID, int]:
    return {
        each.envelope.stream_id: each.envelope.version
        for each in recorded
        if isinstance(each.event, kinds)
    }
