"""Which documents a run issues, and what becomes of facts that come after them."""

from uuid import uuid5

import pytest

from libs.events.vocabulary import contracts
from libs.events.vocabulary.billing import (
    ChargesAssessed,
    CreditNoteIssued,
    InvoiceIssued,
    LateInterestWaived,
    PenaltyCharged,
)
from libs.refusal.refusal import Refusal
from services.billing import use_cases
from services.billing.domain.due_policy import UnknownDuePolicy
from services.billing.domain.issuer import unbroken
from services.billing.domain.terms import Settings
from services.billing.runs import RunConflict, preview
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    NAMES,
    World,
    a_contract,
    amounts,
    day,
    outage,
    terminated,
)


async def test_every_ended_month_has_one_invoice_and_the_running_one_none() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-03-30")
    issued = await world.documents()
    assert [(d.month, d.total) for d in issued] == [("2024-01", 1951), ("2024-02", 2750)]
    assert [d.number for d in issued] == [1, 2]
    assert unbroken(issued)


async def test_a_month_that_ends_on_the_closing_day_is_billed() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-03-31")
    assert [d.month for d in await world.documents()] == ["2024-01", "2024-02", "2024-03"]


async def test_a_month_already_billed_is_never_billed_again() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-01-31")
    again = await world.run("2024-01-31", issued_on="2024-02-02")
    assert again.invoices == 0
    assert again.outcomes[CONTRACT] == "nothing to bill"
    assert len(await world.documents()) == 1


@pytest.mark.clause("WUTM-A4.2.1.2")
async def test_a_month_with_nothing_to_charge_has_no_invoice() -> None:
    world = World()
    await a_contract(world, licensed=True)
    outcome = await world.run("2024-04-30")
    assert outcome.invoices == 0
    assert await world.documents() == []
    assert await world.of_type(ChargesAssessed) == []


@pytest.mark.clause("WUTM-25.2.2")
async def test_an_outage_known_later_is_an_adjustment_on_the_next_invoice() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-02-29")
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-03-05")
    await world.run("2024-03-31")
    last = (await world.documents())[-1]
    assert last.month == "2024-03"
    (adjusted,) = [line for line in last.lines if line.adjusts]
    assert (adjusted.adjusts, adjusted.amount, adjusted.tax_rate) == ("2024-02", -87, 10)
    assert last.total == 2500 - 87 + (2500 - 87) * 10 // 100
    revisions = [(e.month, e.revision) for e in await world.of_type(ChargesAssessed)]
    assert revisions == [("2024-01", 1), ("2024-02", 1), ("2024-03", 1), ("2024-02", 2)]


async def test_an_adjustment_waits_while_a_next_invoice_will_come() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-02-29")
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-03-05")
    waiting = await world.run("2024-03-10")
    assert waiting.invoices == waiting.credit_notes == 0


async def test_a_credit_note_refers_to_the_invoice_when_no_next_one_will_come() -> None:
    world = World()
    await a_contract(world)
    await world.tell(terminated("2024-03-01"))
    await world.run("2024-03-31")
    bill = (await world.documents())[-1]
    assert isinstance(bill, InvoiceIssued)
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-04-05")
    await world.run("2024-04-30")
    note = (await world.documents())[-1]
    assert isinstance(note, CreditNoteIssued)
    assert (note.refers_to, note.month) == (bill.invoice_id, "2024-02")
    assert (note.subtotal, note.total) == (-87, -87 - 8)
    again = await world.run("2024-05-31")
    assert again.credit_notes == 0


async def test_an_earlier_end_known_later_lowers_the_month_billed() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-03-31")
    await world.tell(terminated("2024-03-16"), on="2024-04-02")
    await world.run("2024-04-30")
    note = (await world.documents())[-1]
    assert isinstance(note, CreditNoteIssued)
    account = await world.account()
    billed = sum(line.amount for line in account.billed_lines(CONTRACT, "2024-03"))
    assert billed == 2500 * 15 // 31


