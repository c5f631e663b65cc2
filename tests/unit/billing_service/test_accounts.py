"""What an account decides: payments, what is late, what is agreed, certificates."""

from datetime import date
from typing import Any
from uuid import uuid5

import pytest

from libs.events.vocabulary.billing import (
    ArrearsSettled,
    LateInterestCharged,
    PaymentLate,
    PaymentReceived,
    SurplusApplied,
)
from libs.refusal.refusal import NotFound, Refusal, Stale
from services.billing import use_cases
from services.billing.domain.account import AlreadyOpen, Unopened, fold_account, open_account
from services.billing.domain.arrangement import AlreadyBilled, NotALump
from services.billing.domain.contract_facts import (
    ClaimAssigned,
    FactUnknown,
    NotAnAmount,
    NotFullyPaid,
    OneRelief,
    WrongCorrection,
)
from services.billing.domain.payments import NothingOpen, PaymentUnknown
from services.billing.use_cases import UnknownContract
from tests.unit.billing_service.world import (
    ACCOUNT,
    CONTRACT,
    CUSTOMER,
    NAMES,
    World,
    a_contract,
    day,
    outage,
    terminated,
)

JANUARY, FEBRUARY = 1951, 2750


async def _billed(*, due: dict[str, str], service: str = "WUTM") -> World:
    """January and February are billed, with these due dates."""
    world = World()
    await a_contract(world, service=service)
    for month, due_on in due.items():
        await use_cases.agree_due_date(
            world.billing,
            ACCOUNT,
            contract_id=CONTRACT,
            month=month,
            due_on=day(due_on),
            write=world.write("2024-01-20"),
        )
    await world.run("2024-02-29")
    return world


async def _pay(
    world: World, on: str, *, amount: int | None = None, names: str | None = None
) -> PaymentReceived:
    appended = await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=uuid5(NAMES, f"paid {on}"),
        received_on=day(on),
        amount=amount,
        names=names,
        write=world.write(on),
    )
    first = appended.events[0].event
    assert isinstance(first, PaymentReceived)
    return first


async def _open(world: World) -> dict[str, int]:
    account = await world.account()
    return {claim.month: account.open_of(claim) for claim in account.claims}


BOTH = {"2024-01": "2024-03-31", "2024-02": "2024-04-30"}


@pytest.mark.clause("WUTM-30.2")
async def test_the_earliest_due_date_is_settled_first_whatever_is_named() -> None:
    world = await _billed(due=BOTH)
    await _pay(world, "2024-03-20", amount=2000, names="2024-02")
    assert await _open(world) == {"2024-01": 0, "2024-02": FEBRUARY - (2000 - JANUARY)}


async def test_without_an_amount_it_is_all_that_is_open_of_the_month_named() -> None:
    world = await _billed(due=BOTH)
    assert (await _pay(world, "2024-03-20", names="2024-02")).amount == FEBRUARY
    with pytest.raises(NothingOpen):
        await _pay(world, "2024-03-21", names="2023-12")


async def test_money_left_over_settles_the_next_invoice_when_it_is_issued() -> None:
    world = await _billed(due={**BOTH, "2024-03": "2024-05-31"})
    received = await _pay(world, "2024-03-20", amount=JANUARY + FEBRUARY + 1000)
    assert received.unapplied == 1000
    await world.run("2024-03-31")
    (applied,) = await world.of_type(SurplusApplied)
    assert (applied.applied[0].amount, applied.unapplied) == (1000, 0)
    assert (await _open(world))["2024-03"] == FEBRUARY - 1000


async def test_the_same_payment_again_changes_nothing() -> None:
    world = await _billed(due=BOTH)
    await _pay(world, "2024-03-20", amount=2000)
    before = await _open(world)
    again = await use_cases.receive_payment(
        world.billing,
        ACCOUNT,
        payment_id=uuid5(NAMES, "paid 2024-03-20"),
        received_on=day("2024-03-20"),
        amount=2000,
        write=world.write("2024-03-21"),
    )
    assert again.events == ()
    assert await _open(world) == before


