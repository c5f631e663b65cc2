"""What the terms of CAS, SSD, WSRV, NQMS and RRNS let a contract do, and what they refuse."""

from datetime import date
from pathlib import Path

import pytest

from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractEvent,
    ContractFormed,
    ContractSuspended,
    ContractTerminated,
    TicketOrdered,
    WorkAccepted,
)
from services.contracts.answers import contract_answer
from services.contracts.domain.applications import (
    Costs,
    Wish,
    accept_work,
    apply,
    order_tickets,
    revoke_approval,
    start,
)
from services.contracts.domain.changes import Change, change_content
from services.contracts.domain.ending import (
    Judgement,
    abolish,
    confirm_termination,
    record_ground,
    request_termination,
    terminate_by_customer,
    terminate_by_operator,
)
from services.contracts.domain.periods import maximum_period_last_day
from services.contracts.domain.refusals import (
    AlreadyAccepted,
    DemandMissing,
    IncompleteApplication,
    NotAGround,
    NotInForce,
    NotOfThisService,
    TooLate,
)
from services.contracts.domain.terms import ContractTerms, offered_terms
from services.contracts.domain.use import Notice, Period, suspend
from tests.unit.contracts.builders import (
    CONTRACT,
    CUSTOMER,
    ON,
    applied,
    approved,
    given,
    running,
    suspended,
)

TERMS = offered_terms(Path("terms"))
PLAIN = Notice()


def terms_of(service: str, on: date = ON) -> ContractTerms:
    return TERMS.at(service, on)


def ssd(started_on: date) -> tuple[ContractEvent, ...]:
    return running(started_on, service="SSD", content=Content())


def rrns(*more: ContractEvent, on: date = ON) -> tuple[ContractEvent, ...]:
    return (
        applied(on, service="RRNS", content=Content(monthly_fee=12_000)),
        ContractFormed(contract_id=CONTRACT, formed_on=on, effective_on=on),
        *more,
    )


def accepted(on: date) -> WorkAccepted:
    return WorkAccepted(contract_id=CONTRACT, accepted_on=on)


@pytest.mark.parametrize("service", ["CAS", "MYSEC", "NQMS", "RRNS", "SSD", "WSRV", "WUTM"])
def test_every_service_of_the_folder_is_kept(service: str) -> None:
    assert TERMS.version(service, ON) <= ON


@pytest.mark.clause("NSEC-A3.N5")
@pytest.mark.parametrize(
    ("started_on", "term"),
    [
        (date(2024, 4, 1), (date(2024, 5, 1), date(2025, 3, 31))),
        (date(2024, 4, 30), (date(2024, 5, 1), date(2025, 3, 31))),
        (date(2023, 3, 15), (date(2023, 4, 1), date(2024, 2, 29))),
    ],
)
def test_the_minimum_term_is_eleven_months_after_the_start_month(
    started_on: date, term: tuple[date, date]
) -> None:
    answer = contract_answer(given(*ssd(started_on)), version=3, terms=TERMS)
    assert answer.minimum_term is not None
    assert (answer.minimum_term.from_on, answer.minimum_term.to_on) == term


@pytest.mark.clause("NSEC-A3.N8")
@pytest.mark.parametrize(
    ("applied_on", "wished_on", "begins_on"),
    [
        (date(2024, 3, 31), date(2024, 3, 31), date(2024, 4, 1)),
        (date(2024, 3, 1), date(2024, 4, 1), date(2024, 4, 1)),
        (date(2024, 3, 31), date(2024, 5, 2), date(2024, 5, 2)),
        (date(2024, 12, 5), date(2024, 12, 5), date(2025, 1, 1)),
    ],
)
def test_a_report_begins_no_earlier_than_the_month_after_its_application(
    applied_on: date, wished_on: date, begins_on: date
) -> None:
    change = Change(
        kind="option-added", option="report", applied_on=applied_on, effective_on=wished_on
    )
    (changed,) = change_content(given(*ssd(ON)), change=change, terms=terms_of("SSD"))
    assert isinstance(changed, ContentChanged)
    assert changed.effective_on == begins_on


@pytest.mark.clause("NSEC-A3.T2", "NSEC-A3.T3")
def test_only_listed_options_are_to_be_had() -> None:
    change = Change(kind="option-added", option="vpn", effective_on=ON)
    with pytest.raises(NotOfThisService):
        change_content(given(*ssd(ON)), change=change, terms=terms_of("SSD"))


@pytest.mark.clause("NSEC-A3.T4", "NSEC-A3.T5", "NSEC-A3.T6")
def test_tickets_are_ordered_from_the_start_on() -> None:
    life, terms = given(*ssd(ON)), terms_of("SSD")
    (ordered,) = order_tickets(life, kind="urgent", quantity=2, ordered_on=ON, terms=terms)
    assert isinstance(ordered, TicketOrdered)
    before = given(*ssd(ON)[:2])
    with pytest.raises(NotInForce):
        order_tickets(before, kind="urgent", quantity=2, ordered_on=ON, terms=terms)
    with pytest.raises(NotOfThisService):
        order_tickets(
            given(*running(ON)), kind="config", quantity=1, ordered_on=ON, terms=terms_of("MYSEC")
        )