@pytest.mark.clause("WUTM-31")
async def test_months_put_together_wait_for_the_last_and_stand_on_one_bill() -> None:
    world = World()
    await a_contract(world)
    await use_cases.lump_months(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        months=("2024-02", "2024-03"),
        due_on=day("2024-05-31"),
        decided_on=day("2024-01-20"),
        write=world.write("2024-01-20"),
    )
    await world.run("2024-02-29")
    assert [d.month for d in await world.documents()] == ["2024-01"]
    await world.run("2024-03-31")
    bill = (await world.documents())[-1]
    assert isinstance(bill, InvoiceIssued)
    assert (bill.month, bill.total, bill.due_on) == ("2024-03", 5500, day("2024-05-31"))
    assert {line.month for line in bill.lines} == {"2024-02", "2024-03"}


@pytest.mark.clause("WUTM-26.1", "WUTM-26.2")
async def test_an_evasion_is_demanded_beside_the_invoice_once() -> None:
    world = World()
    await a_contract(world)
    await use_cases.find_evasion(
        world.billing,
        CONTRACT,
        found_on=day("2024-02-10"),
        evaded=10_000,
        write=world.write("2024-02-10"),
    )
    await world.run("2024-02-29")
    await world.run("2024-03-31")
    demanded = await world.of_type(PenaltyCharged)
    assert [(d.code, d.total) for d in demanded] == [
        ("WUTM-EVADED", 11_000),
        ("WUTM-SURCHARGE", 22_000),
    ]


async def test_a_withdrawn_evasion_takes_its_demand_back() -> None:
    world = World()
    await a_contract(world)
    appended = await use_cases.find_evasion(
        world.billing,
        CONTRACT,
        found_on=day("2024-02-10"),
        evaded=10_000,
        due_on=day("2024-04-30"),
        write=world.write("2024-02-10"),
    )
    await world.run("2024-02-29")
    await use_cases.correct_fact(
        world.billing,
        CONTRACT,
        corrects=appended.events[0].envelope.event_id,
        values=None,
        reason="another customer's",
        write=world.write("2024-03-05"),
    )
    await world.run("2024-03-31")
    demanded = await world.of_type(PenaltyCharged)
    assert sum(d.total for d in demanded) == 0
    account = await world.account()
    assert sum(account.open_of(claim) for claim in account.claims if claim.month == "penalty") == 0


async def _late(world: World, *, paid_on: str) -> None:
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
        received_on=day(paid_on),
        names="2024-02",
        write=world.write(paid_on),
    )


@pytest.mark.clause("WUTM-27.3")
async def test_interest_stands_on_the_invoice_of_the_month_of_payment() -> None:
    world = World()
    await a_contract(world)
    await _late(world, paid_on="2024-07-01")
    await world.run("2024-07-31")
    bearing = [d for d in await world.documents() if isinstance(d, InvoiceIssued) and d.interest]
    assert [d.month for d in bearing] == ["2024-07"]
    assert (bearing[0].total, bearing[0].payable) == (2750, 2750 + bearing[0].interest[0].interest)


@pytest.mark.clause("WUTM-27.3")
async def test_interest_alone_is_left_out_when_the_contract_has_ended() -> None:
    world = World()
    await a_contract(world)
    await world.tell(terminated("2024-03-01"))
    await _late(world, paid_on="2024-07-01")
    await world.run("2024-07-31")
    (waived,) = await world.of_type(LateInterestWaived)
    assert waived.entries[0].interest > 0
    assert not (await world.account()).pending


@pytest.mark.clause("WUTM-27.3")
async def test_interest_alone_is_billed_where_the_operator_says_so() -> None:
    world = World(settings=Settings(lone_interest="bill"))
    await a_contract(world)
    await world.tell(terminated("2024-03-01"))
    await _late(world, paid_on="2024-07-01")
    await world.run("2024-07-31")
    last = (await world.documents())[-1]
    assert isinstance(last, InvoiceIssued)
    assert (last.lines, last.total) == ((), 0)
    assert last.payable == last.interest[0].interest > 0