@pytest.mark.clause("WUTM-27.1.1")
@pytest.mark.parametrize(
    ("on", "said"),
    [
        pytest.param("2024-03-31", 0, id="on the due date nothing is late"),
        pytest.param("2024-04-01", 1, id="the day after it is"),
        pytest.param("2024-04-30", 1, id="the other is not, on its own due date"),
        pytest.param("2024-05-01", 2, id="until the day after that"),
    ],
)
async def test_an_open_claim_is_late_from_the_day_after_its_due_date(on: str, said: int) -> None:
    world = await _billed(due=BOTH)
    await use_cases.notice_late(world.billing, ACCOUNT, until=day(on), write=world.write(on))
    late = await world.of_type(PaymentLate)
    assert len(late) == said
    assert all((p.noticed_on - p.due_on).days == p.days_late == 1 for p in late)


async def test_lateness_is_said_once_and_settled_once() -> None:
    world = await _billed(due=BOTH)
    assert await use_cases.next_late_on(world.billing, ACCOUNT) == date(2024, 4, 1)
    for on in ("2024-04-05", "2024-04-06"):
        await use_cases.notice_late(world.billing, ACCOUNT, until=day(on), write=world.write(on))
    assert len(await world.of_type(PaymentLate)) == 1
    await _pay(world, "2024-04-10", amount=1000)
    assert await world.of_type(ArrearsSettled) == []
    await _pay(world, "2024-04-11", amount=951)
    assert len(await world.of_type(ArrearsSettled)) == 1


