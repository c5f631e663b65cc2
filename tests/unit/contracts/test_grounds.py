"""Every ground of WSRV and RRNS leads to its own decision, under its own clause."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import (
    ContractDeclined,
    ContractEvent,
    ContractSuspended,
    ContractTerminated,
    TerminationGroundArose,
)
from services.contracts.domain.applications import decline
from services.contracts.domain.ending import Judgement, record_ground, terminate_by_operator
from services.contracts.domain.refusals import NotAGround, NoticeMissing
from services.contracts.domain.use import Notice, Period, suspend
from tests.unit.contracts.builders import applied, given, running, suspended
from tests.unit.contracts.test_further_services import accepted, rrns, terms_of

BEGUN = date(2024, 1, 10)
ON = date(2024, 2, 1)
BEFORE = Notice(notified_on=date(2024, 1, 31))


@pytest.mark.clause(
    "WSRV-9.3.1",
    "WSRV-9.3.2",
    "WSRV-9.3.3",
    "WSRV-9.3.4",
    "WSRV-9.3.5",
    "WSRV-9.3.6",
)
@pytest.mark.parametrize(
    ("service", "ground", "clause"),
    [
        pytest.param("WSRV", "technical", "WSRV-9.3.1", id="WSRV-9.3.1"),
        pytest.param("WSRV", "non-existent", "WSRV-9.3.2", id="WSRV-9.3.2"),
        pytest.param("WSRV", "arrears", "WSRV-9.3.3", id="WSRV-9.3.3"),
        pytest.param("WSRV", "not-line-party", "WSRV-9.3.4", id="WSRV-9.3.4"),
        pytest.param("WSRV", "false-statement", "WSRV-9.3.5", id="WSRV-9.3.5"),
        pytest.param("WSRV", "hindrance", "WSRV-9.3.6", id="WSRV-9.3.6"),
    ],
)
def test_an_application_is_declined(service: str, ground: str, clause: str) -> None:
    life, terms = given(applied(service=service)), terms_of(service)
    (declined,) = decline(life, declined_on=ON, ground=ground, terms=terms)
    assert isinstance(declined, ContractDeclined)
    assert (declined.ground, declined.clause) == (ground, clause)
    with pytest.raises(NotAGround):
        decline(life, declined_on=ON, ground="no-ground-at-all", terms=terms)


@pytest.mark.clause(
    "WSRV-18.1.1",
    "WSRV-18.1.2",
    "WSRV-18.1.3",
    "WSRV-18.1.4",
    "WSRV-18.1.5",
    "WSRV-18.1.6",
    "WSRV-18.1.7",
    "RRNS-15.1.1",
    "RRNS-15.1.2",
    "RRNS-15.1.3",
    "RRNS-15.1.4",
    "RRNS-15.1.5",
    "RRNS-15.1.6",
)
@pytest.mark.parametrize(
    ("service", "ground", "clause"),
    [
        pytest.param("WSRV", "unpaid", "WSRV-18.1.1", id="WSRV-18.1.1"),
        pytest.param("WSRV", "unpaid-elsewhere", "WSRV-18.1.2", id="WSRV-18.1.2"),
        pytest.param("WSRV", "defamation", "WSRV-18.1.3", id="WSRV-18.1.3"),
        pytest.param("WSRV", "breach", "WSRV-18.1.4", id="WSRV-18.1.4"),
        pytest.param("WSRV", "excessive-enquiries", "WSRV-18.1.5", id="WSRV-18.1.5"),
        pytest.param("WSRV", "hindrance", "WSRV-18.1.6", id="WSRV-18.1.6"),
        pytest.param("WSRV", "damage", "WSRV-18.1.7", id="WSRV-18.1.7"),
        pytest.param("RRNS", "false-statement", "RRNS-15.1.1", id="RRNS-15.1.1"),
        pytest.param("RRNS", "abusive-enquiries", "RRNS-15.1.2", id="RRNS-15.1.2"),
        pytest.param("RRNS", "threats", "RRNS-15.1.3", id="RRNS-15.1.3"),
        pytest.param("RRNS", "breach", "RRNS-15.1.4", id="RRNS-15.1.4"),
        pytest.param("RRNS", "against-public-order", "RRNS-15.1.5", id="RRNS-15.1.5"),
        pytest.param("RRNS", "improper-conduct", "RRNS-15.1.6", id="RRNS-15.1.6"),
    ],
)
def test_use_is_suspended(service: str, ground: str, clause: str) -> None:
    began = rrns(accepted(BEGUN)) if service == "RRNS" else running(BEGUN, service=service)
    (held,) = suspend(
        given(*began),
        period=Period(from_on=ON),
        ground=ground,
        notice=BEFORE,
        terms=terms_of(service),
    )
    assert isinstance(held, ContractSuspended)
    assert (held.ground, held.clause) == (ground, clause)


@pytest.mark.clause(
    "WSRV-22.1",
    "WSRV-22.3.1",
    "WSRV-22.3.2",
    "WSRV-22.3.3",
    "WSRV-22.3.4",
    "WSRV-22.3.5",
    "WSRV-23.2.1",
    "WSRV-23.2.2",
    "RRNS-11.1.1",
    "RRNS-11.1.2",
    "RRNS-11.1.3",
    "RRNS-11.1.4",
    "RRNS-11.1.5",
    "RRNS-11.1.6",
    "RRNS-11.1.7",
    "RRNS-11.1.8",
    "RRNS-11.1.9",
    "RRNS-11.1.10",
    "RRNS-5.3.1",
    "RRNS-5.3.2",
    "RRNS-5.3.3",
    "RRNS-5.3.4",
    "RRNS-5.3.5",
    "RRNS-5.3.6",
    "RRNS-11.5",
    "RRNS-43.4.S1",
)
@pytest.mark.parametrize(
    ("service", "ground", "clause"),
    [
        pytest.param("WSRV", "suspension-not-resolved", "WSRV-22.1", id="WSRV-22.1"),
        pytest.param("WSRV", "insolvent-payments", "WSRV-22.3.1", id="WSRV-22.3.1"),
        pytest.param("WSRV", "clearing-house", "WSRV-22.3.2", id="WSRV-22.3.2"),
        pytest.param("WSRV", "seizure", "WSRV-22.3.3", id="WSRV-22.3.3"),
        pytest.param("WSRV", "bankruptcy", "WSRV-22.3.4", id="WSRV-22.3.4"),
        pytest.param("WSRV", "unjust-conduct", "WSRV-22.3.5", id="WSRV-22.3.5"),
        pytest.param("WSRV", "antisocial-relations", "WSRV-23.2.1", id="WSRV-23.2.1"),
        pytest.param("WSRV", "violent-or-unjust-demand", "WSRV-23.2.2", id="WSRV-23.2.2"),
        pytest.param("RRNS", "uncured-breach", "RRNS-11.1.1", id="RRNS-11.1.1"),
        pytest.param("RRNS", "seizure", "RRNS-11.1.2", id="RRNS-11.1.2"),
        pytest.param("RRNS", "dishonoured-bills", "RRNS-11.1.3", id="RRNS-11.1.3"),
        pytest.param("RRNS", "electronic-claims", "RRNS-11.1.4", id="RRNS-11.1.4"),
        pytest.param("RRNS", "insolvency", "RRNS-11.1.5", id="RRNS-11.1.5"),
        pytest.param("RRNS", "dissolution", "RRNS-11.1.6", id="RRNS-11.1.6"),
        pytest.param("RRNS", "credit-decline", "RRNS-11.1.7", id="RRNS-11.1.7"),
        pytest.param("RRNS", "sanction", "RRNS-11.1.8", id="RRNS-11.1.8"),
        pytest.param("RRNS", "breach-of-trust", "RRNS-11.1.9", id="RRNS-11.1.9"),
        pytest.param("RRNS", "grave-cause", "RRNS-11.1.10", id="RRNS-11.1.10"),
        pytest.param("RRNS", "conditions-unmet", "RRNS-5.3.1", id="RRNS-5.3.1"),
        pytest.param("RRNS", "duties-breached", "RRNS-5.3.2", id="RRNS-5.3.2"),
        pytest.param("RRNS", "false-application", "RRNS-5.3.3", id="RRNS-5.3.3"),
        pytest.param("RRNS", "payment-risk", "RRNS-5.3.4", id="RRNS-5.3.4"),
        pytest.param("RRNS", "antisocial-suspicion", "RRNS-5.3.5", id="RRNS-5.3.5"),
        pytest.param("RRNS", "operational-obstacle", "RRNS-5.3.6", id="RRNS-5.3.6"),
        pytest.param("RRNS", "acceptance-impossible", "RRNS-11.5", id="RRNS-11.5"),
        pytest.param("RRNS", "antisocial-relations", "RRNS-43.4.S1", id="RRNS-43.4.S1"),
    ],
)
def test_the_operator_ends_the_contract(service: str, ground: str, clause: str) -> None:
    began = running(BEGUN, service=service) if service == "WSRV" else rrns()
    if service == "RRNS" and ground != "acceptance-impossible":
        began = rrns(accepted(BEGUN))
    held = (suspended(date(2024, 1, 20)),) if service == "WSRV" else ()
    judgement = Judgement(ground=ground, notice=BEFORE, cure_by_on=date(2024, 1, 31))
    (ended,) = terminate_by_operator(
        given(*began, *held), terminated_on=ON, judgement=judgement, terms=terms_of(service)
    )
    assert isinstance(ended, ContractTerminated)
    assert (ended.terminated_on, ended.by, ended.clause) == (ON, "operator", clause)


@pytest.mark.clause(
    "RRNS-11.1.1",
    "RRNS-11.1.2",
    "RRNS-11.1.3",
    "RRNS-11.1.4",
    "RRNS-11.1.5",
    "RRNS-11.1.6",
    "RRNS-11.1.7",
    "RRNS-11.1.8",
    "RRNS-11.1.9",
    "RRNS-11.1.10",
)
@pytest.mark.parametrize(
    ("ground", "clause"),
    [
        pytest.param(1, "RRNS-11.1.1", id="RRNS-11.1.1"),
        pytest.param(2, "RRNS-11.1.2", id="RRNS-11.1.2"),
        pytest.param(3, "RRNS-11.1.3", id="RRNS-11.1.3"),
        pytest.param(4, "RRNS-11.1.4", id="RRNS-11.1.4"),
        pytest.param(5, "RRNS-11.1.5", id="RRNS-11.1.5"),
        pytest.param(6, "RRNS-11.1.6", id="RRNS-11.1.6"),
        pytest.param(7, "RRNS-11.1.7", id="RRNS-11.1.7"),
        pytest.param(8, "RRNS-11.1.8", id="RRNS-11.1.8"),
        pytest.param(9, "RRNS-11.1.9", id="RRNS-11.1.9"),
        pytest.param(10, "RRNS-11.1.10", id="RRNS-11.1.10"),
    ],
)
def test_a_ground_that_makes_debts_due_names_its_item(ground: int, clause: str) -> None:
    life, terms = given(*rrns(accepted(BEGUN))), terms_of("RRNS")
    (arose,) = record_ground(life, ground=ground, arose_on=ON, terms=terms)
    assert isinstance(arose, TerminationGroundArose)
    assert (arose.ground, arose.clause) == (str(ground), clause)


@pytest.mark.clause("WSRV-22.0")
@pytest.mark.parametrize(
    ("notified_on", "ends"),
    [
        pytest.param(None, False, id="no notice"),
        pytest.param(date(2024, 2, 1), False, id="a notice on the day itself"),
        pytest.param(date(2024, 1, 31), True, id="a notice the day before"),
    ],
)
def test_the_operator_ends_on_the_day_of_its_notice_which_comes_before(
    notified_on: date | None, ends: bool
) -> None:
    life = given(*running(BEGUN, service="WSRV"), suspended(BEGUN))
    judgement = Judgement(ground="suspension-not-resolved", notice=Notice(notified_on=notified_on))

    def end() -> tuple[ContractEvent, ...]:
        return terminate_by_operator(
            life, terminated_on=ON, judgement=judgement, terms=terms_of("WSRV")
        )

    if not ends:
        with pytest.raises(NoticeMissing) as refused:
            end()
        assert refused.value.clause == "WSRV-22.1"
        return
    (ended,) = end()
    assert isinstance(ended, ContractTerminated)
    assert (ended.terminated_on, ended.clause) == (ON, "WSRV-22.1")