async def test_a_preview_is_the_bill() -> None:
    world = World()
    await a_contract(world)
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"))
    shown = await preview(
        world.billing, CONTRACT, closing_on=day("2024-02-29"), issued_on=day("2024-03-01")
    )
    before = await world.log.position()
    await world.run("2024-02-29")
    assert before < await world.log.position()
    free = {"number", "run_id", "invoice_id", "previous_hash", "hash"}
    assert [e.model_dump(exclude=free) for e in shown.account_events] == [
        d.model_dump(exclude=free) for d in await world.documents()
    ]


async def test_a_contract_that_cannot_be_billed_says_why_and_blocks_no_other() -> None:
    world = World()
    other = uuid5(NAMES, "other contract")
    await a_contract(world)
    await a_contract(world, service="UNKNOWN", contract_id=other, started=None)
    outcome = await world.run("2024-02-29")
    assert outcome.invoices == 2
    assert outcome.failures == {
        other: "unknown-service: there are no terms for 'UNKNOWN'",
    }
    assert outcome.contracts == 2


async def test_a_run_as_known_on_a_day_leaves_out_what_was_recorded_later() -> None:
    world = World()
    await a_contract(world)
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-03-05")
    await world.run("2024-02-29", issued_on="2024-03-06", known_on=day("2024-03-04"))
    assert amounts((await world.documents())[-1].lines) == [("WUTM-MONTHLY", 2500)]


async def test_what_was_recorded_on_the_day_itself_is_known() -> None:
    world = World()
    await a_contract(world)
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-03-05")
    await world.run("2024-02-29", issued_on="2024-03-06", known_on=day("2024-03-05"))
    assert amounts((await world.documents())[-1].lines) == [
        ("WUTM-MONTHLY", 2500),
        ("WUTM-OUTAGE", -87),
    ]


async def test_a_run_has_one_set_of_parameters() -> None:
    world = World()
    await a_contract(world)
    run_id = uuid5(NAMES, "the run")
    await world.run("2024-01-31", run_id=run_id)
    again = await world.run("2024-01-31", run_id=run_id)
    assert again.invoices == 1
    assert len(await world.documents()) == 1
    with pytest.raises(RunConflict):
        await world.run("2024-02-29", run_id=run_id)


@pytest.mark.parametrize(
    ("policy", "due_on"),
    [
        pytest.param("agreed", None, id="no date without an agreement"),
        pytest.param("end-of-next-month", "2024-03-31", id="the last day of the next month"),
        pytest.param("days-after-issue:30", "2024-03-02", id="days after the issue, over 29 Feb"),
    ],
)
async def test_a_due_policy_gives_a_date_where_none_is_agreed(
    policy: str, due_on: str | None
) -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-01-31", due_policy=policy)
    (bill,) = await world.documents()
    assert isinstance(bill, InvoiceIssued)
    assert bill.due_on == (day(due_on) if due_on else None)


async def test_an_unknown_due_policy_is_refused_before_anything_happens() -> None:
    world = World()
    with pytest.raises(UnknownDuePolicy) as refused:
        await world.run("2024-01-31", due_policy="someday")
    assert isinstance(refused.value, Refusal)
    assert await world.log.position() == 0


async def test_a_second_cycle_in_a_month_already_billed_is_put_right() -> None:
    world = World()
    await a_contract(world)
    await world.run("2024-06-30")
    await world.tell(
        contracts.BillingMonthChanged(
            contract_id=CONTRACT, start_day=11, from_on=day("2024-06-11")
        ),
        on="2024-07-02",
    )
    await world.run("2024-07-10")
    account = await world.account()
    stub = sum(line.amount for line in account.billed_lines(CONTRACT, "2024-06"))
    assert stub == 2500 * 10 // 30
    assert (await world.documents())[-1].month == "2024-06-11"
