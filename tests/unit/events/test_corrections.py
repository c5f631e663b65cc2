from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.events.corrections import corrected, with_values
from libs.events.envelope import Envelope, Event, Recorded
from libs.events.vocabulary.contracts import (
    Content,
    ContentChanged,
    ContractFactCorrected,
    ServiceStarted,
    WorkAccepted,
)

CONTRACT = UUID(int=1)


def recorded(number: int, event: Event) -> Recorded[Event]:
    return Recorded(
        Envelope(
            event_id=UUID(int=number),
            context="contracts",
            log_epoch=UUID(int=0),
            stream_id=CONTRACT,
            version=number,
            position=number,
            partition=0,
            sequence=number,
            recorded_at=datetime(2026, 4, number, tzinfo=UTC),
            correlation_id=UUID(int=9),
            causation_id=None,
            actor="a",
            traceparent=None,
        ),
        event,
    )


def a_start(on: date = date(2026, 4, 1)) -> ServiceStarted:
    return ServiceStarted(contract_id=CONTRACT, started_on=on)


def of(number: int, values: Mapping[str, Any] | None) -> ContractFactCorrected:
    return ContractFactCorrected(
        contract_id=CONTRACT,
        corrects=UUID(int=number),
        values=None if values is None else dict(values),
        reason="a slip",
    )


def after(*events: Event) -> list[Event]:
    numbered = [recorded(number, event) for number, event in enumerate(events, start=1)]
    return [one.event for one in corrected(numbered)]


MAY = {"started_on": "2026-05-01"}
JUNE = {"started_on": "2026-06-01"}


@pytest.mark.parametrize(
    ("corrections", "left"),
    [
        pytest.param([], [date(2026, 4, 1)], id="nothing is corrected"),
        pytest.param([of(1, MAY)], [date(2026, 5, 1)], id="new values hold"),
        pytest.param([of(1, None)], [], id="withdrawn"),
        pytest.param([of(1, MAY), of(1, JUNE)], [date(2026, 6, 1)], id="the later wins"),
        pytest.param([of(1, MAY), of(1, None)], [], id="withdrawn later"),
        pytest.param([of(1, None), of(1, MAY)], [date(2026, 5, 1)], id="brought back"),
        pytest.param([of(1, None), of(1, {})], [date(2026, 4, 1)], id="brought back as it was"),
        pytest.param([of(1, MAY), of(2, None)], [date(2026, 4, 1)], id="correction withdrawn"),
        pytest.param(
            [of(1, MAY), of(2, {"values": JUNE})], [date(2026, 6, 1)], id="correction corrected"
        ),
        pytest.param([of(77, MAY)], [date(2026, 4, 1)], id="of an event elsewhere"),
    ],
)
def test_facts_stand_as_they_were_put_right(
    corrections: list[ContractFactCorrected], left: list[date]
) -> None:
    found = after(a_start(), *corrections)
    assert found == [a_start(on) for on in left]


def test_what_nobody_corrects_stays_in_its_order() -> None:
    accepted = WorkAccepted(contract_id=CONTRACT, accepted_on=date(2026, 3, 1))
    assert after(accepted, a_start(), of(2, MAY)) == [accepted, a_start(date(2026, 5, 1))]


def test_two_corrections_of_different_fields_both_hold() -> None:
    change = ContentChanged(
        contract_id=CONTRACT,
        effective_on=date(2026, 5, 1),
        kind="addition",
        before=Content(),
        after=Content(packs={10: 1}),
    )
    found = after(
        change, of(1, {"effective_on": "2026-05-02"}), of(1, {"after": {"packs": {"10": 2}}})
    )
    assert found == [
        change.model_copy(
            update={"effective_on": date(2026, 5, 2), "after": Content(packs={10: 2})}
        )
    ]


@pytest.mark.parametrize(
    "values", [{"started_on": "soon"}, {"stopped_on": "2026-05-01"}, {"type": "x"}]
)
def test_values_that_the_fact_cannot_have_are_an_error(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        with_values(a_start(), values)
