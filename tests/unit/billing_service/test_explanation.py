"""Why an amount is what it is."""

from uuid import uuid5

from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from services.billing import use_cases
from services.billing.clause_texts import clause_texts
from services.billing.domain.explanation import explain
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    NAMES,
    TERMS,
    World,
    a_contract,
    day,
    outage,
)


async def _document(world: World) -> InvoiceIssued | CreditNoteIssued:
    return (await world.documents())[-1]


async def test_a_line_shows_clauses_arithmetic_and_events_with_their_traces() -> None:
    world = World()
    await a_contract(world)
    told = await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"))
    await world.run("2024-02-29")
    document = await _document(world)
    evidence = await world.timelines.evidence(e for line in document.lines for e in line.events)
    traced = {
        event_id: each.model_copy(update={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
        for event_id, each in evidence.items()
    }
    explained = explain(
        document,
        clauses=clause_texts(TERMS),
        evidence=traced,
        trace_ui="http://traces.test/zipkin/traces/",
    )
    credit = next(line for line in explained.lines if line.code == "WUTM-OUTAGE")
    assert "WUTM-25.2.2" in [clause.id for clause in credit.clauses]
    assert all(clause.title and clause.rule for clause in credit.clauses)
    assert "2,500" in credit.arithmetic
    (event,) = [e for e in credit.events if e.event_id == told.envelope.event_id]
    assert (event.context, event.type) == ("monitoring", "monitoring.outage-recorded.v1")
    assert event.trace_url == ("http://traces.test/zipkin/traces/4bf92f3577b34da6a3ce929d0e0e4736")
    assert explained.tax[0].arithmetic.startswith("2,413 x 10% = 241")
    assert explained.payable == explained.total == document.total


async def test_late_interest_is_explained_in_its_own_section() -> None:
    world = World()
    await a_contract(world)
    await use_cases.agree_due_date(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        month="2024-02",
        due_on=day("2024-03-31"),
        write=world.write("2024-02-10"),
    )
    await world.run("2024-02-29")
    await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=uuid5(NAMES, "payment"),
        received_on=day("2024-07-01"),
        names="2024-02",
        write=world.write("2024-07-01"),
    )
    await world.run("2024-07-31")
    explained = explain(await _document(world), clauses=clause_texts(TERMS), evidence={})
    (interest,) = explained.interest
    assert interest.arithmetic == "2,750 x 30/1000 x 91/365 = 20, cut to whole yen"
    assert explained.payable == explained.total + 20
    assert all(line.events == () for line in explained.lines)


async def test_a_clause_out_of_the_catalogue_is_shown_by_its_id() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-02-29")
    explained = explain(await _document(world), clauses={}, evidence={})
    (line,) = explained.lines
    first = line.clauses[0]
    assert (first.id, first.rule) == ("WUTM-25.1", "")
