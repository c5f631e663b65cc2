"""All the ways in which a contract ends."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import (
    ContractResumed,
    ContractSuspended,
    ContractTerminated,
    LineContractEnded,
    TerminationRequested,
)
from libs.refusal.refusal import Refusal
from services.contracts.domain.ending import (
    Judgement,
    abolish,
    confirm_termination,
    line_converted,
    line_ended,
    request_termination,
    terminate_by_customer,
    terminate_by_operator,
)
from services.contracts.domain.refusals import (
    AlreadyEnded,
    BeyondMaximumPeriod,
    NoRequest,
    NotAGround,
    NotFormed,
    NoticeMissing,
    NotOfThisService,
    TooEarly,
)
from services.contracts.domain.use import Notice

from .builders import (
    CONTRACT,
    applied,
    given,
    mysec,
    resumed,
    running,
    suspended,
    terminated,
    wutm,
)

MAY = date(2024, 5, 10)


def the_end(events: tuple[object, ...]) -> ContractTerminated:
    (end,) = [event for event in events if isinstance(event, ContractTerminated)]
    return end


@pytest.mark.clause("NSEC-11.1")
@pytest.mark.parametrize(
    ("received_on", "good"),
    [
        pytest.param(date(2024, 5, 9), True, id="the day before"),
        pytest.param(MAY, True, id="the same day"),
        pytest.param(date(2024, 5, 11), False, id="the day after"),
    ],
)
def test_the_form_precedes_the_end(received_on: date, *, good: bool) -> None:
    life = given(*running())
    if good:
        events = terminate_by_customer(
            life, terminated_on=MAY, received_on=received_on, terms=mysec()
        )
        assert events == (terminated(MAY),)
        return
    with pytest.raises(TooEarly) as refused:
        terminate_by_customer(life, terminated_on=MAY, received_on=received_on, terms=mysec())
    assert refused.value.clause == "NSEC-11.1"


def test_ending_again_changes_nothing_a_later_end_is_refused_and_an_earlier_one_counts() -> None:
    life = given(*running(), terminated(MAY))
    early, late = date(2024, 5, 9), date(2024, 5, 11)
    assert terminate_by_customer(life, terminated_on=MAY, received_on=MAY, terms=mysec()) == ()
    with pytest.raises(AlreadyEnded):
        terminate_by_customer(life, terminated_on=late, received_on=MAY, terms=mysec())
    earlier = terminate_by_customer(life, terminated_on=early, received_on=early, terms=mysec())
    assert the_end(earlier).terminated_on == early


def requested(desired_on: date, *, on: date = date(2024, 5, 7)) -> TerminationRequested:
    return TerminationRequested(contract_id=CONTRACT, requested_on=on, desired_on=desired_on)


@pytest.mark.clause("WUTM-21.1")
@pytest.mark.parametrize(
    "desired_on",
    [
        pytest.param(date(2024, 5, 20), id="in time"),
        pytest.param(date(2024, 5, 8), id="late, and not refused"),
        pytest.param(date(2024, 5, 1), id="past, and not refused"),
    ],
)
def test_a_request_is_noted_whenever_it_comes(desired_on: date) -> None:
    life = given(*running(service="WUTM"))
    events = request_termination(
        life,
        requested_on=date(2024, 5, 7),
        desired_on=desired_on,
        terms=wutm(),
        ends_at_latest=date(2029, 1, 10),
    )
    assert events == (requested(desired_on),)
    again = given(*running(service="WUTM"), *events)
    assert (
        request_termination(
            again,
            requested_on=date(2024, 5, 7),
            desired_on=desired_on,
            terms=wutm(),
            ends_at_latest=None,
        )
        == ()
    )


@pytest.mark.clause("WUTM-8.2")
@pytest.mark.parametrize(
    ("desired_on", "good"),
    [
        pytest.param(date(2029, 1, 10), True, id="the day after the last day"),
        pytest.param(date(2029, 1, 11), False, id="a day later"),
    ],
)
def test_no_end_lies_beyond_the_maximum_period(desired_on: date, *, good: bool) -> None:
    def act() -> int:
        return len(
            request_termination(
                given(*running(service="WUTM")),
                requested_on=date(2028, 12, 1),
                desired_on=desired_on,
                terms=wutm(),
                ends_at_latest=date(2029, 1, 10),
            )
        )

    if good:
        assert act() == 1
        return
    with pytest.raises(BeyondMaximumPeriod) as refused:
        act()
    assert refused.value.clause == "WUTM-8.2"


@pytest.mark.clause("WUTM-21.2.1")
@pytest.mark.clause("WUTM-21.2.2")
@pytest.mark.clause("WUTM-S2021-05-11.2")
@pytest.mark.parametrize(
    ("asked", "desired_on", "confirmed_on", "expected"),
    [
        pytest.param(
            date(2024, 5, 7), date(2024, 5, 20), date(2024, 5, 10), date(2024, 5, 20), id="in time"
        ),
        pytest.param(
            date(2025, 6, 16),
            date(2025, 6, 18),
            date(2025, 6, 17),
            date(2025, 6, 18),
            id="less than five business days ahead",
        ),
        pytest.param(
            date(2024, 5, 7),
            date(2024, 5, 10),
            date(2024, 5, 10),
            date(2024, 5, 10),
            id="confirmed on the desired day",
        ),
        pytest.param(
            date(2024, 5, 7),
            date(2024, 5, 9),
            date(2024, 5, 10),
            date(2024, 5, 17),
            id="confirmed a day late: five business days more",
        ),
        pytest.param(
            date(2023, 12, 20),
            date(2023, 12, 26),
            date(2023, 12, 27),
            date(2024, 1, 11),
            id="over New Year and a holiday",
        ),
        pytest.param(
            date(2021, 5, 16),
            date(2021, 5, 18),
            date(2021, 5, 20),
            date(2021, 5, 20),
            id="asked before 2021-05-17: the confirmation day",
        ),
        pytest.param(
            date(2021, 5, 17),
            date(2021, 5, 18),
            date(2021, 5, 20),
            date(2021, 5, 27),
            id="asked on 2021-05-17: five business days more",
        ),
    ],
)
def test_the_termination_date_follows_the_desired_day_and_the_confirmation(
    asked: date, desired_on: date, confirmed_on: date, expected: date
) -> None:
    life = given(*running(date(2021, 1, 1), service="WUTM"), requested(desired_on, on=asked))
    end = the_end(
        confirm_termination(
            life, confirmed_on=confirmed_on, terms_at=wutm, ends_at_latest=date(2026, 1, 1)
        )
    )
    assert (end.terminated_on, end.by, end.cause) == (expected, "customer", "customer")


def test_confirming_again_changes_nothing() -> None:
    life = given(*running(service="WUTM"), requested(date(2024, 5, 20)))
    events = confirm_termination(
        life, confirmed_on=date(2024, 5, 10), terms_at=wutm, ends_at_latest=None
    )
    again = given(*running(service="WUTM"), requested(date(2024, 5, 20)), *events)
    assert (
        confirm_termination(
            again, confirmed_on=date(2024, 5, 10), terms_at=wutm, ends_at_latest=None
        )
        == ()
    )


@pytest.mark.parametrize(
    ("events", "confirmed_on", "refusal"),
    [
        pytest.param((), MAY, NoRequest, id="no request"),
        pytest.param(
            (requested(date(2024, 5, 20)),), date(2024, 5, 6), TooEarly, id="before the request"
        ),
    ],
)
def test_a_confirmation_needs_a_request_before_it(
    events: tuple[TerminationRequested, ...], confirmed_on: date, refusal: type[Refusal]
) -> None:
    life = given(*running(service="WUTM"), *events)
    with pytest.raises(refusal):
        confirm_termination(life, confirmed_on=confirmed_on, terms_at=wutm, ends_at_latest=None)


def test_each_service_has_its_own_way_for_the_customer() -> None:
    with pytest.raises(NotOfThisService):
        terminate_by_customer(
            given(*running(service="WUTM")), terminated_on=MAY, received_on=MAY, terms=wutm()
        )
    with pytest.raises(NotOfThisService):
        request_termination(
            given(*running()),
            requested_on=MAY,
            desired_on=MAY,
            terms=mysec(),
            ends_at_latest=None,
        )


def judged(ground: str, *, notice: Notice | None = None) -> Judgement:
    return Judgement(ground=ground, notice=notice or Notice())


@pytest.mark.clause("NSEC-12.1.1")
@pytest.mark.clause("NSEC-12.1.2")
@pytest.mark.clause("NSEC-12.1.3")
@pytest.mark.clause("NSEC-12.1.4")
@pytest.mark.clause("WUTM-22.1")
@pytest.mark.clause("WUTM-22.4.1")
@pytest.mark.clause("WUTM-22.4.2")
@pytest.mark.clause("WUTM-22.4.3")
@pytest.mark.clause("WUTM-22.4.4")
@pytest.mark.clause("WUTM-22.4.5")
@pytest.mark.clause("WUTM-23.2.1")
@pytest.mark.clause("WUTM-23.2.2.i")
@pytest.mark.clause("WUTM-23.2.2.ii")
@pytest.mark.clause("WUTM-23.2.2.iii")
@pytest.mark.clause("WUTM-23.2.2.iv")
@pytest.mark.clause("WUTM-23.2.2.v")
@pytest.mark.parametrize(
    ("service", "ground", "clause", "cause"),
    [
        pytest.param(service, ground, clause, cause, id=clause)
        for service, ground, clause, cause in (
            ("MYSEC", "not-cured", "NSEC-12.1.1", "provider"),
            ("MYSEC", "unpaid", "NSEC-12.1.2", "provider"),
            ("MYSEC", "false-application", "NSEC-12.1.3", "provider"),
            ("MYSEC", "other-breach", "NSEC-12.1.4", "provider"),
            ("WUTM", "suspension-not-resolved", "WUTM-22.1", "provider"),
            ("WUTM", "insolvent-payments", "WUTM-22.4.1", "provider"),
            ("WUTM", "clearing-house", "WUTM-22.4.2", "provider"),
            ("WUTM", "seizure", "WUTM-22.4.3", "provider"),
            ("WUTM", "bankruptcy", "WUTM-22.4.4", "provider"),
            ("WUTM", "unjust-conduct", "WUTM-22.4.5", "provider"),
            ("WUTM", "antisocial-relations", "WUTM-23.2.1", "antisocial"),
            ("WUTM", "violent-demand", "WUTM-23.2.2.i", "antisocial"),
            ("WUTM", "unjust-demand", "WUTM-23.2.2.ii", "antisocial"),
            ("WUTM", "threat", "WUTM-23.2.2.iii", "antisocial"),
            ("WUTM", "rumours-or-fraud", "WUTM-23.2.2.iv", "antisocial"),
            ("WUTM", "similar-act", "WUTM-23.2.2.v", "antisocial"),
        )
    ],
)
def test_the_operator_ends_a_contract_on_a_ground_of_the_terms(
    service: str, ground: str, clause: str, cause: str
) -> None:
    life = given(*running(service=service), suspended(date(2024, 4, 1)))
    end = the_end(
        terminate_by_operator(
            life,
            terminated_on=MAY,
            judgement=judged(ground, notice=Notice(notified_on=date(2024, 5, 9))),
            terms=mysec() if service == "MYSEC" else wutm(),
        )
    )
    assert (end.clause, end.cause, end.by) == (clause, cause, "operator")


@pytest.mark.clause("WUTM-22.0.1")
@pytest.mark.clause("WUTM-22.0.3")
@pytest.mark.clause("NSEC-12.2")
@pytest.mark.parametrize(
    ("service", "ground", "notice", "good"),
    [
        pytest.param(
            "WUTM",
            "suspension-not-resolved",
            Notice(notified_on=date(2024, 5, 9)),
            True,
            id="notified the day before",
        ),
        pytest.param(
            "WUTM",
            "suspension-not-resolved",
            Notice(notified_on=MAY),
            False,
            id="notified on the day",
        ),
        pytest.param(
            "WUTM",
            "suspension-not-resolved",
            Notice(urgent_reason="now"),
            False,
            id="urgency replaces no notice there",
        ),
        pytest.param("WUTM", "bankruptcy", Notice(), True, id="no notice needed"),
        pytest.param("MYSEC", "unpaid", Notice(), False, id="without a notice"),
        pytest.param("MYSEC", "unpaid", Notice(urgent_reason="now"), True, id="urgent"),
    ],
)
def test_a_notice_comes_before_the_end_where_the_terms_ask_for_one(
    service: str, ground: str, notice: Notice, *, good: bool
) -> None:
    life = given(*running(service=service), suspended(date(2024, 4, 1)))
    terms = mysec() if service == "MYSEC" else wutm()
    judgement = judged(ground, notice=notice)
    if good:
        assert terminate_by_operator(life, terminated_on=MAY, judgement=judgement, terms=terms)
        return
    with pytest.raises(NoticeMissing):
        terminate_by_operator(life, terminated_on=MAY, judgement=judgement, terms=terms)


@pytest.mark.clause("WUTM-22.1")
@pytest.mark.clause("NSEC-12.1.1")
@pytest.mark.parametrize(
    ("service", "ground"), [("WUTM", "suspension-not-resolved"), ("MYSEC", "not-cured")]
)
def test_an_unresolved_suspension_needs_a_suspension(service: str, ground: str) -> None:
    with pytest.raises(NotAGround):
        terminate_by_operator(
            given(*running(service=service)),
            terminated_on=MAY,
            judgement=judged(ground, notice=Notice(notified_on=date(2024, 5, 1))),
            terms=mysec() if service == "MYSEC" else wutm(),
        )


@pytest.mark.clause("WUTM-22.1")
@pytest.mark.clause("NSEC-12.1.1")
@pytest.mark.clause("WSRV-22.1")
@pytest.mark.parametrize(
    ("history", "good"),
    [
        pytest.param((suspended(date(2024, 4, 1)), resumed(date(2024, 5, 1))), False, id="lifted"),
        pytest.param((suspended(date(2024, 4, 1)), resumed(MAY)), False, id="lifted that day"),
        pytest.param(
            (suspended(date(2024, 4, 1)), resumed(date(2024, 5, 11))),
            True,
            id="lifted the day after",
        ),
        pytest.param(
            (suspended(date(2024, 4, 1), until_on=date(2024, 5, 1)), resumed(date(2024, 5, 1))),
            True,
            id="ran out, which resolves nothing",
        ),
        pytest.param(
            (suspended(date(2024, 4, 1), until_on=date(2024, 5, 1)), resumed(date(2024, 4, 30))),
            False,
            id="lifted the day before it ran out",
        ),
        pytest.param((suspended(date(2024, 5, 11)),), False, id="begins the day after"),
        pytest.param((suspended(MAY),), True, id="begins that day"),
        pytest.param(
            (
                suspended(date(2024, 2, 1)),
                resumed(date(2024, 3, 1)),
                suspended(date(2024, 4, 1), ground="breach"),
            ),
            True,
            id="one lifted and one of another ground not",
        ),
        pytest.param(
            (
                suspended(date(2024, 2, 1), until_on=date(2024, 3, 1)),
                resumed(date(2024, 3, 1)),
                suspended(date(2024, 4, 1)),
                resumed(date(2024, 5, 1)),
            ),
            False,
            id="ran out, then lifted on the same ground",
        ),
        pytest.param(
            (
                suspended(date(2024, 2, 1), until_on=date(2024, 3, 1)),
                resumed(date(2024, 3, 1)),
                suspended(date(2024, 4, 1), ground="breach"),
                resumed(date(2024, 5, 1)),
            ),
            True,
            id="ran out, then another ground lifted",
        ),
    ],
)
def test_a_suspension_that_was_lifted_is_resolved(
    history: tuple[ContractSuspended | ContractResumed, ...], *, good: bool
) -> None:
    life = given(*running(), *history)
    judgement = judged("not-cured", notice=Notice(notified_on=date(2024, 5, 9)))
    if good:
        end = terminate_by_operator(life, terminated_on=MAY, judgement=judgement, terms=mysec())
        assert the_end(end).clause == "NSEC-12.1.1"
        return
    with pytest.raises(NotAGround) as refused:
        terminate_by_operator(life, terminated_on=MAY, judgement=judgement, terms=mysec())
    assert refused.value.clause == "NSEC-12.1.1"


@pytest.mark.clause("NSEC-20.2")
@pytest.mark.clause("WUTM-20.2.2")
@pytest.mark.clause("WUTM-22.3")
@pytest.mark.parametrize(("service", "clause"), [("MYSEC", "NSEC-20.2"), ("WUTM", "WUTM-20.2.2")])
def test_contracts_end_with_their_service(service: str, clause: str) -> None:
    end = the_end(
        abolish(
            given(*running(service=service)),
            abolished_on=MAY,
            terms=mysec() if service == "MYSEC" else wutm(),
        )
    )
    assert (end.cause, end.clause, end.terminated_on) == ("abolition", clause, MAY)


@pytest.mark.clause("WUTM-22.0.2")
def test_the_end_of_the_line_ends_the_contract_on_its_day() -> None:
    life = given(*running(service="WUTM"))
    events = line_ended(life, ended_on=MAY, reason="termination", terms=wutm())
    assert isinstance(events[0], LineContractEnded)
    assert (the_end(events).terminated_on, the_end(events).cause) == (MAY, "line")
    again = given(*running(service="WUTM"), *events)
    assert line_ended(again, ended_on=MAY, reason="termination", terms=wutm()) == ()


@pytest.mark.clause("WUTM-22.0.2")
def test_the_end_of_the_line_overtakes_a_later_end() -> None:
    life = given(*running(service="WUTM"), terminated(date(2024, 6, 1)))
    events = line_ended(life, ended_on=MAY, reason="termination", terms=wutm())
    assert the_end(events).terminated_on == MAY


@pytest.mark.clause("WUTM-22.2")
@pytest.mark.parametrize("reason", ["relocation", "conversion", "provider_change"])
def test_other_ends_of_the_line_leave_the_contract(reason: str) -> None:
    life = given(*running(service="WUTM"))
    (event,) = line_ended(life, ended_on=MAY, reason=reason, terms=wutm())  # type: ignore[arg-type] # one of the reasons
    assert isinstance(event, LineContractEnded)


@pytest.mark.clause("WUTM-22.2")
def test_a_converted_line_is_told_once() -> None:
    life = given(*running(service="WUTM"))
    (event,) = line_converted(life, converted_on=MAY, terms=wutm())
    again = given(*running(service="WUTM"), event)
    assert line_converted(again, converted_on=MAY, terms=wutm()) == ()


def test_a_service_without_a_line_knows_no_end_of_it() -> None:
    with pytest.raises(NotOfThisService):
        line_ended(given(*running()), ended_on=MAY, reason="termination", terms=mysec())
    with pytest.raises(NotOfThisService):
        line_converted(given(*running()), converted_on=MAY, terms=mysec())


def test_what_was_never_formed_does_not_end() -> None:
    with pytest.raises(NotFormed):
        terminate_by_customer(given(applied()), terminated_on=MAY, received_on=MAY, terms=mysec())
