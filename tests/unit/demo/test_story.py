from datetime import date

import pytest

from cli.demo.story import Story, billing_days, read_stories
from cli.demo.telling import sentence

STORIES = read_stories()


def test_the_story_has_what_an_operator_lives_through() -> None:
    told = {step.operation for story in STORIES for step in story.steps(line_id="line")}
    assert told >= {
        "apply",
        "approve",
        "decline",
        "start_service",
        "add_licences",
        "remove_licences",
        "suspend",
        "resume",
        "record_outage",
        "swap_device",
        "receive_payment",
        "terminate",
        "confirm_termination",
    }
    assert {story.scenario.service for story in STORIES} == {"MYSEC", "WUTM"}


def test_invoices_are_run_on_the_first_of_each_month_after_the_first_acceptance() -> None:
    steps = [step for story in STORIES for step in story.steps(line_id="line")]
    assert billing_days(steps, through="2026-07") == [
        date(2026, month, 1) for month in (5, 6, 7, 8)
    ]


def test_months_go_on_over_the_end_of_a_year() -> None:
    story = a_story([{"type": "approved", "date": "2025-11-20"}], through="2026-01")
    assert billing_days(story.steps(line_id="line"), through="2026-01") == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]


def test_a_declined_application_goes_no_further() -> None:
    story = a_story([{"type": "applied", "date": "2026-04-06"}], through="2026-04")
    declined = Story.model_validate(
        {
            **story.model_dump(mode="json", by_alias=True),
            "declined": {"date": "2026-04-08", "ground": "not-a-corporation"},
        }
    )
    steps = declined.steps(line_id="line")
    assert [step.operation for step in steps] == ["register_customer", "apply", "decline"]
    assert steps[-1].on == date(2026, 4, 8)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.name))
def test_nothing_told_of_is_left_without_a_service(story: Story) -> None:
    for step in story.steps(line_id="line"):
        said = sentence(step, service=story.scenario.service)
        assert said is None or "%s" not in said


def a_story(events: list[dict[str, str]], *, through: str) -> Story:
    return Story.model_validate(
        {
            "name": "someone",
            "email": "someone@example.com",
            "title": "a story",
            "scenario": {"service": "MYSEC", "events": events, "through": through},
        }
    )
