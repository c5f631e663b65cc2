"""Reading scenarios: what is taken, what is refused, and with which words."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.play.scenario import MalformedScenario, Outage, read_scenario, unknown_fields

CASES = Path(__file__).parents[2] / "cases"


def a_scenario(*events: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"service": "WUTM", "events": list(events), "through": "2024-04", **changes}


@pytest.mark.parametrize("case", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_every_golden_case_can_be_read_and_has_no_unknown_field(case: Path) -> None:
    document = json.loads(case.read_text(encoding="utf-8"))
    scenario = read_scenario(document)
    assert len(scenario.events) == len(document["scenario"]["events"])
    assert unknown_fields(document["scenario"], scenario) == []


def test_times_are_japan_times() -> None:
    scenario = read_scenario(
        a_scenario(
            {
                "type": "outage",
                "date": "2024-06-03",
                "from": "2024-06-03T10:00",
                "to": "2024-06-04T10:00",
                "known_at": "2024-06-03T10:00",
                "fault": "third_party",
            }
        )
    )
    (outage,) = scenario.events
    assert isinstance(outage, Outage)
    assert outage.date == date(2024, 6, 3)
    assert outage.from_at == datetime(2024, 6, 3, 10, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        pytest.param(a_scenario({"type": "boo", "date": "2024-01-01"}), "/events/0", id="type"),
        pytest.param(
            a_scenario({"type": "payment", "date": "2024-01-01", "amount": "100"}),
            "/events/0/amount",
            id="text for yen",
        ),
        pytest.param(
            a_scenario({"type": "payment", "date": "2024-02-30"}),
            "/events/0/date",
            id="day",
        ),
        pytest.param(a_scenario(service="wutm"), "/service", id="no code"),
        pytest.param(a_scenario(through="2024-13"), "/through", id="month"),
        pytest.param([1, 2], "/", id="no object"),
        pytest.param(
            a_scenario({"type": "billing_day_changed", "date": "2024-01-29", "billing_day": 29}),
            "/events/0/billing_day",
            id="the 29th",
        ),
    ],
)
def test_a_malformed_scenario_is_refused_with_the_place(document: object, pointer: str) -> None:
    with pytest.raises(MalformedScenario) as refused:
        read_scenario(document)
    assert refused.value.field == pointer


def test_an_unknown_field_is_said_and_passed_over() -> None:
    document = a_scenario({"type": "resumed", "date": "2024-01-01", "why": "paid"}, colour="red")
    assert unknown_fields(document, read_scenario(document)) == [
        "field colour is not known and was passed over",
        "event 1 (resumed): field why is not known and was passed over",
    ]
