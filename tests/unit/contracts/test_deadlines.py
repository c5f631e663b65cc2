"""What follows by itself, and when."""

from datetime import date

import pytest

from libs.dates.japan import japan_instant
from libs.events.vocabulary.contracts import ContractTerminated
from services.contracts.domain.deadlines import (
    Deadline,
    ends_at_latest,
    last_day,
    next_deadlines,
    run_deadline,
)

from .builders import (
    TERMS,
    applied,
    approved,
    given,
    resumed,
    running,
    suspended,
    terminated,
)

LIMIT = Deadline(japan_instant(date(2029, 1, 10)), "maximum-period")
MAY, NOVEMBER = date(2024, 5, 1), date(2024, 11, 1)
LIFTING = Deadline(japan_instant(NOVEMBER), "suspension-limit")
RUNNING = running(service="WUTM")
SUSPENDED = (*RUNNING, suspended(MAY, until_on=NOVEMBER))


@pytest.mark.clause("WUTM-8.1")
def test_the_last_day_is_known_from_the_start() -> None:
    assert last_day(given(*RUNNING), terms=TERMS) == date(2029, 1, 9)
    assert ends_at_latest(given(*RUNNING), terms=TERMS) == date(2029, 1, 10)
    formed = given(applied(service="WUTM"), approved(service="WUTM"))
    assert last_day(formed, terms=TERMS) is None
    assert last_day(given(*running()), terms=TERMS) is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param((applied(service="WUTM"),), (), id="before the start"),
        pytest.param(RUNNING, (LIMIT,), id="running"),
        pytest.param(SUSPENDED, (LIFTING, LIMIT), id="suspended: the earliest first"),
        pytest.param((*SUSPENDED, resumed(date(2024, 6, 1))), (LIMIT,), id="resumed"),
        pytest.param((*SUSPENDED, terminated(date(2024, 12, 1))), (LIFTING,), id="ends after it"),
        pytest.param((*SUSPENDED, terminated(NOVEMBER)), (), id="ends with it"),
        pytest.param(running(), (), id="a service without a limit"),
    ],
)
def test_a_contract_waits_for_its_deadlines(
    events: tuple,  # type: ignore[type-arg] # events of any kind
    expected: tuple[Deadline, ...],
) -> None:
    assert next_deadlines(given(*events), terms=TERMS) == expected


@pytest.mark.clause("WUTM-8.2")
def test_at_the_end_of_its_period_a_contract_ends_by_itself() -> None:
    (event,) = run_deadline(given(*RUNNING), deadline=LIMIT, terms=TERMS)
    assert isinstance(event, ContractTerminated)
    assert (event.terminated_on, event.cause) == (date(2029, 1, 10), "maximum_period")
    assert event.clause == "WUTM-8.2"
    assert run_deadline(given(*RUNNING, event), deadline=LIMIT, terms=TERMS) == ()


@pytest.mark.clause("WUTM-18.1")
def test_a_suspension_is_over_at_its_limit() -> None:
    events = run_deadline(given(*SUSPENDED), deadline=LIFTING, terms=TERMS)
    assert events == (resumed(NOVEMBER),)
    assert run_deadline(given(*SUSPENDED, *events), deadline=LIFTING, terms=TERMS) == ()
