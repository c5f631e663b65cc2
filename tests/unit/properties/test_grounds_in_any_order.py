"""A ground that lets debts fall due, recorded when it may be and put right since: the same sums."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.vocabulary.billing import InvoiceIssued
from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractFactCorrected,
    TerminationGroundArose,
    WorkAccepted,
)
from services.billing import use_cases
from tests.unit.billing_service.world import ACCOUNT, CONTRACT, NAMES, World, beginning, day
from tests.unit.properties.effort import effort

FROM = day("2025-02-20")
DAYS = st.integers(min_value=0, max_value=60).map(lambda days: FROM + timedelta(days=days))
BILLED = {"2025-02": 110_000, "2025-03": 143_000}
"""The months billed before anything is recorded, with tax; of March a part arose on the 20th."""

Payment = tuple[date, str, int]
Sums = tuple[list[tuple[str, str, int]], Counter[str], int]


async def _an_order() -> World:
    """Accepted in January with a later due date for February, an option from 20 March on; billed."""
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
    await world.run("2025-03-31", issued_on="2025-02-15")
    return world


async def _pay(world: World, payment: Payment, *, number: int) -> None:
    on, month, amount = payment
    await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=uuid5(NAMES, f"payment {number}"),
        amount=amount,
        received_on=on,
        names=month,
        write=world.write(on.isoformat()),
    )


async def _lived(
    payments: Sequence[Payment],
    *,
    grounds: Sequence[tuple[int, date, date | None]],
    known_on: date | None = None,
    heard: bool = True,
) -> Sums:
    """The order with its payments, and each ground recorded before one of them on its day.

    A ground has the number of the payment before which it is recorded, the day it was said to
    arise, and the day it did: None for a ground that never arose, as is found out in the end. All
    of that is recorded in May; the run goes by what was known on a day. Unless `heard`, what charges
    rest on has not heard of grounds when it is run, though the account has.
    """
    world = await _an_order()
    tell = world.tell if heard else world.tell_account
    wrong = []
    for number in range(len(payments) + 1):
        for at, said_on, true_on in grounds:
            if at == number:
                ground = TerminationGroundArose(
                    contract_id=CONTRACT, arose_on=said_on, ground="5", clause="RRNS-11.1.5"
                )
                told = await tell(ground, on="2025-05-01")
                if said_on != true_on:
                    wrong.append((told.envelope.event_id, true_on))
        if number < len(payments):
            await _pay(world, payments[number], number=number)
    for event_id, true_on in wrong:
        await tell(
            ContractFactCorrected(
                contract_id=CONTRACT,
                corrects=event_id,
                values=None if true_on is None else {"arose_on": true_on.isoformat()},
                reason="a slip of the pen",
            ),
            on="2025-05-02",
        )
    await world.run("2025-06-30", issued_on="2025-07-01", known_on=known_on)
    account = await world.account()
    interest = Counter[str]()
    for _, entry in account.interest:
        interest[entry.month] += entry.interest
    claims = sorted((c.month, str(c.due_on), account.open_of(c)) for c in account.claims)
    billed = sum(each.payable for each in await world.of_type(InvoiceIssued))
    return claims, interest, billed


@st.composite
def payments(draw: st.DrawFn) -> list[Payment]:
    """Up to two payments of each month, in order of their days, which leave nothing over."""
    found: list[Payment] = []
    for month, total in BILLED.items():
        parts = draw(st.lists(st.integers(min_value=1, max_value=total // 2), max_size=2))
        found += [(draw(DAYS), month, part) for part in parts]
    return sorted(found)


@pytest.mark.clause("RRNS-11.3", "RRNS-36.S1", "RRNS-36.S2")
@effort(25)
@given(data=st.data())
async def test_late_and_wrong_grounds_end_in_the_sums_of_those_known_at_once(
    data: st.DataObject,
) -> None:
    paid = data.draw(payments())
    true_days = data.draw(st.lists(st.one_of(st.none(), DAYS), min_size=1, max_size=2))
    right, late = [], []
    for true_on in true_days:
        said_on = data.draw(DAYS if true_on is None else st.one_of(st.just(true_on), DAYS))
        late.append((data.draw(st.integers(0, len(paid))), said_on, true_on))
        if true_on is not None:
            right.append((sum(on <= true_on for on, _, _ in paid), true_on, true_on))
    known_on = data.draw(st.sampled_from([None, day("2025-04-30"), day("2025-05-01")]))
    heard = data.draw(st.booleans())
    assert await _lived(paid, grounds=late, known_on=known_on, heard=heard) == await _lived(
        paid, grounds=right
    )