@pytest.mark.clause("NSEC-14-2.1a", "NSEC-14-2.1b")
async def test_a_late_part_bears_interest_and_one_within_the_grace_none() -> None:
    world = await _billed(due={"2024-02": "2024-03-31"}, service="MYSEC")
    (open_amount,) = {c.total for c in (await world.account()).claims if c.month == "2024-02"}
    await _pay(world, "2024-04-10", amount=1000, names="2024-02")
    assert await world.of_type(LateInterestCharged) == []
    await _pay(world, "2024-05-10", names="2024-02")
    (charged,) = await world.of_type(LateInterestCharged)
    rest = open_amount - 1000
    assert [(e.amount, e.days, e.interest) for e in charged.entries] == [
        (rest, 39, rest * 145 * 39 // 365_000)
    ]


async def test_a_reversed_payment_opens_what_it_settled_and_may_be_late_again() -> None:
    world = await _billed(due=BOTH)
    paid = await _pay(world, "2024-04-10", amount=JANUARY)
    reversing: dict[str, Any] = {
        "payment_id": paid.payment_id,
        "reversed_on": day("2024-04-15"),
        "reason": "returned",
    }
    for _ in range(2):
        await use_cases.reverse_payment(
            world.billing, ACCOUNT, write=world.write("2024-04-15"), **reversing
        )
    account = await world.account()
    assert (await _open(world))["2024-01"] == JANUARY
    assert (account.interest, account.pending) == ((), ())
    with pytest.raises(PaymentUnknown):
        await use_cases.reverse_payment(
            world.billing,
            ACCOUNT,
            write=world.write("2024-04-15"),
            **{**reversing, "payment_id": uuid5(NAMES, "none")},
        )


async def test_a_credit_on_a_paid_invoice_is_money_left_over() -> None:
    world = await _billed(due=BOTH)
    await world.tell(terminated("2024-03-01"))
    await _pay(world, "2024-03-20", amount=JANUARY + FEBRUARY)
    await world.tell(outage("2024-02-10T08:00", "2024-02-11T10:00"), on="2024-03-25")
    await world.run("2024-03-31")
    account = await world.account()
    assert account.unapplied == 95
    assert set((await _open(world)).values()) == {0}


@pytest.mark.clause("WUTM-31")
async def test_a_lump_is_two_months_or_more_that_are_not_billed() -> None:
    world = await _billed(due=BOTH)

    async def lump(*months: str) -> None:
        await use_cases.lump_months(
            world.billing,
            ACCOUNT,
            contract_id=CONTRACT,
            months=months,
            due_on=day("2024-06-30"),
            decided_on=day("2024-03-10"),
            write=world.write("2024-03-10"),
        )

    with pytest.raises(NotALump) as refused:
        await lump("2024-03")
    assert refused.value.clause == "WUTM-31"
    with pytest.raises(AlreadyBilled):
        await lump("2024-02", "2024-03")
    await lump("2024-03", "2024-04")
    with pytest.raises(AlreadyBilled):
        await lump("2024-04", "2024-05")


@pytest.mark.clause("WUTM-31")
async def test_a_payment_that_names_one_month_of_a_lump_means_its_bill() -> None:
    world = World()
    await a_contract(world)
    await use_cases.lump_months(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        months=("2024-02", "2024-03"),
        due_on=day("2024-06-30"),
        decided_on=day("2024-01-20"),
        write=world.write("2024-01-20"),
    )
    await world.run("2024-03-31")
    assert (await _pay(world, "2024-04-05", names="2024-02")).amount == 2 * FEBRUARY


async def test_a_due_date_stands_once_the_month_is_billed() -> None:
    world = await _billed(due=BOTH)
    agreed: dict[str, Any] = {
        "contract_id": CONTRACT,
        "month": "2024-02",
        "write": world.write("2024-03-10"),
    }
    same = await use_cases.agree_due_date(
        world.billing, ACCOUNT, due_on=day("2024-04-30"), **agreed
    )
    assert same.events == ()
    with pytest.raises(AlreadyBilled):
        await use_cases.agree_due_date(world.billing, ACCOUNT, due_on=day("2024-05-31"), **agreed)


async def _certify(
    world: World, on: str, *, month: str | None = "2024-01", assigned: bool | None = None
) -> None:
    await use_cases.issue_certificate(
        world.billing,
        CONTRACT,
        requested_on=day(on),
        issued_on=day(on),
        month=month,
        assigned=assigned,
        write=world.write(on),
    )


@pytest.mark.clause("WUTM-A4.4.1.1")
async def test_a_certificate_needs_the_month_fully_paid_by_the_day_of_the_request() -> None:
    world = await _billed(due=BOTH)
    await _pay(world, "2024-03-20", amount=JANUARY - 1)
    with pytest.raises(NotFullyPaid) as refused:
        await _certify(world, "2024-03-25")
    assert refused.value.clause == "WUTM-A4.4.1.1"
    await _pay(world, "2024-03-26", amount=1)
    with pytest.raises(NotFullyPaid):
        await _certify(world, "2024-03-25")
    await _certify(world, "2024-03-26")


@pytest.mark.clause("WUTM-A4.4.1.1")
async def test_a_certificate_of_a_month_needs_an_invoice_with_a_due_date() -> None:
    world = await _billed(due={})
    with pytest.raises(NotFullyPaid):
        await _certify(world, "2024-03-25")
    await _certify(world, "2024-03-25", month=None)


@pytest.mark.clause("WUTM-A4.4.1.2", "WUTM-34.1")
@pytest.mark.parametrize(
    ("assigned", "override", "refused"),
    [
        pytest.param(True, None, True, id="all claims are"),
        pytest.param(("2024-01",), None, True, id="this month's is"),
        pytest.param(("2024-02",), None, False, id="another month's is"),
        pytest.param(True, False, False, id="this request says it is not"),
        pytest.param(False, True, True, id="this request says it is"),
    ],
)
async def test_an_assigned_claim_gets_no_certificate(
    assigned: bool | tuple[str, ...], override: bool | None, refused: bool
) -> None:
    world = await _billed(due=BOTH)
    await use_cases.arrange(
        world.billing,
        ACCOUNT,
        payment_method="invoice",
        arranged_on=day("2024-03-01"),
        claims_assigned=assigned,
        write=world.write("2024-03-01"),
    )
    await _pay(world, "2024-03-20", amount=JANUARY)
    if refused:
        with pytest.raises(ClaimAssigned) as found:
            await _certify(world, "2024-03-25", assigned=override)
        assert found.value.clause == "WUTM-A4.4.1.2"
    else:
        await _certify(world, "2024-03-25", assigned=override)


async def test_a_service_without_certificates_refuses_none() -> None:
    world = await _billed(due={}, service="MYSEC")
    await _certify(world, "2024-03-25")


@pytest.mark.clause("WUTM-33.1")
@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"full": True, "percent": 10}, id="two forms"),
        pytest.param({"percent": 0}, id="no percent"),
        pytest.param({"percent": 101}, id="more than all"),
        pytest.param({"amount": 0}, id="no amount"),
        pytest.param({"from_on": date(2024, 2, 1)}, id="days without an end"),
        pytest.param({"from_on": date(2024, 2, 2), "to_on": date(2024, 2, 1)}, id="backwards"),
    ],
)
async def test_relief_has_exactly_one_form(given: dict[str, object]) -> None:
    world = World()
    await a_contract(world)
    with pytest.raises(OneRelief):
        await use_cases.grant_relief(
            world.billing,
            CONTRACT,
            granted_on=day("2024-02-01"),
            write=world.write("2024-02-01"),
            **given,  # type: ignore[arg-type] # a table of malformed wishes
        )