@pytest.mark.clause("NSEC-A3.1", "NSEC-A3.2", "NSEC-A2.1", "RRNS-5.1", "RRNS-43.1", "WSRV-7.1")
@pytest.mark.parametrize("service", ["CAS", "SSD", "WSRV", "NQMS", "RRNS"])
def test_an_application_without_its_consents_is_not_complete(service: str) -> None:
    wish = Wish(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        service=service,
        content=Content(),
        consents=("terms",),
    )
    with pytest.raises(IncompleteApplication):
        apply(given(), wish=wish, applied_on=ON, terms=terms_of(service), terms_version=ON)


@pytest.mark.clause("RRNS-5.2")
def test_a_complete_application_forms_the_contract_by_itself() -> None:
    terms = terms_of("RRNS")
    wish = Wish(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        service="RRNS",
        content=Content(monthly_fee=12_000, plan="router"),
        consents=tuple(terms.application.consents),
    )
    _, formed = apply(given(), wish=wish, applied_on=ON, terms=terms, terms_version=ON)
    assert isinstance(formed, ContractFormed)
    assert formed.formed_on == ON
    with pytest.raises(NotOfThisService):
        revoke_approval(given(*rrns()), revoked_on=ON, ground="arrears", costs=Costs(), terms=terms)


@pytest.mark.clause("RRNS-3.D2", "RRNS-28.2")
def test_work_is_accepted_once_and_begins_the_service() -> None:
    terms, day = terms_of("RRNS"), date(2024, 2, 1)
    assert accept_work(given(*rrns()), accepted_on=day, terms=terms) == (accepted(day),)
    done = given(*rrns(accepted(day)))
    assert accept_work(done, accepted_on=day, terms=terms) == ()
    with pytest.raises(AlreadyAccepted):
        accept_work(done, accepted_on=date(2024, 2, 2), terms=terms)
    with pytest.raises(NotOfThisService):
        start(given(*rrns()), started_on=day, terms=terms)


@pytest.mark.clause("RRNS-5.3", "RRNS-5.3.4")
@pytest.mark.parametrize(
    ("formed_on", "last_on", "after_on"),
    [
        (date(2024, 4, 1), date(2024, 5, 1), date(2024, 5, 2)),
        (date(2024, 1, 31), date(2024, 3, 1), date(2024, 3, 2)),
        (date(2023, 1, 31), date(2023, 3, 2), date(2023, 3, 3)),
    ],
)
def test_the_operator_cancels_within_thirty_days_of_formation(
    formed_on: date, last_on: date, after_on: date
) -> None:
    life, terms = given(*rrns(on=formed_on)), terms_of("RRNS")
    judgement = Judgement(ground="payment-risk", notice=PLAIN)
    (ended,) = terminate_by_operator(life, terminated_on=last_on, judgement=judgement, terms=terms)
    assert isinstance(ended, ContractTerminated)
    assert ended.declared_on == last_on
    with pytest.raises(TooLate):
        terminate_by_operator(life, terminated_on=after_on, judgement=judgement, terms=terms)


@pytest.mark.clause("RRNS-11.1.1", "RRNS-11.1")
def test_the_last_day_of_a_demand_is_the_customers() -> None:
    life, terms = given(*rrns(accepted(ON))), terms_of("RRNS")
    cure_by_on = date(2025, 3, 15)
    judgement = Judgement(ground="uncured-breach", notice=PLAIN, cure_by_on=cure_by_on)
    with pytest.raises(DemandMissing):
        terminate_by_operator(life, terminated_on=cure_by_on, judgement=judgement, terms=terms)
    assert terminate_by_operator(
        life, terminated_on=date(2025, 3, 16), judgement=judgement, terms=terms
    )


@pytest.mark.clause("RRNS-11.5")
def test_impossible_acceptance_is_no_ground_once_the_work_is_accepted() -> None:
    judgement = Judgement(ground="acceptance-impossible", notice=PLAIN)
    terms = terms_of("RRNS")
    assert terminate_by_operator(
        given(*rrns()), terminated_on=date(2024, 3, 1), judgement=judgement, terms=terms
    )
    with pytest.raises(TooLate):
        terminate_by_operator(
            given(*rrns(accepted(ON))),
            terminated_on=date(2024, 3, 1),
            judgement=judgement,
            terms=terms,
        )


@pytest.mark.clause("RRNS-43.4.S1")
def test_either_side_ends_at_once_over_antisocial_relations() -> None:
    life, terms, day = given(*rrns(accepted(ON))), terms_of("RRNS"), date(2024, 3, 1)
    (ours,) = terminate_by_operator(
        life,
        terminated_on=day,
        judgement=Judgement(ground="antisocial-relations", notice=PLAIN),
        terms=terms,
    )
    (theirs,) = terminate_by_customer(
        life, terminated_on=day, received_on=day, ground="antisocial-relations", terms=terms
    )
    assert isinstance(ours, ContractTerminated)
    assert isinstance(theirs, ContractTerminated)
    assert (ours.by, ours.cause) == ("operator", "antisocial")
    assert (theirs.by, theirs.cause) == ("customer", "antisocial")


