"""Cancelling by notice: which day results, what it costs, and when it lapses."""

from datetime import date
from pathlib import Path

import pytest

from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractEvent,
    ContractFormed,
    ContractTerminated,
    TerminationLapsed,
    TerminationRequested,
    WorkAccepted,
)
from services.contracts.domain.applications import accept_work
from services.contracts.domain.cancelling import (
    CancellationNotice,
    cancel,
    cancellation,
    lapse,
    lapses_on,
    loss_paid,
)
from services.contracts.domain.refusals import NotEnoughToRemove, NotOfThisService, WorkOnHold
from services.contracts.domain.terms import ContractTerms, load_terms
from tests.unit.contracts.builders import CONTRACT, ON, applied, event_id, given, mysec, running

TERMS = load_terms(("RRNS",), folder=Path("terms"))
START = date(2024, 4, 15)
CONTENT = Content(initial_fee=0, monthly_fee=12_000, wished_start_on=START)


def rrns() -> ContractTerms:
    return TERMS.at("RRNS", ON)


def ordered(*more: ContractEvent) -> tuple[ContractEvent, ...]:
    on = date(2024, 4, 1)
    return (
        applied(on, service="RRNS", content=CONTENT),
        ContractFormed(contract_id=CONTRACT, formed_on=on, effective_on=on),
        *more,
    )


def accepted(on: date) -> WorkAccepted:
    return WorkAccepted(contract_id=CONTRACT, accepted_on=on)


def judged(
    requested_on: date,
    desired_on: date,
    *,
    accepted_on: date | None,
    fee: int = 60_000,
    damage: int = 0,
    loss: int = 80_000,
) -> tuple[date, int, int, int]:
    """The day that results, the fee, the damage above it, the loss."""
    found = cancellation(
        CancellationNotice(
            requested_on=requested_on, desired_on=desired_on, fee=fee, damage=damage, loss=loss
        ),
        accepted_on=accepted_on,
        starts_on=START,
        terms=rrns().termination_by_customer,
    )
    return found.ends_on, found.fee, found.excess, found.loss


@pytest.mark.clause("RRNS-10.1.S1")
@pytest.mark.parametrize(
    ("notice", "desired", "ends"),
    [
        pytest.param(date(2025, 8, 10), date(2025, 9, 10), date(2025, 9, 10), id="exactly a month"),
        pytest.param(date(2025, 8, 10), date(2025, 9, 9), date(2025, 9, 10), id="a day short"),
        pytest.param(date(2025, 8, 31), date(2025, 9, 30), date(2025, 9, 30), id="month ends"),
        pytest.param(date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), id="February"),
        pytest.param(date(2026, 1, 31), date(2026, 5, 2), date(2026, 5, 2), id="well ahead"),
    ],
)
def test_the_end_comes_a_month_after_the_notice_at_the_earliest(
    notice: date, desired: date, ends: date
) -> None:
    assert judged(notice, desired, accepted_on=date(2022, 4, 10)) == (ends, 0, 0, 0)


@pytest.mark.clause("RRNS-10.3.S1")
@pytest.mark.parametrize(
    ("accepted_on", "desired", "fee"),
    [
        pytest.param(date(2024, 4, 10), date(2025, 4, 30), 60_000, id="last day of the months"),
        pytest.param(date(2024, 4, 10), date(2025, 5, 1), 0, id="first day after"),
        pytest.param(date(2023, 2, 28), date(2024, 2, 29), 60_000, id="leap day is the last"),
        pytest.param(date(2024, 12, 31), date(2025, 12, 31), 60_000, id="accepted at a month end"),
    ],
)
def test_the_first_twelve_months_are_judged_by_the_desired_day(
    accepted_on: date, desired: date, fee: int
) -> None:
    notice = date(desired.year, desired.month, 1)
    assert judged(notice, desired, accepted_on=accepted_on)[1] == fee


@pytest.mark.clause("RRNS-10.3.S1")
def test_in_the_first_months_the_fee_stands_in_for_the_time_of_notice() -> None:
    day = date(2024, 10, 1)
    assert judged(day, date(2024, 10, 2), accepted_on=date(2024, 5, 1))[0] == date(2024, 10, 2)


@pytest.mark.clause("RRNS-10.4")
@pytest.mark.parametrize(("damage", "excess"), [(75_000, 15_000), (60_000, 0), (0, 0)])
def test_only_the_damage_above_the_fee_is_claimed(damage: int, excess: int) -> None:
    day = date(2024, 10, 1)
    assert judged(day, day, accepted_on=date(2024, 5, 1), damage=damage)[2] == excess