@pytest.mark.clause("WUTM-25.3.1")
@pytest.mark.parametrize(
    ("correct", "events"), [pytest.param(1370, 0, id="right"), pytest.param(1371, 1, id="too low")]
)
async def test_a_bill_that_was_right_is_no_underbilling(correct: int, events: int) -> None:
    world = World()
    await a_contract(world)
    found = await use_cases.find_underbilling(
        world.billing,
        CONTRACT,
        found_on=day("2024-03-01"),
        original_on=day("2024-01-31"),
        billed=1370,
        correct=correct,
        write=world.write("2024-03-01"),
    )
    assert len(found.events) == events


async def test_wishes_that_fit_nothing_are_refused() -> None:
    world = World()
    await a_contract(world)
    write = world.write("2024-02-01")
    with pytest.raises(NotAnAmount):
        await use_cases.find_evasion(
            world.billing, CONTRACT, found_on=day("2024-02-01"), evaded=0, write=write
        )
    with pytest.raises(UnknownContract):
        await use_cases.find_evasion(
            world.billing, uuid5(NAMES, "no"), found_on=day("2024-02-01"), evaded=1, write=write
        )
    with pytest.raises(NotFound):
        await use_cases.account_state(world.billing, uuid5(NAMES, "no"))
    correction: dict[str, Any] = {"reason": "wrong", "write": write}
    with pytest.raises(FactUnknown):
        await use_cases.correct_fact(
            world.billing, CONTRACT, corrects=uuid5(NAMES, "no"), values=None, **correction
        )
    fact = await use_cases.find_evasion(
        world.billing, CONTRACT, found_on=day("2024-02-01"), evaded=1, write=write
    )
    corrects = fact.events[0].envelope.event_id
    wrong: tuple[dict[str, Any], ...] = (
        {"evaded": "much"},
        {"nothing": 1},
        {"contract_id": str(CUSTOMER)},
    )
    for values in wrong:
        with pytest.raises(WrongCorrection):
            await use_cases.correct_fact(
                world.billing, CONTRACT, corrects=corrects, values=values, **correction
            )


async def test_a_version_seen_long_ago_is_stale() -> None:
    world = await _billed(due=BOTH)
    with pytest.raises(Stale):
        await use_cases.arrange(
            world.billing,
            ACCOUNT,
            payment_method="credit_card",
            arranged_on=day("2024-03-01"),
            write=use_cases.Write(cause=world.cause("2024-03-01"), expected=1),
        )


def test_an_account_is_opened_once_and_for_one_customer() -> None:
    wish: dict[str, Any] = {
        "account_id": ACCOUNT,
        "contract_ids": (CONTRACT,),
        "opened_on": day("2024-01-05"),
    }
    events = open_account(Unopened(), customer_id=CUSTOMER, **wish)
    account = fold_account(events)
    assert open_account(account, customer_id=CUSTOMER, **wish) == ()
    with pytest.raises(AlreadyOpen) as refused:
        open_account(account, customer_id=uuid5(NAMES, "other"), **wish)
    assert isinstance(refused.value, Refusal)


@pytest.mark.clause("WUTM-31")
async def test_terms_without_lump_sum_bills_put_nothing_together() -> None:
    world = await _billed(due={}, service="MYSEC")
    lumped = await use_cases.lump_months(
        world.billing,
        ACCOUNT,
        contract_id=CONTRACT,
        months=("2024-03", "2024-04"),
        due_on=day("2024-06-30"),
        decided_on=day("2024-03-10"),
        write=world.write("2024-03-10"),
    )
    assert lumped.events == ()