@pytest.mark.clause("RRNS-11.3", "RRNS-11.2")
def test_a_ground_is_recorded_and_ends_nothing() -> None:
    life, terms = given(*rrns(accepted(ON))), terms_of("RRNS")
    (arose,) = record_ground(life, ground=5, arose_on=date(2025, 8, 5), terms=terms)
    assert (
        record_ground(
            given(*rrns(accepted(ON)), arose), ground=5, arose_on=date(2025, 8, 5), terms=terms
        )
        == ()
    )
    with pytest.raises(NotAGround):
        record_ground(life, ground=11, arose_on=date(2025, 8, 5), terms=terms)


@pytest.mark.clause("RRNS-13.1", "RRNS-13.3", "WSRV-20.2c", "NSEC-20.2")
@pytest.mark.parametrize("service", ["RRNS", "WSRV", "SSD"])
def test_abolition_ends_the_contract_on_its_day(service: str) -> None:
    life = given(*(rrns(accepted(ON)) if service == "RRNS" else running(ON, service=service)))
    (ended,) = abolish(life, abolished_on=date(2025, 8, 15), terms=terms_of(service))
    assert isinstance(ended, ContractTerminated)
    assert (ended.cause, ended.declared_on) == ("abolition", None)


@pytest.mark.clause("RRNS-15.1", "RRNS-15.1.3")
def test_use_is_suspended_at_once_where_the_terms_ask_for_no_notice() -> None:
    life = given(*rrns(accepted(ON)))
    period = Period(from_on=date(2024, 3, 1))
    terms = terms_of("RRNS")
    (suspended,) = suspend(life, period=period, ground="threats", notice=PLAIN, terms=terms)
    assert isinstance(suspended, ContractSuspended)
    assert (suspended.from_on, suspended.clause) == (date(2024, 3, 1), "RRNS-15.1.3")


@pytest.mark.clause("WSRV-8a", "WSRV-A3")
@pytest.mark.parametrize("device", ["OS2", "OS6", "OS12", "OS Pro 4", "OS Pro 8", "OS Pro 12"])
def test_every_server_may_be_used_for_five_years(device: str) -> None:
    rule = terms_of("WSRV").maximum_period
    assert rule is not None
    last = maximum_period_last_day(date(2024, 2, 29), device=device, terms=rule)
    assert last == date(2029, 2, 28)


@pytest.mark.clause("WSRV-21.1", "WSRV-21.2a", "WSRV-21.2b")
@pytest.mark.parametrize(
    ("desired_on", "ends_on"),
    [
        (date(2024, 6, 9), date(2024, 6, 10)),
        (date(2024, 6, 10), date(2024, 6, 10)),
        (date(2024, 6, 11), date(2024, 6, 11)),
    ],
)
def test_a_late_request_ends_on_the_day_checking_is_done(desired_on: date, ends_on: date) -> None:
    terms, life = terms_of("WSRV"), given(*running(ON, service="WSRV"))
    (requested,) = request_termination(
        life,
        requested_on=date(2024, 6, 3),
        desired_on=desired_on,
        terms=terms,
        ends_at_latest=None,
    )
    (ended,) = confirm_termination(
        given(*running(ON, service="WSRV"), requested),
        confirmed_on=date(2024, 6, 10),
        terms_at=lambda _: terms,
        ends_at_latest=None,
    )
    assert isinstance(ended, ContractTerminated)
    assert ended.terminated_on == ends_on


@pytest.mark.clause("WSRV-18.1.0", "WSRV-18.1.1")
def test_a_new_decision_may_follow_a_full_suspension() -> None:
    full = suspended(date(2024, 2, 1), until_on=date(2024, 8, 1), clause="WSRV-18.1.1")
    life = given(*running(ON, service="WSRV"), full)
    period = Period(from_on=date(2024, 8, 1))
    notice = Notice(notified_on=date(2024, 7, 31))
    assert suspend(life, period=period, ground="unpaid", notice=notice, terms=terms_of("WSRV"))


@pytest.mark.clause("WSRV-6c")
@pytest.mark.parametrize(("service", "only"), [("WSRV", False), ("WUTM", True)])
def test_several_contracts_may_rest_on_one_line_where_the_terms_say_so(
    service: str, only: bool
) -> None:
    line = terms_of(service).line
    assert line is not None
    assert (line.one_contract is not None) is only


@pytest.mark.clause("NQMS-20.1b")
def test_a_monitored_line_ends_on_the_day_the_customer_states() -> None:
    events = (
        applied(ON, service="NQMS", content=Content(monthly_fee=1_000)),
        approved(ON, service="NQMS"),
    )
    day = date(2024, 4, 1)
    (ended,) = terminate_by_customer(
        given(*events), terminated_on=day, received_on=day, terms=terms_of("NQMS")
    )
    assert ended.takes_effect_on == day
    with pytest.raises(NotOfThisService):
        suspend(
            given(*events),
            period=Period(from_on=day),
            ground="unpaid",
            notice=PLAIN,
            terms=terms_of("NQMS"),
        )
