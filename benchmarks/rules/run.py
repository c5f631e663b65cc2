"""The benchmark of the rules: assessments, scenarios, and where the time of a play goes."""

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Part
from benchmarks.rules.assessments import assess_months
from benchmarks.rules.scenarios import play_scenarios, profile_scenarios
from cli.play.scenario import Scenario, read_scenario

CASES = Path(__file__).parents[2] / "tests" / "cases"


def run(*, quick: bool, told: Callable[[Part], None]) -> list[Part]:
    """Measure all parts and tell each as soon as it is done."""
    seconds = 4.0 if quick else 30.0
    cases = read_cases()
    measures: tuple[Callable[[], Part], ...] = (
        lambda: assess_months(cases, seconds=seconds),
        lambda: play_scenarios(cases, seconds=seconds),
        lambda: profile_scenarios(cases),
    )
    parts: list[Part] = []
    for measure in measures:
        parts.append(measure())
        told(parts[-1])
    return parts


def read_cases() -> dict[str, list[Scenario]]:
    """The golden cases by service."""
    cases: dict[str, list[Scenario]] = {}
    for file in sorted(CASES.glob("*.json")):
        scenario = read_scenario(json.loads(file.read_text("utf-8")))
        cases.setdefault(scenario.service, []).append(scenario)
    return cases
