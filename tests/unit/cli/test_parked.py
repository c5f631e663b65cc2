"""`./yk parked` shows a parked stream in a line, by what stands first."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cli.commands.parked import line, stand_of
from cli.processes import CannotStart
from libs.events.parked_story import advice
from libs.events.parking import Parked, StreamParked
from libs.events.taking_again import Stand


def a_parked_event(*, stream: int, sequence: int, reason: str = "behind") -> Parked:
    return Parked(
        consumer="reactions",
        topic="contracts",
        partition=3,
        sequence=sequence,
        stream_id=UUID(int=stream),
        event_id=UUID(int=1000 + sequence),
        waiting=False,
        reason=reason,
        attempts=0 if reason == "behind" else 2,
        parked_at=datetime(2026, 4, 1, tzinfo=UTC),
    )


def test_a_line_says_where_it_stopped_why_and_how_many_stand_behind() -> None:
    first = a_parked_event(stream=1, sequence=7, reason="NotToday: it is Sunday")
    assert line("billing", StreamParked(first=first, behind=1)) == (
        "billing reactions 00000000-0000-0000-0000-000000000001  parked at contracts/3/7,"
        " event 00000000-0000-0000-0000-0000000003ef, 1 behind, tried 2: NotToday: it is Sunday"
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"attempts": 0}, "tried next", id="what stood before it is gone"),
        pytest.param({"waiting": True}, "tried again by itself", id="it waits"),
        pytest.param({"clause": "NSEC-6.1"}, "A rule said no (clause NSEC-6.1)", id="a rule"),
        pytest.param({}, "The code failed on it", id="the code"),
    ],
)
def test_advice_goes_by_why_it_is_parked(changed: dict[str, Any], says: str) -> None:
    first = a_parked_event(stream=1, sequence=7, reason="NotToday: it is Sunday")
    assert says in advice(first.model_copy(update=changed))


def test_a_stand_is_given_as_it_is_shown() -> None:
    stand = Stand("rehearsal-contracts", 3, 17)
    assert stand_of(str(stand)) == stand


@pytest.mark.parametrize("text", ["contracts/3", "contracts/3/17/1", "contracts/x/17", ""])
def test_what_is_no_stand_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="is no TOPIC/PARTITION/SEQUENCE"):
        stand_of(text)
