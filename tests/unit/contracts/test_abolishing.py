"""The end of a service: how early it is told, what it leaves alone, what is accepted after it."""

from datetime import date, timedelta

import pytest

from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractDeclined,
    ContractEvent,
    ContractTerminated,
    ServiceAbolished,
)
from services.contracts.domain.abolishing import (
    abolition_id_of,
    announce,
    end_with_service,
    still_offered,
)
from services.contracts.domain.changes import facts_with
from services.contracts.domain.ending import abolish
from services.contracts.domain.refusals import (
    NoticeMissing,
    NotOfThisService,
    OtherwiseAbolished,
    ServiceIsAbolished,
    TooEarly,
)
from services.contracts.domain.timeline import check
from tests.unit.contracts.builders import (
    CONTRACT,
    applied,
    approved,
    given,
    running,
    terminated,
)
from tests.unit.contracts.test_further_services import accepted, rrns, terms_of

DAY = date(2025, 8, 31)
TOLD = date(2025, 6, 1)
BEGUN = date(2024, 1, 10)


def wished(
    service: str,
    *,
    told: date = TOLD,
    on: date = DAY,
    plan: str | None = None,
    urgent: str | None = None,
) -> ServiceAbolished:
    return ServiceAbolished(
        abolition_id=abolition_id_of(service, plan=plan),
        service=service,
        plan=plan,
        announced_on=told,
        abolished_on=on,
        reason="機器の製造終了のため",
        clause="",
        urgent_reason=urgent,
    )


@pytest.mark.parametrize(
    ("service", "told", "on", "notice", "decision"),
    [
        pytest.param(
            *("MYSEC", "2025-08-01", "2025-08-31", "NSEC-20.4", "NSEC-20.1"),
            id="MYSEC",
            marks=pytest.mark.clause("NSEC-20.1", "NSEC-20.4"),
        ),
        pytest.param(
            *("SSD", "2025-08-01", "2025-08-31", "NSEC-20.4", "NSEC-20.1"),
            id="SSD",
            marks=pytest.mark.clause("NSEC-20.1", "NSEC-20.4"),
        ),
        pytest.param(
            *("WUTM", "2025-08-30", "2025-08-31", "WUTM-20.2.1", "WUTM-20.1"),
            id="WUTM",
            marks=pytest.mark.clause("WUTM-20.1", "WUTM-20.2.1"),
        ),
        pytest.param(
            *("WSRV", "2025-08-30", "2025-08-31", "WSRV-20.2b", "WSRV-20.1"),
            id="WSRV",
            marks=pytest.mark.clause("WSRV-20.1", "WSRV-20.2b"),
        ),
        pytest.param(
            *("RRNS", "2025-06-30", "2025-08-31", "RRNS-13.2", "RRNS-13.1"),
            id="RRNS",
            marks=pytest.mark.clause("RRNS-13.1", "RRNS-13.2"),
        ),
        pytest.param(
            *("RRNS", "2025-02-28", "2025-04-30", "RRNS-13.2", "RRNS-13.1"),
            id="RRNS from the end of February",
            marks=pytest.mark.clause("RRNS-13.2"),
        ),
        pytest.param(
            *("RRNS", "2025-07-31", "2025-09-30", "RRNS-13.2", "RRNS-13.1"),
            id="RRNS from the end of July",
            marks=pytest.mark.clause("RRNS-13.2"),
        ),
    ],
)
def test_it_is_told_so_long_ahead_and_not_a_day_later(
    service: str, told: str, on: str, notice: str, decision: str
) -> None:
    last = wished(service, told=date.fromisoformat(told), on=date.fromisoformat(on))
    (announced,) = announce((), wished=last, terms=terms_of(service))
    assert isinstance(announced, ServiceAbolished)
    assert announced == last.model_copy(update={"clause": decision})
    late = last.announced_on.fromordinal(last.announced_on.toordinal() + 1)
    with pytest.raises(NoticeMissing) as refused:
        announce(
            (), wished=wished(service, told=late, on=last.abolished_on), terms=terms_of(service)
        )
    assert (refused.value.clause, refused.value.field) == (notice, "/abolished_on")


@pytest.mark.clause("RRNS-13.2")
def test_two_months_from_the_last_day_of_february_end_with_its_day_number() -> None:
    told, terms = date(2025, 2, 28), terms_of("RRNS")
    assert announce((), wished=wished("RRNS", told=told, on=date(2025, 4, 28)), terms=terms)
    with pytest.raises(NoticeMissing):
        announce((), wished=wished("RRNS", told=told, on=date(2025, 4, 27)), terms=terms)


