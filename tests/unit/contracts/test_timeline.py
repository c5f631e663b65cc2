"""Which facts can be true together."""

from datetime import date

import pytest

from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractEvent,
    ContractFactCorrected,
)
from services.contracts.domain.correcting import WrongValues, correct
from services.contracts.domain.facts import content_on
from services.contracts.domain.refusals import ImpossibleTimeline, UnknownFact
from services.contracts.domain.timeline import check

from .builders import (
    CONTRACT,
    applied,
    approved,
    event_id,
    given,
    resumed,
    running,
    started,
    suspended,
    terminated,
)

JAN, FEB, MAR, APR = (date(2024, month, 10) for month in (1, 2, 3, 4))


def changed(on: date, *, before: int = 10, after: int = 12) -> ContentChanged:
    return ContentChanged(
        contract_id=CONTRACT,
        effective_on=on,
        kind="addition" if after > before else "partial-termination",
        before=Content(packs={1: before}),
        after=Content(packs={1: after}),
    )


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(running(), id="all on one day"),
        pytest.param((*running(), suspended(MAR), resumed(APR)), id="suspended and resumed"),
        pytest.param(
            (*running(), suspended(MAR, until_on=APR), resumed(APR)), id="resumed on the limit"
        ),
        pytest.param(
            (*running(), suspended(FEB, until_on=MAR), suspended(APR)),
            id="a second suspension after the first",
        ),
        pytest.param((*running(), terminated(APR), changed(MAR)), id="recorded after the end"),
        pytest.param((*running(), terminated(APR), terminated(MAR)), id="an earlier end"),
        pytest.param((*running(), terminated(MAR), changed(MAR)), id="on the termination date"),
        pytest.param(
            (*running(), changed(APR), terminated(MAR, cause="line", by="operator")),
            id="the line ended before what was known already",
        ),
    ],
)
def test_these_facts_can_be_true_together(events: tuple[ContractEvent, ...]) -> None:
    check(given(*events).facts)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((applied(FEB), approved(JAN)), id="approved before applied for"),
        pytest.param((applied(), approved(FEB), started(JAN)), id="started before approved"),
        pytest.param((*running(FEB), suspended(JAN)), id="suspended before the start"),
        pytest.param(
            (*running(), suspended(MAR), resumed(APR), suspended(date(2024, 3, 15))),
            id="suspended while suspended",
        ),
        pytest.param(
            (*running(), suspended(FEB, until_on=MAR), resumed(APR)), id="resumed after the limit"
        ),
        pytest.param((*running(), resumed(MAR)), id="resumed without a suspension"),
        pytest.param((*running(), terminated(MAR), changed(APR)), id="changed after the end"),
        pytest.param(
            (*running(), changed(APR), terminated(MAR)), id="ended before a change that is known"
        ),
        pytest.param(
            (*running(), terminated(MAR, cause="line"), changed(APR)),
            id="changed after the end of the line was known",
        ),
        pytest.param((*running(), changed(MAR, before=10, after=-1)), id="less than nothing"),
    ],
)
def test_these_facts_contradict_one_another(events: tuple[ContractEvent, ...]) -> None:
    with pytest.raises(ImpossibleTimeline):
        check(given(*events).facts)


@pytest.mark.parametrize(
    ("on", "good"),
    [
        pytest.param(MAR, True, id="the day after the last day"),
        pytest.param(date(2024, 3, 11), False, id="a day later"),
    ],
)
def test_nothing_happens_after_the_maximum_period(on: date, *, good: bool) -> None:
    facts = given(*running(), changed(on)).facts
    if good:
        check(facts, ends_at_latest=MAR)
    else:
        with pytest.raises(ImpossibleTimeline):
            check(facts, ends_at_latest=MAR)


def test_a_fact_is_put_right() -> None:
    life = given(*running())
    events, facts = correct(
        life, corrects=event_id(3), values={"started_on": "2024-02-10"}, reason="typo"
    )
    assert events == (
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=event_id(3),
            values={"started_on": "2024-02-10"},
            reason="typo",
        ),
    )
    assert facts[2].on == FEB


def test_a_fact_is_withdrawn() -> None:
    _, facts = correct(given(*running()), corrects=event_id(3), values=None, reason="not so")
    assert len(facts) == 2


def test_a_correction_that_changes_nothing_is_none() -> None:
    life = given(*running())
    events, _ = correct(
        life, corrects=event_id(3), values={"started_on": "2024-01-10"}, reason="the same"
    )
    assert events == ()


def test_changes_that_rest_on_a_corrected_one_move_with_it() -> None:
    life = given(*running(), changed(FEB), changed(MAR, before=12, after=15))
    events, facts = correct(life, corrects=event_id(4), values=None, reason="never ordered")
    assert len(events) == 2
    assert content_on(facts, None).packs == {1: 13}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"started_at": "2024-01-10"}, id="a field it does not have"),
        pytest.param({"started_on": "soon"}, id="a value it cannot have"),
        pytest.param({"contract_id": str(event_id(9))}, id="a field that is fixed"),
    ],
)
def test_values_that_a_fact_cannot_have_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(WrongValues):
        correct(given(*running()), corrects=event_id(3), values=values, reason="typo")


def test_only_facts_of_the_contract_are_put_right() -> None:
    with pytest.raises(UnknownFact):
        correct(given(*running()), corrects=event_id(9), values=None, reason="typo")
