"""Changes of content and of the billing month."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractFactCorrected,
)
from services.contracts.domain.changes import Change, change_billing_day, change_content
from services.contracts.domain.facts import content_on, facts_of
from services.contracts.domain.refusals import (
    AlreadyEnded,
    NotEnoughToRemove,
    NothingChanges,
    NotOfThisService,
)

from .builders import CONTRACT, event_id, given, mysec, recorded, running, terminated, wutm

MARCH = date(2024, 3, 11)
APRIL = date(2024, 4, 16)


def test_added_packs_join_what_there_is() -> None:
    life = given(*running(content=Content(packs={1: 10})))
    change = Change(kind="addition", effective_on=MARCH, packs={1: 5, 10: 1})
    (event,) = change_content(life, change=change, terms=mysec())
    assert isinstance(event, ContentChanged)
    assert (event.before.packs, event.after.packs) == ({1: 10}, {1: 15, 10: 1})


@pytest.mark.clause("NSEC-11.1")
@pytest.mark.parametrize(
    ("removed", "left"),
    [
        pytest.param({1: 9}, {1: 1}, id="all but one"),
        pytest.param({1: 10}, {}, id="all"),
    ],
)
def test_removed_packs_are_gone_from_their_day_on(
    removed: dict[int, int], left: dict[int, int]
) -> None:
    life = given(*running(content=Content(packs={1: 10})))
    change = Change(kind="partial-termination", effective_on=APRIL, packs=removed)
    (event,) = change_content(life, change=change, terms=mysec())
    assert isinstance(event, ContentChanged)
    assert event.after.packs == left


@pytest.mark.clause("NSEC-11.1")
def test_more_than_there_is_cannot_be_removed() -> None:
    life = given(*running(content=Content(packs={1: 10})))
    change = Change(kind="partial-termination", effective_on=APRIL, packs={1: 11})
    with pytest.raises(NotEnoughToRemove) as refused:
        change_content(life, change=change, terms=mysec())
    assert refused.value.clause == "NSEC-11.1"


def test_a_replacement_is_the_whole_new_content() -> None:
    life = given(*running(content=Content(packs={1: 10})))
    change = Change(kind="replacement", effective_on=MARCH, packs={100: 1})
    (event,) = change_content(life, change=change, terms=mysec())
    assert isinstance(event, ContentChanged)
    assert event.after.packs == {100: 1}
    after = given(*running(), event)
    assert change_content(after, change=change, terms=mysec()) == ()


@pytest.mark.clause("WUTM-10.1")
@pytest.mark.clause("WUTM-10.2")
def test_an_agreed_change_of_device_keeps_what_is_not_named() -> None:
    life = given(*running(service="WUTM"))
    change = Change(kind="device", effective_on=MARCH, licensed=True)
    (event,) = change_content(life, change=change, terms=wutm())
    assert isinstance(event, ContentChanged)
    assert (event.after.device, event.after.licensed) == ("SSB10", True)


@pytest.mark.clause("WUTM-10.2")
def test_a_change_holds_from_its_day_and_not_from_its_application() -> None:
    life = given(*running(service="WUTM"))
    change = Change(kind="device", effective_on=MARCH, licensed=True, applied_on=date(2024, 3, 1))
    (event,) = change_content(life, change=change, terms=wutm())
    assert isinstance(event, ContentChanged)
    assert (event.effective_on, event.applied_on) == (MARCH, date(2024, 3, 1))


@pytest.mark.clause("WUTM-10.2")
def test_a_change_to_what_is_not_sold_is_refused_like_an_application() -> None:
    change = Change(kind="device", effective_on=MARCH, device="SSB99")
    with pytest.raises(NotOfThisService):
        change_content(given(*running(service="WUTM")), change=change, terms=wutm())


def test_a_discount_is_told_and_leaves_the_content() -> None:
    life = given(*running(service="WUTM"))
    change = Change(kind="discount", effective_on=MARCH, monthly_discount=500)
    (event,) = change_content(life, change=change, terms=wutm())
    assert isinstance(event, ContentChanged)
    assert (event.monthly_discount, event.after) == (500, event.before)


def test_a_backdated_change_moves_the_later_ones_that_rest_on_it() -> None:
    later = ContentChanged(
        contract_id=CONTRACT,
        effective_on=APRIL,
        kind="addition",
        before=Content(packs={1: 10}),
        after=Content(packs={1: 12}),
    )
    history = (*running(), later)
    change = Change(kind="addition", effective_on=MARCH, packs={10: 1})
    events = change_content(given(*history), change=change, terms=mysec())
    assert [type(event) for event in events] == [ContentChanged, ContractFactCorrected]
    facts = facts_of(recorded(*history, *events))
    assert content_on(facts, MARCH).packs == {1: 10, 10: 1}
    assert content_on(facts, APRIL).packs == {1: 12, 10: 1}
    (correction,) = [event for event in events if isinstance(event, ContractFactCorrected)]
    assert correction.corrects == event_id(4)


@pytest.mark.parametrize(
    ("service", "change"),
    [
        pytest.param(
            "WUTM", Change(kind="addition", effective_on=MARCH, packs={1: 1}), id="licences"
        ),
        pytest.param(
            "WUTM", Change(kind="option-added", effective_on=MARCH, option="report"), id="option"
        ),
        pytest.param(
            "MYSEC", Change(kind="device", effective_on=MARCH, device="SSB5"), id="device"
        ),
        pytest.param(
            "MYSEC", Change(kind="addition", effective_on=MARCH, packs={7: 1}), id="a size not sold"
        ),
    ],
)
def test_a_change_that_the_service_does_not_know_is_refused(service: str, change: Change) -> None:
    terms = mysec() if service == "MYSEC" else wutm()
    with pytest.raises(NotOfThisService):
        change_content(given(*running(service=service)), change=change, terms=terms)


@pytest.mark.parametrize("kind", ["addition", "partial-termination", "replacement"])
def test_a_change_that_names_nothing_is_refused(kind: str) -> None:
    change = Change(kind=kind, effective_on=MARCH)  # type: ignore[arg-type] # one of the kinds
    with pytest.raises(NothingChanges):
        change_content(given(*running()), change=change, terms=mysec())


def test_after_its_end_a_contract_does_not_change() -> None:
    life = given(*running(), terminated(date(2024, 3, 10)))
    with pytest.raises(AlreadyEnded):
        change_content(
            life, change=Change(kind="addition", effective_on=MARCH, packs={1: 1}), terms=mysec()
        )


@pytest.mark.clause("WUTM-28.4")
def test_billing_months_move_to_another_start_day() -> None:
    life = given(*running(service="WUTM"))
    (event,) = change_billing_day(
        life, start_day=11, from_on=date(2025, 6, 11), terms=wutm(date(2025, 6, 11))
    )
    again = given(*running(service="WUTM"), event)
    assert change_billing_day(again, start_day=11, from_on=date(2025, 6, 11), terms=wutm()) == ()


@pytest.mark.clause("WUTM-28.4")
@pytest.mark.parametrize(
    ("service", "start_day", "from_on"),
    [
        pytest.param("WUTM", 11, date(2025, 6, 10), id="another day than the start day"),
        pytest.param("WUTM", 29, date(2025, 6, 29), id="a day that not every month has"),
        pytest.param("MYSEC", 11, date(2025, 6, 11), id="calendar months"),
    ],
)
def test_a_start_day_that_cannot_be_is_refused(service: str, start_day: int, from_on: date) -> None:
    terms = mysec() if service == "MYSEC" else wutm()
    with pytest.raises(NotOfThisService):
        change_billing_day(
            given(*running(service=service)), start_day=start_day, from_on=from_on, terms=terms
        )
