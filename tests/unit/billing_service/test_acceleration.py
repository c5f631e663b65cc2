"""All debts fall due at once: which had arisen, what was paid of them, what a repeat changes."""

from uuid import uuid5

import pytest

from libs.events.corrections import with_values
from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.billing import (
    ArrearsSettled,
    DebtsAccelerated,
    InvoiceIssued,
    LateInterestCharged,
    PaymentLate,
)
from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractFactCorrected,
    TerminationGroundArose,
    WorkAccepted,
)
from services.billing import use_cases
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, NAMES, World, beginning, day

MONTHLY = 110_000


async def _an_order() -> World:
    """An order of 100,000 a month with an option accepted on 20 March; February and March billed."""
    world = World()
    content = {"monthly_fee": 100_000, "initial_fee": 0}
    for event in beginning(service="RRNS", applied="2025-01-10", started=None, content=content):
        await world.tell(event)
    await world.tell(WorkAccepted(contract_id=CONTRACT, accepted_on=day("2025-01-20")))
    await world.tell(
        ContentChanged(
            contract_id=CONTRACT,
            effective_on=day("2025-03-20"),
            kind="option-added",
            before=Content(),
            after=Content(),
            option="vpn",
            monthly_fee=5_000,
            initial_fee=30_000,
        )
    )
    await use_cases.agree_due_date(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        month="2025-02",
        due_on=day("2025-05-31"),
        write=world.write("2025-02-01"),
    )
    await world.run("2025-03-31")
    return world


def _ground(on: str) -> TerminationGroundArose:
    return TerminationGroundArose(
        contract_id=CONTRACT, arose_on=day(on), ground="5", clause="RRNS-11.1.5"
    )


async def _put_right(
    world: World, ground: Recorded[Event], *, on: str, arose: str | int | None = None
) -> None:
    """The ground is withdrawn, or arose on another day."""
    await world.tell(
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=ground.envelope.event_id,
            values=None if arose is None else {"arose_on": arose},
            reason="a slip of the pen",
        ),
        on=on,
    )


async def _interest(world: World) -> list[tuple[str, str, int, int]]:
    """All that is owed for being late: what, due when, over how many days, yen."""
    account = await world.account()
    return sorted((e.month, str(e.due_on), e.days, e.interest) for _, e in account.interest)


async def _claims(world: World) -> list[tuple[str, str, int]]:
    account = await world.account()
    return [(c.month, str(c.due_on), account.open_of(c)) for c in account.claims]


async def _paid(
    world: World, amount: int, on: str, *, month: str | None = None, name: str = "payment"
) -> None:
    await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=uuid5(NAMES, name),
        amount=amount,
        received_on=day(on),
        names=month,
        write=world.write(on),
    )


async def _notice(world: World, until: str) -> None:
    await use_cases.notice_late(world.billing, ACCOUNT, until=day(until), write=world.write(until))


@pytest.mark.clause("RRNS-11.3")
async def test_a_ground_found_out_late_counts_from_its_own_day_for_what_had_arisen() -> None:
    world = await _an_order()
    assert await _claims(world) == [
        ("2025-02", "2025-05-31", MONTHLY),
        ("2025-03", "2025-03-31", MONTHLY + 33_000),
    ]
    await world.tell(_ground("2025-03-05"), on="2025-04-10")
    assert await _claims(world) == [
        ("2025-02", "2025-03-05", MONTHLY),
        ("2025-03", "2025-03-05", MONTHLY),
        ("2025-03", "2025-03-31", 33_000),  # the option was accepted after the ground arose
    ]
    (accelerated,) = await world.of_type(DebtsAccelerated)
    assert (accelerated.clause, len(accelerated.debts)) == ("RRNS-11.1.5", 2)


@pytest.mark.clause("RRNS-11.3")
async def test_what_arose_after_the_ground_keeps_its_date() -> None:
    world = await _an_order()
    await world.tell(_ground("2025-02-10"), on="2025-04-10")
    assert await _claims(world) == [
        ("2025-02", "2025-02-10", MONTHLY),
        ("2025-03", "2025-03-31", MONTHLY + 33_000),
    ]


@pytest.mark.clause("RRNS-11.3")
async def test_what_was_paid_of_a_debt_that_is_divided_counts_for_what_falls_due_first() -> None:
    world = await _an_order()
    await _paid(world, 120_000, "2025-04-02")
    await world.tell(_ground("2025-03-05"), on="2025-04-10")
    assert await _claims(world) == [
        ("2025-02", "2025-03-05", MONTHLY),
        ("2025-03", "2025-03-05", 0),
        ("2025-03", "2025-03-31", 23_000),
    ]


@pytest.mark.clause("RRNS-11.3")
async def test_a_second_ground_and_the_same_again_move_nothing_that_is_due() -> None:
    world = await _an_order()
    await world.tell(_ground("2025-03-25"), on="2025-04-01")
    first = await _claims(world)
    await world.tell(_ground("2025-03-25"), on="2025-04-01")
    await world.tell(_ground("2025-03-28"), on="2025-04-02")
    assert await _claims(world) == first
    assert {due for _, due, _ in first} == {"2025-03-25"}