@pytest.mark.clause("WUTM-20.2.1", "WSRV-20.2b", "RRNS-13.2", "NSEC-20.4")
@pytest.mark.parametrize(
    ("service", "may"), [("WUTM", True), ("WSRV", True), ("RRNS", False), ("MYSEC", False)]
)
def test_urgency_replaces_the_notice_only_where_the_terms_say_so(service: str, may: bool) -> None:
    at_once = wished(service, told=DAY, on=DAY, urgent="設備の焼失のため")
    if may:
        assert len(announce((), wished=at_once, terms=terms_of(service))) == 1
        backwards = wished(service, told=DAY, on=TOLD, urgent="設備の焼失のため")
        with pytest.raises(TooEarly):
            announce((), wished=backwards, terms=terms_of(service))
        return
    with pytest.raises(NoticeMissing):
        announce((), wished=at_once, terms=terms_of(service))


@pytest.mark.clause("RRNS-13.1", "RRNS-13.3")
def test_announced_once_it_stays_announced_for_that_day() -> None:
    terms = terms_of("RRNS")
    whole, plan = wished("RRNS"), wished("RRNS", plan="wireless")
    assert announce((whole,), wished=whole, terms=terms) == ()
    assert len(announce((plan,), wished=whole, terms=terms)) == 1
    assert len(announce((plan,), wished=wished("RRNS", plan="utm"), terms=terms)) == 1
    for other in (wished("RRNS", on=date(2025, 9, 30)), plan):
        with pytest.raises(OtherwiseAbolished):
            announce((whole,), wished=other, terms=terms)


def test_a_plan_ends_by_itself_only_where_the_terms_know_it() -> None:
    for service, plan in (("RRNS", "none-such"), ("WUTM", "utm")):
        with pytest.raises(NotOfThisService):
            announce((), wished=wished(service, plan=plan), terms=terms_of(service))
    with pytest.raises(NotOfThisService):
        announce((), wished=wished("NQMS"), terms=terms_of("NQMS"))


def beginning(service: str) -> tuple[ContractEvent, ...]:
    return rrns(accepted(BEGUN)) if service == "RRNS" else running(BEGUN, service=service)


@pytest.mark.clause("NSEC-20.2", "WUTM-20.2.2", "WSRV-20.2c", "RRNS-13.3")
@pytest.mark.parametrize("service", ["MYSEC", "CAS", "SSD", "WUTM", "WSRV", "RRNS"])
def test_a_contract_ends_as_if_its_end_alone_were_recorded(service: str) -> None:
    life, terms = given(*beginning(service)), terms_of(service)
    (ended,) = end_with_service(life, abolished=wished(service), terms=terms, ends_at_latest=None)
    (alone,) = abolish(life, abolished_on=DAY, terms=terms)
    assert isinstance(ended, ContractTerminated)
    assert (ended.abolition_id, ended.reason) == (
        abolition_id_of(service, plan=None),
        "機器の製造終了のため",
    )
    assert ended.model_copy(update={"abolition_id": None, "reason": None}) == alone


@pytest.mark.clause("NSEC-20.2", "WUTM-20.2.2", "RRNS-13.3")
@pytest.mark.parametrize(
    ("events", "ends"),
    [
        pytest.param(running(), True, id="in force"),
        pytest.param((applied(), approved()), True, id="approved"),
        pytest.param((applied(),), False, id="under review"),
        pytest.param(
            (
                applied(),
                ContractDeclined(
                    contract_id=CONTRACT, declined_on=BEGUN, ground="arrears", clause="NSEC-6.3.2"
                ),
            ),
            False,
            id="declined",
        ),
        pytest.param((*running(), terminated(date(2025, 8, 30))), False, id="ends before"),
        pytest.param((*running(), terminated(DAY)), False, id="ends that day"),
        pytest.param((*running(), terminated(date(2025, 9, 1))), True, id="would end later"),
    ],
)
def test_only_what_would_outlast_the_day_ends_and_once(
    events: tuple[ContractEvent, ...], ends: bool
) -> None:
    abolished, terms = wished("MYSEC"), terms_of("MYSEC")
    found = end_with_service(given(*events), abolished=abolished, terms=terms, ends_at_latest=None)
    assert len(found) == ends
    again = given(*events, *found)
    assert end_with_service(again, abolished=abolished, terms=terms, ends_at_latest=None) == ()


