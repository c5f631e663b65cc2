"""Every event that a scenario may tell has its command: all of them occur, and none is unknown."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.play.offline import play_offline
from cli.play.scenario import ScenarioEvent, read_scenario

TESTS = Path(__file__).parents[2]
SCENARIOS = sorted((TESTS / "scenarios").glob("*.json"))


def told(path: Path) -> Any:
    document = json.loads(path.read_text(encoding="utf-8"))
    return document.get("scenario", document)


def kinds() -> set[str]:
    (union, *_) = get_args(ScenarioEvent)
    return {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(union)}


def test_every_event_type_is_told_somewhere() -> None:
    paths = [*SCENARIOS, *(TESTS / "cases").glob("*.json")]
    assert {event["type"] for path in paths for event in told(path)["events"]} == kinds()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
async def test_what_is_told_is_understood(path: Path) -> None:
    result = await play_offline(read_scenario(told(path)))
    doubtful = [each for each in result["warnings"] if "filled in" not in each]
    assert doubtful == DOUBTED.get(path.stem, [])


DOUBTED = {
    "wutm-course": [
        "2024-05-10 find_underbilling: the invoice of 2024-02 bills 2,200 yen, not 2,000",
        "2024-05-10 find_underbilling: by the terms 2024-02 comes to 2,200 yen, not 2,450",
        "2024-05-12 find_evasion: the invoice of 2024-03 lacks 0 yen, not 1,000",
    ]
}
"""Amounts stated that own invoices contradict: taken, and said."""
