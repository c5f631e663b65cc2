"""Suspension and resumption."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import ContractSuspended
from services.contracts.domain.refusals import (
    AlreadySuspended,
    NotAGround,
    NoticeMissing,
    NotInForce,
    NotSuspended,
    SuspensionNotRenewed,
    SuspensionTooLong,
    TooEarly,
)
from services.contracts.domain.use import Notice, Period, resume, suspend

from .builders import applied, approved, given, mysec, resumed, running, suspended, wutm

MAY = date(2024, 5, 1)
URGENT = Notice(urgent_reason="harm to others")


@pytest.mark.clause("NSEC-16.1.1")
@pytest.mark.clause("NSEC-16.1.2")
@pytest.mark.clause("NSEC-16.1.3")
@pytest.mark.clause("WUTM-18.1.1")
@pytest.mark.clause("WUTM-18.1.2")
@pytest.mark.clause("WUTM-18.1.3")
@pytest.mark.clause("WUTM-18.1.4")
@pytest.mark.clause("WUTM-18.1.5")
@pytest.mark.clause("WUTM-18.1.6")
@pytest.mark.clause("WUTM-18.1.7")
@pytest.mark.parametrize(
    ("service", "ground", "clause"),
    [
        pytest.param(service, ground, clause, id=clause)
        for service, ground, clause in (
            ("MYSEC", "unpaid", "NSEC-16.1.1"),
            ("MYSEC", "breach", "NSEC-16.1.2"),
            ("MYSEC", "grave-hindrance", "NSEC-16.1.3"),
            ("WUTM", "unpaid", "WUTM-18.1.1"),
            ("WUTM", "unpaid-elsewhere", "WUTM-18.1.2"),
            ("WUTM", "defamation", "WUTM-18.1.3"),
            ("WUTM", "breach", "WUTM-18.1.4"),
            ("WUTM", "excessive-enquiries", "WUTM-18.1.5"),
            ("WUTM", "hindrance", "WUTM-18.1.6"),
            ("WUTM", "damage", "WUTM-18.1.7"),
        )
    ],
)
def test_use_is_suspended_on_a_ground_of_the_terms(service: str, ground: str, clause: str) -> None:
    (event,) = suspend(
        given(*running(service=service)),
        period=Period(from_on=MAY),
        ground=ground,
        notice=Notice(notified_on=date(2024, 4, 20)),
        terms=mysec() if service == "MYSEC" else wutm(),
    )
    assert isinstance(event, ContractSuspended)
    assert (event.ground, event.clause) == (ground, clause)


def test_another_ground_is_none() -> None:
    with pytest.raises(NotAGround):
        suspend(
            given(*running()),
            period=Period(from_on=MAY),
            ground="dislike",
            notice=URGENT,
            terms=mysec(),
        )


@pytest.mark.parametrize(
    ("service", "clause"),
    [
        pytest.param("MYSEC", "NSEC-16.2", marks=pytest.mark.clause("NSEC-16.2"), id="NSEC"),
        pytest.param("WUTM", "WUTM-18.2", marks=pytest.mark.clause("WUTM-18.2"), id="WUTM"),
    ],
)
@pytest.mark.parametrize(
    ("notice", "good"),
    [
        pytest.param(Notice(), False, id="none"),
        pytest.param(Notice(notified_on=date(2024, 5, 2)), False, id="the day after"),
        pytest.param(Notice(notified_on=MAY), True, id="on the day"),
        pytest.param(URGENT, True, id="urgent"),
    ],
)
def test_a_notice_comes_first_unless_it_is_urgent(
    service: str, clause: str, notice: Notice, *, good: bool
) -> None:
    def act() -> int:
        return len(
            suspend(
                given(*running(service=service)),
                period=Period(from_on=MAY),
                ground="unpaid",
                notice=notice,
                terms=mysec() if service == "MYSEC" else wutm(),
            )
        )

    if good:
        assert act() == 1
        return
    with pytest.raises(NoticeMissing) as refused:
        act()
    assert refused.value.clause == clause


@pytest.mark.clause("WUTM-18.1")
@pytest.mark.parametrize(
    ("from_on", "until_on", "limit"),
    [
        pytest.param(MAY, None, date(2024, 11, 1), id="none given: the longest time"),
        pytest.param(MAY, date(2024, 11, 1), date(2024, 11, 1), id="the longest time"),
        pytest.param(
            date(2024, 8, 31), None, date(2025, 3, 1), id="no corresponding day: the month's end"
        ),
        pytest.param(MAY, date(2024, 5, 2), date(2024, 5, 2), id="one day"),
    ],
)
def test_a_suspension_lasts_at_most_six_months(
    from_on: date, until_on: date | None, limit: date
) -> None:
    (event,) = suspend(
        given(*running(service="WUTM")),
        period=Period(from_on=from_on, until_on=until_on),
        ground="unpaid",
        notice=URGENT,
        terms=wutm(),
    )
    assert isinstance(event, ContractSuspended)
    assert event.until_on == limit


@pytest.mark.clause("WUTM-18.1")
def test_a_longer_suspension_is_refused() -> None:
    with pytest.raises(SuspensionTooLong) as refused:
        suspend(
            given(*running(service="WUTM")),
            period=Period(from_on=MAY, until_on=date(2024, 11, 2)),
            ground="unpaid",
            notice=URGENT,
            terms=wutm(),
        )
    assert refused.value.clause == "WUTM-18.1"


def test_a_service_without_a_limit_is_suspended_until_it_is_resumed() -> None:
    (event,) = suspend(
        given(*running()), period=Period(from_on=MAY), ground="unpaid", notice=URGENT, terms=mysec()
    )
    assert isinstance(event, ContractSuspended)
    assert event.until_on is None


@pytest.mark.clause("WUTM-18.1")
@pytest.mark.parametrize(
    ("over_on", "ground", "good"),
    [
        pytest.param(date(2024, 11, 1), "unpaid", False, id="the same ground, six months"),
        pytest.param(date(2024, 11, 1), "breach", True, id="another ground"),
        pytest.param(date(2024, 10, 31), "unpaid", True, id="lifted a day early"),
    ],
)
def test_the_same_ground_does_not_start_another_six_months(
    over_on: date, ground: str, *, good: bool
) -> None:
    life = given(
        *running(service="WUTM"),
        suspended(MAY, until_on=date(2024, 11, 1)),
        resumed(over_on),
    )
    period = Period(from_on=date(2024, 12, 1))
    if good:
        assert suspend(life, period=period, ground=ground, notice=URGENT, terms=wutm())
    else:
        with pytest.raises(SuspensionNotRenewed):
            suspend(life, period=period, ground=ground, notice=URGENT, terms=wutm())


def test_suspending_again_changes_nothing_and_another_suspension_is_refused() -> None:
    life = given(*running(), suspended(MAY))
    again = suspend(life, period=Period(from_on=MAY), ground="unpaid", notice=URGENT, terms=mysec())
    assert again == ()
    with pytest.raises(AlreadySuspended):
        suspend(
            life,
            period=Period(from_on=date(2024, 6, 1)),
            ground="breach",
            notice=URGENT,
            terms=mysec(),
        )


def test_what_has_not_started_is_not_suspended() -> None:
    with pytest.raises(NotInForce):
        suspend(
            given(applied(), approved()),
            period=Period(from_on=MAY),
            ground="unpaid",
            notice=URGENT,
            terms=mysec(),
        )


def test_a_suspension_ends_after_it_begins() -> None:
    with pytest.raises(TooEarly):
        suspend(
            given(*running()),
            period=Period(from_on=MAY, until_on=MAY),
            ground="unpaid",
            notice=URGENT,
            terms=mysec(),
        )


@pytest.mark.clause("NSEC-16.1.1")
@pytest.mark.clause("WUTM-18.1")
def test_a_suspension_is_lifted_and_again_changes_nothing() -> None:
    life = given(*running(), suspended(MAY))
    assert resume(life, resumed_on=date(2024, 6, 1), terms=mysec()) == (resumed(date(2024, 6, 1)),)
    over = given(*running(), suspended(MAY), resumed(date(2024, 6, 1)))
    assert resume(over, resumed_on=date(2024, 6, 1), terms=mysec()) == ()
    with pytest.raises(NotSuspended):
        resume(over, resumed_on=date(2024, 6, 2), terms=mysec())


def test_a_suspension_is_not_lifted_before_it_begins() -> None:
    with pytest.raises(TooEarly):
        resume(given(*running(), suspended(MAY)), resumed_on=date(2024, 4, 30), terms=mysec())
