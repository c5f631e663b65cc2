"""`./yk parked` shows a parked stream in a line, by what stands first."""

from datetime import UTC, datetime
from uuid import UUID

from cli.commands.parked import line, streams
from libs.events.parking import Parked


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


def test_a_stream_is_shown_by_its_first_event_and_the_number_behind_it() -> None:
    events = [
        a_parked_event(stream=1, sequence=9),
        a_parked_event(stream=2, sequence=8, reason="NotToday: it is Sunday"),
        a_parked_event(stream=1, sequence=7, reason="NotToday: it is Sunday"),
    ]
    found = streams(events)
    assert [(first.sequence, behind) for first, behind in found] == [(7, 1), (8, 0)]


def test_a_line_says_where_it_stopped_and_why() -> None:
    first = a_parked_event(stream=1, sequence=7, reason="NotToday: it is Sunday")
    assert line("billing", first, behind=1) == (
        "billing reactions 00000000-0000-0000-0000-000000000001  parked at contracts/3/7,"
        " event 00000000-0000-0000-0000-0000000003ef, 1 behind, tried 2: NotToday: it is Sunday"
    )
