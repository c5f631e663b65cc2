"""Every golden case whose terms all contexts have, played in one process, to the yen."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.play.compare import differences
from cli.play.offline import play_offline
from cli.play.scenario import read_scenario

CASES = Path(__file__).parents[2] / "cases"
PLAYED = ("mysec", "wutm", "cas", "ssd", "wsrv", "nqms", "rrns")


def read_case(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def cases(*services: str) -> list[Any]:
    paths = sorted(path for one in services for path in CASES.glob(f"{one}-*.json"))
    return [pytest.param(read_case(path), id=path.stem) for path in paths]


@pytest.mark.parametrize("case", cases(*PLAYED))
async def test_a_golden_case_agrees_offline(case: Any) -> None:
    result = await play_offline(read_scenario(case))
    assert differences(case["expected"], result) == []


async def test_playing_twice_gives_the_same_bytes() -> None:
    scenario = read_scenario(read_case(CASES / "wutm-59.json"))
    first, second = await play_offline(scenario), await play_offline(scenario)
    assert json.dumps(first) == json.dumps(second)


async def test_a_refused_command_becomes_a_sentence_and_play_goes_on() -> None:
    document = {
        "service": "WUTM",
        "contract": {"device": "SSB10", "line": "flets"},
        "events": [
            {"type": "service_started", "date": "2024-01-01"},
            {"type": "resumed", "date": "2024-02-01"},
        ],
        "through": "2024-02",
    }
    result = await play_offline(read_scenario(document))
    assert [invoice["total"] for invoice in result["invoices"]] == [2750, 2750]
    assert any("resume" in sentence and "WUTM-" in sentence for sentence in result["warnings"])