@pytest.mark.clause("WUTM-20.2.2")
@pytest.mark.parametrize(("latest", "ends"), [("2025-08-31", False), ("2025-09-01", True)])
def test_the_maximum_period_that_is_over_by_then_is_left_its_own_end(
    latest: str, ends: bool
) -> None:
    life = given(*running(BEGUN, service="WUTM"))
    found = end_with_service(
        life,
        abolished=wished("WUTM"),
        terms=terms_of("WUTM"),
        ends_at_latest=date.fromisoformat(latest),
    )
    assert len(found) == ends


@pytest.mark.clause("RRNS-13.3")
@pytest.mark.parametrize(("plan", "ends"), [("utm", True), ("wireless", False)])
def test_a_plan_that_is_given_up_leaves_the_others(plan: str, ends: bool) -> None:
    began = applied(
        BEGUN, service="RRNS", content=Content(plan="utm", monthly_fee=12_000, initial_fee=0)
    )
    life = given(began, *rrns(accepted(BEGUN))[1:])
    found = end_with_service(
        life,
        abolished=wished("RRNS", plan=plan),
        terms=terms_of("RRNS"),
        ends_at_latest=None,
    )
    assert len(found) == ends


def test_a_change_known_before_for_a_day_after_the_end_stands_without_effect() -> None:
    later = ContentChanged(
        contract_id=CONTRACT,
        effective_on=date(2025, 10, 1),
        kind="addition",
        before=Content(packs={1: 10}),
        after=Content(packs={1: 11}),
    )
    life = given(*running(BEGUN), later)
    ended = end_with_service(
        life, abolished=wished("MYSEC"), terms=terms_of("MYSEC"), ends_at_latest=None
    )
    check(facts_with(life, ended))


@pytest.mark.clause("WUTM-20.1", "WSRV-20.1", "NSEC-20.2")
@pytest.mark.parametrize(
    ("service", "on", "starts_on", "clause"),
    [
        pytest.param("WUTM", date(2025, 8, 30), None, None, id="applied the day before"),
        pytest.param("WUTM", DAY, None, "WUTM-20.1", id="applied on the day"),
        pytest.param("WUTM", TOLD, date(2025, 8, 30), None, id="would start the day before"),
        pytest.param("WUTM", TOLD, DAY, "WUTM-20.1", id="would start on the day"),
        pytest.param("WSRV", TOLD, DAY, None, id="WSRV says nothing of the start"),
        pytest.param("WSRV", DAY, None, "WSRV-20.1", id="WSRV on the day"),
        pytest.param("MYSEC", DAY, None, "NSEC-20.1", id="MYSEC on the day"),
    ],
)
def test_what_would_find_the_service_gone_is_refused(
    service: str, on: date, starts_on: date | None, clause: str | None
) -> None:
    content, terms = Content(wished_start_on=starts_on), terms_of(service)
    if clause is None:
        still_offered((wished(service),), content=content, on=on, terms=terms)
        return
    with pytest.raises(ServiceIsAbolished) as refused:
        still_offered((wished(service),), content=content, on=on, terms=terms)
    assert refused.value.clause == clause


@pytest.mark.clause("RRNS-13.2", "NSEC-20.4", "WUTM-20.2.1", "WSRV-20.2b")
@pytest.mark.parametrize(
    ("service", "last", "clause"),
    [
        pytest.param("RRNS", date(2025, 6, 30), "RRNS-13.2", id="two months"),
        pytest.param("MYSEC", date(2025, 8, 1), "NSEC-20.4", id="thirty days"),
        pytest.param("WUTM", date(2025, 8, 30), "WUTM-20.1", id="WUTM, the day before"),
        pytest.param("WSRV", date(2025, 8, 30), "WSRV-20.1", id="WSRV, the day before"),
    ],
)
def test_who_could_not_be_told_in_time_is_not_taken_on_any_more(
    service: str, last: date, clause: str
) -> None:
    gone, terms = (wished(service),), terms_of(service)
    still_offered(gone, content=Content(), on=last, terms=terms)
    with pytest.raises(ServiceIsAbolished) as refused:
        still_offered(gone, content=Content(), on=last + timedelta(days=1), terms=terms)
    assert refused.value.clause == clause


@pytest.mark.clause("RRNS-13.3")
def test_other_plans_are_still_offered() -> None:
    gone, terms = (wished("RRNS", plan="wireless"),), terms_of("RRNS")
    still_offered(gone, content=Content(plan="utm"), on=DAY, terms=terms)
    with pytest.raises(ServiceIsAbolished):
        still_offered(gone, content=Content(plan="wireless"), on=DAY, terms=terms)
