"""The examples of the terms of MYSEC, CAS and SSD about the life of a contract."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from libs.dates.japan import JAPAN
from libs.events.vocabulary.contracts import Content
from libs.events.vocabulary.notifications import NoticeSent
from services.billing.domain.debts import late_on
from services.contracts.answers import contract_answer
from services.contracts.domain.ending import (
    Judgement,
    terminate_by_customer,
    terminate_by_operator,
)
from services.contracts.domain.periods import insurance_period
from services.contracts.domain.refusals import NotAGround, TooEarly
from services.contracts.domain.use import Notice
from services.notifications.domain.notice import Queued, Sent, evolve, record_failed, record_sent
from tests.unit.billing.assessed import terms_of as billing_terms_of
from tests.unit.billing.test_debts import a_debt
from tests.unit.contracts.builders import given, mysec, running
from tests.unit.contracts.builders import suspended as suspended_from
from tests.unit.contracts.test_further_services import TERMS, ssd
from tests.unit.examples.computing import example
from tests.unit.examples.nsec_charges import SIZES, Items
from tests.unit.notifications.test_notice import WANTED

SMALL = Content(packs={1: 5}, mac_registered=True)


@example("telework_period")
def telework_period(*, licence_start: str) -> Mapping[str, Any]:
    """The time that the telework insurance covers, for licences first used on a day."""
    found = _insured(SMALL, licence_start)
    assert found is not None
    return {"from": found[0], "to": found[1]}


@example("telework_eligible")
def telework_eligible(
    *,
    campaign: int,
    licence_start: str,
    licences_in_application: int,
    mac_registered: bool,
    plan: str,
    with_initial_fee_application: bool,
) -> Mapping[str, Any]:
    """Whether licences are insured; those added later are not ordered with the application."""
    size = SIZES[plan]
    count = licences_in_application // size if with_initial_fee_application else 0
    ordered = Content(packs={size: count}, mac_registered=mac_registered)
    found = _insured(ordered, licence_start)
    assert found is None or found[0].year in (campaign, campaign + 1)
    return {"eligible": found is not None}


@example("telework_count")
def telework_count(*, items: Items) -> Mapping[str, Any]:
    """Whether an application is small enough, in both campaigns."""
    packs = {SIZES[name]: count for name, count in items.items()}
    ordered = Content(packs=packs, mac_registered=True)
    passes = {_insured(ordered, on) is not None for on in ("2021-06-01", "2022-09-10")}
    assert len(passes) == 1
    licences = sum(size * count for size, count in ordered.packs.items())
    return {"licences": licences, "passes": passes.pop()}


@example("ssd_min_term")
def ssd_min_term(*, start: str) -> Mapping[str, Any]:
    """The minimum term that the contract's answer shows."""
    term = contract_answer(given(*ssd(_day(start))), version=3, terms=TERMS).minimum_term
    assert term is not None
    return {"from": term.from_on, "to": term.to_on}


@example("cancel_request")
def cancel_request(*, received_on: str, cancel: str) -> Mapping[str, Any]:
    """Whether a cancellation for a day is taken, by the day on which the form came."""
    try:
        terminate_by_customer(
            given(*running(date(2023, 4, 10))),
            terminated_on=_day(cancel),
            received_on=_day(received_on),
            terms=mysec(_day(cancel)),
        )
    except TooEarly:
        return {"accepted": False}
    return {"accepted": True}


@example("termination_ground_1")
def termination_ground_1(*, suspended: bool, cause_resolved: bool) -> Mapping[str, Any]:
    """Whether a suspension that the customer did not end is a ground to terminate."""
    assert not cause_resolved
    spans = (suspended_from(date(2024, 5, 1)),) if suspended else ()
    life = given(*running(date(2023, 4, 10)), *spans)
    judgement = Judgement(ground="not-cured", notice=Notice(notified_on=date(2024, 5, 10)))
    try:
        terminate_by_operator(
            life, terminated_on=date(2024, 5, 20), judgement=judgement, terms=mysec()
        )
    except NotAGround:
        return {"ground": False}
    return {"ground": True}


@example("arrears_flag")
def arrears_flag(*, due: str, decided_on: str, paid: None) -> Mapping[str, Any]:
    """Whether an unpaid debt counts as late on the day of a decision."""
    assert paid is None
    return {"flag": _day(decided_on) >= late_on(a_debt(due), terms=billing_terms_of("MYSEC"))}


@example("suspension_ground_unpaid")
def suspension_ground_unpaid(*, due: str, today: str) -> Mapping[str, Any]:
    """Whether an unpaid debt is a ground to suspend today."""
    return {"ground": arrears_flag(due=due, decided_on=today, paid=None)["flag"]}


@example("notice_complete")
def notice_complete(*, method: str, sent_at: str, bounced_at: str) -> Mapping[str, Any]:
    """When a mail counts as said, though it bounces afterwards."""
    assert method == "email"
    notice = Queued(notice=WANTED)
    (sent,) = record_sent(notice, sent_at=_instant(sent_at), answer="250 ok")
    assert isinstance(sent, NoticeSent)
    said = evolve(notice, sent)
    assert record_failed(said, failed_at=_instant(bounced_at), attempts=1, answer="bounced") == ()
    assert isinstance(said, Sent)
    return {"completed_at": f"{said.sent_at:%Y-%m-%dT%H:%M}"}


def _insured(ordered: Content, first_used: str) -> tuple[date, date] | None:
    on = _day(first_used)
    return insurance_period(on, ordered=ordered, ended_on=None, terms=mysec(on).insurance)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAPAN)
