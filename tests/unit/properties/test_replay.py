"""The same facts, folded or played again, give the same bytes."""

from collections.abc import Callable
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.play import offline, operations
from cli.play.scenario import Scenario
from libs.events import memory
from libs.events.envelope import Event, Recorded
from libs.events.keys import MemoryKeys
from libs.events.wire import Stored, Wire, dump
from services.billing.domain.fold import fold
from services.billing.domain.issuer import unbroken
from services.billing.domain.timeline import Fact, pack, unpack
from services.billing.memory import MemoryTimelines
from tests.unit.properties.effort import effort
from tests.unit.properties.hearing import documents_in, everything, facts_of, played
from tests.unit.properties.lives import SERVICES, lives


def _ids() -> Callable[[], UUID]:
    """Ids in a row, the same ones from the start each time."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


async def _played_with_ids_in_a_row(life: Scenario) -> offline.Installation:
    ids = _ids()
    with pytest.MonkeyPatch.context() as places:
        for module in (offline, operations, memory):
            places.setattr(module, "uuid7", ids)
        return await played(life)


async def _bytes_of(installation: offline.Installation) -> list[bytes]:
    logs = (installation.case.contracts, installation.case.sites, installation.case.billing.log)
    return [
        dump([fact.envelope.event_id, fact.envelope.recorded_at, fact.event])
        for log in logs
        for fact in await everything(log)
    ]


@pytest.mark.parametrize("service", SERVICES)
@effort(12)
@given(data=st.data())
async def test_a_life_played_again_leaves_the_same_bytes_in_every_log(
    service: str, data: st.DataObject
) -> None:
    life = data.draw(lives(service))
    first = await _played_with_ids_in_a_row(life)
    again = await _played_with_ids_in_a_row(life)
    assert await _bytes_of(first) == await _bytes_of(again)


async def _read_back(recorded: Recorded[Event]) -> Recorded[Event]:
    """An event after its way through bytes."""
    stored = Stored(recorded.event.type, recorded.envelope.event_id, dump(recorded.event))
    (event,) = await Wire().decode([stored], keys=MemoryKeys())
    assert event is not None
    return Recorded(recorded.envelope, event)


@pytest.mark.parametrize("service", SERVICES)
@effort(15)
@given(data=st.data())
async def test_documents_read_back_from_bytes_keep_their_chain_of_hashes(
    service: str, data: st.DataObject
) -> None:
    installation = await played(data.draw(lives(service)))
    issued = await everything(installation.case.billing.log)
    documents = documents_in(issued)
    read = documents_in(
        [await _read_back(fact) for fact in issued if documents_in([fact])],
    )
    assert [dump(document) for document in read] == [dump(document) for document in documents]
    assert unbroken(read)


@pytest.mark.parametrize("service", SERVICES)
@effort(15)
@given(data=st.data())
async def test_facts_folded_again_in_any_order_and_in_pages_pack_to_the_same_bytes(
    service: str, data: st.DataObject
) -> None:
    installation = await played(data.draw(lives(service)))
    contract_id = installation.case.contract_id
    timeline = await installation.timeline()
    assert timeline is not None
    kept = pack(timeline)
    facts = [
        *await everything(installation.case.contracts),
        *await everything(installation.case.sites),
    ]
    shuffled = data.draw(st.permutations(facts))
    page = data.draw(st.integers(min_value=1, max_value=5))
    timelines = MemoryTimelines(installation.case.billing.log)
    for at in range(0, len(shuffled), page):
        timelines.take(shuffled[at : at + page])
        await timelines.of([contract_id])
    assert pack((await timelines.of([contract_id]))[contract_id]) == kept
    assert pack(unpack(kept)) == kept


@pytest.mark.parametrize("service", SERVICES)
@effort(15)
@given(data=st.data())
async def test_a_fact_told_twice_counts_once(service: str, data: st.DataObject) -> None:
    installation = await played(data.draw(lives(service)))
    facts = [Fact.of(recorded) for recorded in await facts_of(installation)]
    again = data.draw(st.lists(st.sampled_from(facts), max_size=5))
    assert pack(fold([*facts, *again])) == pack(fold(facts))
