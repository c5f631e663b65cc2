"""Numbers and the chain of hashes."""

from dataclasses import replace
from uuid import uuid5

import pytest

from libs.events.vocabulary.billing import DocumentsIssued, InvoiceIssued
from services.billing.domain.issuer import (
    NO_HASH,
    Issuer,
    document_hash,
    fold_issuer,
    numbered,
    unbroken,
)
from tests.unit.billing_service.world import NAMES, World, a_contract

RUN = uuid5(NAMES, "run")


async def _issued() -> list[InvoiceIssued]:
    world = World()
    await a_contract(world)
    await world.run("2024-02-29")
    await world.run("2024-04-30")
    return [d for d in await world.documents() if isinstance(d, InvoiceIssued)]


async def test_documents_of_several_runs_are_one_chain() -> None:
    issued = await _issued()
    assert [d.number for d in issued] == [1, 2, 3, 4]
    assert issued[0].previous_hash == NO_HASH
    assert unbroken(issued)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"total": 1}, id="an amount"),
        pytest.param({"previous_hash": NO_HASH}, id="what it rests on"),
        pytest.param({"number": 9}, id="its number"),
    ],
)
async def test_a_changed_document_breaks_the_chain(change: dict[str, object]) -> None:
    issued = await _issued()
    issued[1] = issued[1].model_copy(update=change)
    assert not unbroken(issued)
    rehashed = issued[1].model_copy(update={"hash": document_hash(issued[1])})
    assert not unbroken([issued[0], rehashed, *issued[2:]])


async def test_a_missing_document_breaks_the_chain() -> None:
    first, _, *rest = await _issued()
    assert not unbroken([first, *rest])


async def test_a_batch_says_its_numbers_and_what_it_comes_to() -> None:
    drafts = [d.model_copy(update={"number": 0}) for d in await _issued()]
    issuer = replace(Issuer(), number=7, version=1)
    events, said = numbered(issuer, drafts[:2], run_id=RUN, batch=1)
    assert [e.number for e in events if isinstance(e, InvoiceIssued)] == [8, 9]
    assert (said.first_number, said.last_number, said.invoices) == (8, 9, 2)
    assert said.total == sum(d.total for d in drafts[:2])
    nothing, empty = numbered(issuer.after(said), [], run_id=RUN, batch=2)
    assert (nothing, empty.first_number, empty.last_number) == ((), 10, 9)
    assert empty.hash == said.hash


def test_the_issuer_knows_the_batches_of_each_run() -> None:
    batch = DocumentsIssued(
        run_id=RUN, batch=1, first_number=1, last_number=3, previous_hash=NO_HASH, hash="a"
    )
    other = batch.model_copy(
        update={"run_id": uuid5(NAMES, "other"), "first_number": 4, "last_number": 4}
    )
    folded = fold_issuer([batch, other])
    assert (folded.version, folded.number, folded.of(RUN)) == (2, 4, (batch,))
    assert Issuer().after(batch).after(other) == folded