@pytest.mark.clause("RRNS-11.3")
async def test_it_is_late_from_the_day_after_the_ground() -> None:
    world = await _an_order()
    await world.tell(_ground("2025-03-25"), on="2025-04-01")
    await _notice(world, "2025-04-02")
    late = await world.of_type(PaymentLate)
    assert {str(each.due_on) for each in late} == {"2025-03-25"}


async def test_a_service_without_a_bill_yet_has_nothing_to_let_fall_due() -> None:
    world = World()
    for event in beginning(
        service="RRNS", applied="2025-01-10", started=None, content={"monthly_fee": 1}
    ):
        await world.tell(event)
    await world.tell(_ground("2025-02-01"))
    assert [each.debts for each in await world.of_type(DebtsAccelerated)] == [()]


@pytest.mark.clause("RRNS-11.3")
async def test_a_ground_that_is_withdrawn_leaves_every_date_as_it_was() -> None:
    world = await _an_order()
    before = await _claims(world)
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-10")
    assert await _claims(world) != before
    await _put_right(world, ground, on="2025-04-11")
    assert await _claims(world) == before


@pytest.mark.clause("RRNS-11.3")
async def test_what_was_paid_of_a_divided_debt_stays_paid_when_it_is_whole_again() -> None:
    world = await _an_order()
    await _paid(world, 120_000, "2025-04-02")
    before = await _claims(world)
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-10")
    await _put_right(world, ground, on="2025-04-11")
    assert await _claims(world) == before


@pytest.mark.clause("RRNS-11.3")
async def test_a_ground_of_another_day_moves_the_debts_to_that_day() -> None:
    world, early = await _an_order(), await _an_order()
    ground = await world.tell(_ground("2025-03-25"), on="2025-04-10")
    await _put_right(world, ground, on="2025-04-11", arose="2025-03-05")
    await early.tell(_ground("2025-03-05"), on="2025-04-10")
    assert await _claims(world) == await _claims(early)
    await _put_right(world, ground, on="2025-04-12", arose="2025-03-25")
    assert {due for _, due, _ in await _claims(world)} == {"2025-03-25"}


@pytest.mark.clause("RRNS-11.3")
@pytest.mark.parametrize("said", ["2025-03-08", "2025-03-08T00:00:00", "1741392000", 1741392000])
async def test_a_corrected_day_is_read_in_every_way_that_a_correction_can_say_it(
    said: str | int,
) -> None:
    world = await _an_order()
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-01")
    assert with_values(_ground("2025-03-05"), {"arose_on": said}) == _ground("2025-03-08")
    await _put_right(world, ground, on="2025-04-10", arose=said)
    assert [due for _, due, _ in await _claims(world)] == ["2025-03-08", "2025-03-08", "2025-03-31"]


@pytest.mark.clause("RRNS-11.3")
@pytest.mark.parametrize("withdrawn", [0, 1])
async def test_the_other_ground_stands_when_one_is_withdrawn(withdrawn: int) -> None:
    world, alone = await _an_order(), await _an_order()
    days = ("2025-03-25", "2025-03-28")
    grounds = [await world.tell(_ground(on), on="2025-04-10") for on in days]
    await _put_right(world, grounds[withdrawn], on="2025-04-11")
    await alone.tell(_ground(days[1 - withdrawn]), on="2025-04-10")
    assert await _claims(world) == await _claims(alone)


@pytest.mark.clause("RRNS-11.3")
async def test_what_is_billed_after_the_ground_moves_back_with_it_too() -> None:
    world, never = await _an_order(), await _an_order()
    ground = await world.tell(_ground("2025-04-05"), on="2025-04-05")
    for each in (world, never):
        await each.run("2025-04-30")
    assert (await _claims(world))[-1][:2] == ("2025-04", "2025-04-05")
    await _put_right(world, ground, on="2025-05-02")
    assert await _claims(world) == await _claims(never)


@pytest.mark.clause("RRNS-11.3")
async def test_a_run_by_an_earlier_day_goes_by_the_grounds_that_the_account_knows() -> None:
    world, never = await _an_order(), await _an_order()
    await world.tell(_ground("2025-04-05"), on="2025-05-01")
    wrong = await never.tell(_ground("2025-04-05"), on="2025-04-06")
    await _put_right(never, wrong, on="2025-05-01")
    for each in (world, never):
        await each.run("2025-04-30", issued_on="2025-05-02", known_on=day("2025-04-30"))
    assert (await _claims(world))[-1][:2] == ("2025-04", "2025-04-05")
    assert (await _claims(never))[-1][:2] == ("2025-04", "2025-04-30")


