"""From the application to the first day of provision."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import (
    ApprovalRevoked,
    Content,
    ContractDeclined,
    InitialWorkScheduled,
)
from services.contracts.domain.applications import (
    Costs,
    Wish,
    apply,
    approve,
    decline,
    revoke_approval,
    schedule_initial_work,
    start,
)
from services.contracts.domain.refusals import (
    AlreadyEnded,
    AlreadyExists,
    AlreadyStarted,
    IncompleteApplication,
    NotAGround,
    NotFormed,
    NotOfThisService,
    NotUnderReview,
)

from .builders import (
    CONTRACT,
    CUSTOMER,
    MYSEC_CONSENTS,
    ON,
    WUTM_CONSENTS,
    applied,
    approved,
    given,
    mysec,
    running,
    started,
    terminated,
    wutm,
)

LATER = date(2024, 1, 20)


def wish(
    service: str = "MYSEC",
    *,
    content: Content | None = None,
    consents: tuple[str, ...] | None = None,
) -> Wish:
    is_mysec = service == "MYSEC"
    default = Content(packs={1: 10}) if is_mysec else Content(device="SSB10", line="flets")
    return Wish(
        contract_id=CONTRACT,
        customer_id=CUSTOMER,
        service=service,
        content=content or default,
        consents=(MYSEC_CONSENTS if is_mysec else WUTM_CONSENTS) if consents is None else consents,
    )


@pytest.mark.clause("NSEC-6.1")
@pytest.mark.clause("WUTM-7.1.1")
@pytest.mark.clause("WUTM-7.1.2")
@pytest.mark.parametrize("service", ["MYSEC", "WUTM"])
def test_a_complete_application_is_taken_in(service: str) -> None:
    terms = mysec() if service == "MYSEC" else wutm()
    (event,) = apply(
        given(), wish=wish(service), applied_on=ON, terms=terms, terms_version=date(2022, 8, 1)
    )
    assert event.type == "contracts.contract-applied.v1"


@pytest.mark.clause("NSEC-6.1")
@pytest.mark.parametrize(
    ("service", "missing", "clause"),
    [
        pytest.param("MYSEC", "terms", "NSEC-6.1", id="the terms themselves"),
        pytest.param(
            "MYSEC",
            "third-party-terms",
            "NSEC-2.1b",
            marks=pytest.mark.clause("NSEC-2.1b"),
            id="licence terms of third parties",
        ),
        pytest.param(
            "MYSEC",
            "disclaimers",
            "NSEC-24.1",
            marks=pytest.mark.clause("NSEC-24.1"),
            id="disclaimers",
        ),
        pytest.param(
            "WUTM",
            "third-persons",
            "WUTM-7.2",
            marks=pytest.mark.clause("WUTM-7.2"),
            id="third persons",
        ),
        pytest.param(
            "WUTM",
            "log-collection",
            "WUTM-14.4",
            marks=pytest.mark.clause("WUTM-14.4"),
            id="logs",
        ),
        pytest.param(
            "WUTM",
            "no-antisocial-relations",
            "WUTM-23.1.1",
            marks=[
                pytest.mark.clause("WUTM-23.1.1"),
                pytest.mark.clause("WUTM-23.1.2"),
                pytest.mark.clause("WUTM-23.1.3"),
                pytest.mark.clause("WUTM-23.1.4"),
                pytest.mark.clause("WUTM-23.1.5"),
            ],
            id="declaration",
        ),
        pytest.param(
            "WUTM",
            "privacy",
            "WUTM-37.1",
            marks=pytest.mark.clause("WUTM-37.1"),
            id="personal data",
        ),
    ],
)
def test_an_application_without_a_consent_is_incomplete(
    service: str, missing: str, clause: str
) -> None:
    all_of_them = MYSEC_CONSENTS if service == "MYSEC" else WUTM_CONSENTS
    consents = tuple(each for each in all_of_them if each != missing)
    with pytest.raises(IncompleteApplication) as refused:
        apply(
            given(),
            wish=wish(service, consents=consents),
            applied_on=ON,
            terms=mysec() if service == "MYSEC" else wutm(),
            terms_version=ON,
        )
    assert refused.value.clause == clause


@pytest.mark.clause("WUTM-3.3")
@pytest.mark.clause("WUTM-7.4")
@pytest.mark.parametrize(
    ("service", "content", "pointer"),
    [
        pytest.param("MYSEC", Content(packs={7: 1}), "/content/packs/7", id="a size not sold"),
        pytest.param("MYSEC", Content(packs={1: -1}), "/content/packs/1", id="a negative count"),
        pytest.param(
            "MYSEC", Content(packs={1: 1}, device="SSB5"), "/content/device", id="a device"
        ),
        pytest.param(
            "WUTM", Content(device="OS2", line="flets"), "/content/device", id="another's device"
        ),
        pytest.param(
            "WUTM", Content(device="SSB5", line="flets", packs={1: 1}), "/content/packs", id="packs"
        ),
        pytest.param(
            "WUTM",
            Content(device="SSB5", line="flets", billing_day=29),
            "/content/billing_day",
            id="a day that not every month has",
        ),
    ],
)
def test_content_that_the_service_is_not_sold_in_is_refused(
    service: str, content: Content, pointer: str
) -> None:
    with pytest.raises(NotOfThisService) as refused:
        apply(
            given(),
            wish=wish(service, content=content),
            applied_on=ON,
            terms=mysec() if service == "MYSEC" else wutm(),
            terms_version=ON,
        )
    assert refused.value.field == pointer


@pytest.mark.clause("NSEC-6.1")
def test_an_application_without_its_content_is_incomplete() -> None:
    with pytest.raises(IncompleteApplication) as refused:
        apply(given(), wish=wish(content=Content()), applied_on=ON, terms=mysec(), terms_version=ON)
    assert refused.value.field == "/content/packs"


def test_applying_again_changes_nothing_and_applying_for_something_else_is_refused() -> None:
    (event,) = apply(given(), wish=wish(), applied_on=ON, terms=mysec(), terms_version=ON)
    life = given(event)
    assert apply(life, wish=wish(), applied_on=ON, terms=mysec(), terms_version=ON) == ()
    with pytest.raises(AlreadyExists):
        apply(life, wish=wish(), applied_on=LATER, terms=mysec(), terms_version=ON)


@pytest.mark.clause("NSEC-6.2b")
@pytest.mark.clause("WUTM-9.1.1")
@pytest.mark.clause("WUTM-9.1.2")
def test_acceptance_forms_the_contract_and_again_changes_nothing() -> None:
    assert approve(given(applied()), approved_on=ON, document_number="A-1") == (approved(),)
    assert approve(given(*running()), approved_on=LATER, document_number="A-2") == ()


DECLINED = ContractDeclined(
    contract_id=CONTRACT, declined_on=ON, ground="arrears", clause="NSEC-6.3.2"
)


@pytest.mark.clause("NSEC-6.2b")
@pytest.mark.parametrize(
    "life",
    [
        pytest.param(given(applied(), DECLINED), id="declined"),
        pytest.param(given(*running(), terminated(LATER)), id="ended"),
        pytest.param(given(), id="unknown"),
    ],
)
def test_only_an_application_under_review_is_accepted(life: object) -> None:
    with pytest.raises(NotUnderReview):
        approve(life, approved_on=LATER, document_number="A-1")  # type: ignore[arg-type] # a life, by the parameters


@pytest.mark.clause("NSEC-6.3.1")
@pytest.mark.clause("NSEC-6.3.2")
@pytest.mark.clause("NSEC-6.3.3")
@pytest.mark.clause("NSEC-6.3.4")
@pytest.mark.clause("NSEC-6.3.5")
@pytest.mark.clause("NSEC-6.3.7")
@pytest.mark.clause("WUTM-9.3.1")
@pytest.mark.clause("WUTM-9.3.2")
@pytest.mark.clause("WUTM-9.3.3")
@pytest.mark.clause("WUTM-9.3.4")
@pytest.mark.clause("WUTM-9.3.5")
@pytest.mark.clause("WUTM-9.3.6")
@pytest.mark.parametrize(
    ("service", "ground", "clause"),
    [
        pytest.param(service, ground, clause, id=clause)
        for service, ground, clause in (
            ("MYSEC", "technically-difficult", "NSEC-6.3.1"),
            ("MYSEC", "arrears", "NSEC-6.3.2"),
            ("MYSEC", "suspension-ground", "NSEC-6.3.3"),
            ("MYSEC", "false-statement", "NSEC-6.3.4"),
            ("MYSEC", "not-a-corporation", "NSEC-6.3.5"),
            ("MYSEC", "business-hindrance", "NSEC-6.3.7"),
            ("WUTM", "technical", "WUTM-9.3.1"),
            ("WUTM", "non-existent", "WUTM-9.3.2"),
            ("WUTM", "arrears", "WUTM-9.3.3"),
            ("WUTM", "not-line-party", "WUTM-9.3.4"),
            ("WUTM", "false-statement", "WUTM-9.3.5"),
            ("WUTM", "hindrance", "WUTM-9.3.6"),
        )
    ],
)
def test_an_application_is_refused_on_a_ground_of_the_terms(
    service: str, ground: str, clause: str
) -> None:
    terms = mysec() if service == "MYSEC" else wutm()
    life = given(applied(service=service))
    (event,) = decline(life, declined_on=ON, ground=ground, terms=terms)
    assert isinstance(event, ContractDeclined)
    assert (event.ground, event.clause) == (ground, clause)


def test_a_ground_the_terms_do_not_know_is_no_ground() -> None:
    with pytest.raises(NotAGround) as refused:
        decline(given(applied()), declined_on=ON, ground="dislike", terms=mysec())
    assert refused.value.field == "/ground"


def test_declining_again_changes_nothing_and_a_contract_is_not_declined() -> None:
    assert (
        decline(given(applied(), DECLINED), declined_on=ON, ground="arrears", terms=mysec()) == ()
    )
    with pytest.raises(NotUnderReview):
        decline(given(*running()), declined_on=ON, ground="arrears", terms=mysec())


@pytest.mark.clause("NSEC-6.4a")
@pytest.mark.clause("WUTM-9.4")
@pytest.mark.parametrize("events", [(applied(), approved()), running()])
def test_the_acceptance_is_taken_back_when_a_ground_comes_to_light(events: tuple) -> None:  # type: ignore[type-arg] # events of any kind
    life = given(*events)
    (event,) = revoke_approval(
        life,
        revoked_on=LATER,
        ground="false-statement",
        costs=Costs(amount=5000, due_on=date(2024, 2, 29)),
        terms=mysec(),
    )
    assert isinstance(event, ApprovalRevoked)
    assert (event.costs, event.costs_due_on) == (5000, date(2024, 2, 29))
    again = given(*events, event)
    revoked = revoke_approval(
        again, revoked_on=LATER, ground="false-statement", costs=Costs(), terms=mysec()
    )
    assert revoked == ()


def test_what_is_not_formed_cannot_be_revoked() -> None:
    with pytest.raises(NotFormed):
        revoke_approval(
            given(applied()), revoked_on=ON, ground="arrears", costs=Costs(), terms=mysec()
        )


@pytest.mark.clause("WUTM-9.2.1")
def test_initial_work_is_scheduled_after_formation_and_may_be_moved() -> None:
    formed = (applied(service="WUTM"), approved(service="WUTM"))
    (event,) = schedule_initial_work(given(*formed), scheduled_on=LATER, terms=wutm())
    assert event == InitialWorkScheduled(contract_id=CONTRACT, scheduled_on=LATER)
    life = given(*formed, event)
    assert schedule_initial_work(life, scheduled_on=LATER, terms=wutm()) == ()
    assert len(schedule_initial_work(life, scheduled_on=date(2024, 1, 25), terms=wutm())) == 1


@pytest.mark.clause("WUTM-9.2.1")
@pytest.mark.parametrize(
    ("events", "refusal"),
    [
        pytest.param((applied(service="WUTM"),), NotFormed, id="before formation"),
        pytest.param(running(service="WUTM"), AlreadyStarted, id="after the start"),
    ],
)
def test_initial_work_is_scheduled_between_formation_and_start(
    events: tuple,  # type: ignore[type-arg] # events of any kind
    refusal: type[Exception],
) -> None:
    with pytest.raises(refusal):
        schedule_initial_work(given(*events), scheduled_on=LATER, terms=wutm())


def test_a_service_without_initial_work_has_none_to_schedule() -> None:
    with pytest.raises(NotOfThisService):
        schedule_initial_work(given(applied(), approved()), scheduled_on=LATER, terms=mysec())


@pytest.mark.clause("WUTM-9.1.3")
@pytest.mark.clause("WUTM-9.2.2")
def test_provision_starts_once() -> None:
    formed = (applied(service="WUTM"), approved(service="WUTM"))
    assert start(given(*formed), started_on=LATER, terms=wutm()) == (started(LATER),)
    life = given(*formed, started(LATER))
    assert start(life, started_on=LATER, terms=wutm()) == ()
    with pytest.raises(AlreadyStarted):
        start(life, started_on=date(2024, 1, 21), terms=wutm())


@pytest.mark.parametrize(
    ("on", "possible"),
    [
        pytest.param(date(2024, 2, 15), True, id="on the termination date"),
        pytest.param(date(2024, 2, 16), False, id="the day after"),
    ],
)
def test_a_contract_may_still_start_until_the_end_recorded_for_it(
    on: date, *, possible: bool
) -> None:
    life = given(applied(), approved(), terminated(date(2024, 2, 15)))
    if possible:
        assert start(life, started_on=on, terms=mysec()) == (started(on),)
    else:
        with pytest.raises(AlreadyEnded):
            start(life, started_on=on, terms=mysec())


def test_what_is_under_review_does_not_start() -> None:
    with pytest.raises(NotFormed):
        start(given(applied()), started_on=ON, terms=mysec())