@pytest.mark.clause("RRNS-10.2", "RRNS-6")
@pytest.mark.parametrize(
    ("notice", "accepted_on", "expected"),
    [
        pytest.param(START, None, (date(2024, 5, 10), 0, 0, 80_000), id="first day"),
        pytest.param(
            date(2024, 4, 14), None, (date(2024, 5, 14), 0, 0, 0), id="before the contract begins"
        ),
        pytest.param(
            date(2024, 5, 1),
            date(2024, 5, 1),
            (date(2024, 5, 10), 0, 0, 80_000),
            id="on the day of acceptance",
        ),
        pytest.param(
            date(2024, 5, 2),
            date(2024, 5, 1),
            (date(2024, 5, 10), 60_000, 0, 0),
            id="the day after acceptance",
        ),
    ],
)
def test_before_acceptance_the_loss_is_paid_instead(
    notice: date, accepted_on: date | None, expected: tuple[date, int, int, int]
) -> None:
    assert judged(notice, date(2024, 5, 10), accepted_on=accepted_on) == expected


@pytest.mark.clause("RRNS-10.1.S2", "RRNS-3.D3")
def test_a_notice_ends_the_contract_and_is_told_with_its_month() -> None:
    life = given(*ordered(accepted(date(2022, 4, 20))))
    notice = CancellationNotice(requested_on=date(2025, 8, 10), desired_on=date(2025, 9, 30))
    requested, ended = cancel(life, notice=notice, terms=rrns())
    assert isinstance(requested, TerminationRequested)
    assert requested.cancellation is not None
    assert requested.cancellation.contract_end_on == date(2025, 8, 31)
    assert isinstance(ended, ContractTerminated)
    assert (ended.terminated_on, ended.declared_on) == (date(2025, 9, 30), date(2025, 8, 10))
    after = given(*ordered(accepted(date(2022, 4, 20))), requested, ended)
    assert cancel(after, notice=notice, terms=rrns()) == ()


WAITING = CancellationNotice(
    requested_on=date(2024, 4, 20), desired_on=date(2024, 5, 10), loss=80_000
)


def waiting() -> tuple[ContractEvent, ...]:
    (requested,) = cancel(given(*ordered()), notice=WAITING, terms=rrns())
    return ordered(requested)


@pytest.mark.clause("RRNS-10.2")
@pytest.mark.parametrize(
    ("paid_on", "ends"),
    [(date(2024, 5, 10), True), (date(2024, 5, 11), False)],
    ids=["on its last day", "a day late"],
)
def test_the_loss_paid_by_the_desired_day_ends_the_contract(paid_on: date, ends: bool) -> None:
    events = loss_paid(given(*waiting()), requests=[event_id(3)], paid_on=paid_on)
    assert [event.takes_effect_on for event in events] == [date(2024, 5, 10)] * ends


@pytest.mark.clause("RRNS-10.2")
def test_what_is_paid_for_something_else_ends_nothing() -> None:
    life = given(*waiting())
    assert loss_paid(life, requests=[event_id(9)], paid_on=date(2024, 5, 10)) == ()


@pytest.mark.clause("RRNS-10.2")
def test_a_loss_that_is_not_paid_lets_the_request_lapse_and_the_work_go_on() -> None:
    life = given(*waiting())
    assert lapses_on(life) == date(2024, 5, 11)
    with pytest.raises(WorkOnHold):
        accept_work(life, accepted_on=date(2024, 5, 9), terms=rrns())
    (lapsed,) = lapse(life, lapsed_on=date(2024, 5, 11))
    assert isinstance(lapsed, TerminationLapsed)
    after = given(*waiting(), lapsed)
    assert lapses_on(after) is None
    assert accept_work(after, accepted_on=date(2024, 5, 20), terms=rrns()) != ()


@pytest.mark.clause("RRNS-9", "RRNS-10.3.S1")
def test_an_option_has_twelve_months_of_its_own_and_ends_alone() -> None:
    vpn = ContentChanged(
        contract_id=CONTRACT,
        effective_on=date(2024, 9, 27),
        kind="option-added",
        before=CONTENT,
        after=CONTENT.model_copy(update={"options": ("vpn",)}),
        option="vpn",
        monthly_fee=3_000,
    )
    life = given(*ordered(accepted(date(2022, 6, 20)), vpn))
    notice = CancellationNotice(
        requested_on=date(2025, 9, 1), desired_on=date(2025, 9, 30), fee=5_000, option="vpn"
    )
    requested, removed = cancel(life, notice=notice, terms=rrns())
    assert isinstance(requested, TerminationRequested)
    assert requested.cancellation is not None
    assert requested.cancellation.fee == 5_000
    assert isinstance(removed, ContentChanged)
    assert (removed.kind, removed.effective_on) == ("option-removed", date(2025, 9, 30))


def test_an_option_that_is_not_there_cannot_be_cancelled() -> None:
    life = given(*ordered(accepted(date(2022, 6, 20))))
    notice = CancellationNotice(
        requested_on=date(2025, 9, 1), desired_on=date(2025, 9, 30), option="vpn"
    )
    with pytest.raises(NotEnoughToRemove):
        cancel(life, notice=notice, terms=rrns())


@pytest.mark.clause("NSEC-11.1")
def test_a_service_that_is_ended_by_form_knows_no_cancellation_by_notice() -> None:
    with pytest.raises(NotOfThisService):
        cancel(given(*running()), notice=WAITING, terms=mysec(START))