@pytest.mark.clause("RRNS-11.3")
@pytest.mark.parametrize("first", ["account", "timeline"])
async def test_a_ground_is_billed_by_whichever_reader_hears_of_it_first(first: str) -> None:
    world = await _an_order()
    ground = await world.record(_ground("2025-04-05"), on="2025-04-06")
    if first == "account":
        await world.react([ground])
    else:
        world.timelines.take([ground])
    await world.run("2025-04-30")
    assert (await _claims(world))[-1][:2] == ("2025-04", "2025-04-05")


@pytest.mark.clause("RRNS-11.3")
async def test_a_debt_that_is_not_late_any_more_is_settled_as_one() -> None:
    world = await _an_order()
    ground = await world.tell(_ground("2025-03-25"), on="2025-04-01")
    await _notice(world, "2025-04-02")
    await _put_right(world, ground, on="2025-04-10")
    (settled,) = await world.of_type(ArrearsSettled)
    assert settled.settled_on == day("2025-04-10")
    assert {str(claim.due_on) for claim in (await world.account()).claims} == {
        "2025-05-31",
        "2025-03-31",
    }


@pytest.mark.clause("RRNS-11.3")
@pytest.mark.parametrize("arose", [None, "2025-03-08"])
async def test_a_late_part_of_a_debt_that_is_whole_again_is_settled(arose: str | None) -> None:
    world = await _an_order()
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-01")
    await _notice(world, "2025-04-02")
    divided = {claim.claim_id for claim in (await world.account()).claims}
    assert {each.invoice_id for each in await world.of_type(PaymentLate)} == divided
    await _put_right(world, ground, on="2025-04-10", arose=arose)
    account = await world.account()
    there = {claim.claim_id for claim in account.claims}
    gone = [e for e in await world.of_type(ArrearsSettled) if e.invoice_id not in there]
    assert {each.invoice_id for each in gone} == divided - there
    assert [(e.contract_ids, e.settled_on) for e in gone] == [((CONTRACT,), day("2025-04-10"))]
    await _notice(world, "2025-04-11")
    late = {c.claim_id for c in account.claims if c.due_on and c.due_on < day("2025-04-11")}
    assert (await world.account()).noticed == late


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1", "RRNS-36.S2")
async def test_a_part_paid_between_the_ground_and_its_recording_bears_interest_from_the_ground() -> (
    None
):
    late, early = await _an_order(), await _an_order()
    await early.tell(_ground("2025-03-05"), on="2025-04-01")
    for world in (early, late):
        await _paid(world, 60_000, "2025-04-09", month="2025-02")
    await late.tell(_ground("2025-03-05"), on="2025-04-10")
    for world in (early, late):
        await world.run("2025-04-30")
    assert await _interest(late) == await _interest(early)
    assert await _interest(late) == [("2025-02", "2025-03-05", 35, 60_000 * 146 * 35 // 365_000)]


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1")
async def test_interest_that_a_withdrawn_ground_had_brought_is_owed_no_more() -> None:
    world = await _an_order()
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-01")
    await _paid(world, MONTHLY, "2025-04-09", month="2025-02")
    assert await _interest(world) != []
    await _put_right(world, ground, on="2025-04-10")
    await world.run("2025-04-30")
    assert await _interest(world) == []
    invoices = await world.of_type(InvoiceIssued)
    assert [each.payable for each in invoices] == [each.total for each in invoices]


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1", "RRNS-36.S2")
async def test_interest_on_what_was_paid_of_a_debt_that_is_whole_again_is_cut_once() -> None:
    world, never = await _an_order(), await _an_order()
    for each in (world, never):
        await _paid(each, 50_001, "2025-04-11", month="2025-03", name="first")
        await _paid(each, 80_000, "2025-04-11", month="2025-03", name="second")  # both parts
    ground = await world.tell(_ground("2025-03-05"), on="2025-04-12")
    await _put_right(world, ground, on="2025-04-13")
    for each in (world, never):
        await each.run("2025-04-30")
    days = 11
    assert await _interest(never) == [
        ("2025-03", "2025-03-31", days, paid * 146 * days // 365_000) for paid in (50_001, 80_000)
    ]
    assert await _interest(world) == await _interest(never)


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1")
async def test_what_an_invoice_shows_already_is_not_charged_again() -> None:
    world = await _an_order()
    await _paid(world, MONTHLY + 33_000, "2025-04-10", month="2025-03")
    await world.run("2025-04-30")
    shown = (MONTHLY + 33_000) * 146 * 10 // 365_000
    await world.tell(_ground("2025-03-25"), on="2025-05-10")
    await world.run("2025-05-31")
    await world.run("2025-06-30")
    whole = (MONTHLY + 33_000) * 146 * 16 // 365_000
    assert sum(entry[-1] for entry in await _interest(world)) == whole
    charges = await world.of_type(LateInterestCharged)
    assert [sum(e.interest for e in c.entries) for c in charges] == [shown, whole - shown]
