"""All debts fall due at once: which had arisen, what was paid of them, what a repeat changes."""

import pytest

from libs.events.vocabulary.billing import DebtsAccelerated, PaymentLate
from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
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


async def _claims(world: World) -> list[tuple[str, str, int]]:
    account = await world.account()
    return [(c.month, str(c.due_on), account.open_of(c)) for c in account.claims]


async def _paid(world: World, amount: int, on: str) -> None:
    await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=NAMES,
        amount=amount,
        received_on=day(on),
        write=world.write(on),
    )


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
    write = world.write("2025-04-02")
    await use_cases.notice_late(world.billing, ACCOUNT, until=day("2025-04-02"), write=write)
    late = await world.of_type(PaymentLate)
    assert {str(each.due_on) for each in late} == {"2025-03-25"}


async def test_a_service_without_a_bill_yet_has_nothing_to_let_fall_due() -> None:
    world = World()
    for event in beginning(
        service="RRNS", applied="2025-01-10", started=None, content={"monthly_fee": 1}
    ):
        await world.tell(event)
    await world.tell(_ground("2025-02-01"))
    assert await world.of_type(DebtsAccelerated) == []
