"""Every golden case, through HTTP, Kafka and all services."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.play.compare import differences
from cli.play.offline import play_offline
from cli.play.rehearsal import stage
from cli.play.scenario import Settings, read_scenario
from cli.play.system import SystemPlayer
from cli.state import State
from cli.system import Addresses

_FOLDER = Path(__file__).parents[1] / "cases"

# Cases for which the system lacks a command, by id, with what is missing.
NOT_YET: Mapping[str, str] = {}

CASES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(_FOLDER.glob("*.json"))
}
PLAYED = [name for name in CASES if name not in NOT_YET]

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def results(system: Addresses, state: State) -> dict[str, dict[str, Any]]:
    """What came of the cases, all played side by side."""
    return asyncio.run(_play_all(system, state=state))


async def _play_all(system: Addresses, *, state: State) -> dict[str, dict[str, Any]]:
    async with stage(system, state=state) as found:
        player = SystemPlayer(found)
        played = await asyncio.gather(
            *(player.play(read_scenario(case)) for case in CASES.values())
        )
    return dict(zip(CASES, played, strict=True))


def test_no_case_depends_on_settings_which_are_played_offline_only() -> None:
    assert [
        name for name, case in CASES.items() if read_scenario(case).settings != Settings()
    ] == []


@pytest.mark.parametrize("name", PLAYED)
def test_a_case_comes_out_as_expected(name: str, results: dict[str, dict[str, Any]]) -> None:
    assert differences(CASES[name]["expected"], results[name]) == []


@pytest.mark.parametrize("name", PLAYED)
async def test_a_case_comes_out_as_offline(name: str, results: dict[str, dict[str, Any]]) -> None:
    assert results[name] == await play_offline(read_scenario(CASES[name]))


def test_what_cannot_be_played_yet_is_listed_and_no_more(
    results: dict[str, dict[str, Any]],
) -> None:
    disagreeing = {
        name for name, case in CASES.items() if differences(case["expected"], results[name])
    }
    assert disagreeing == set(NOT_YET)
