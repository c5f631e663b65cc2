"""From a scenario to commands in order: what is filled in, what comes before what."""

from datetime import date
from typing import Any

from cli.play.plan import Step, plan
from cli.play.scenario import read_scenario


def steps_of(*events: dict[str, Any], **changes: Any) -> list[Step]:
    document = {"service": "WUTM", "events": list(events), "through": "2024-06", **changes}
    return list(plan(read_scenario(document), line_id="L1").steps)


def names(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.on.isoformat(), step.operation) for step in steps]


STARTED = {"type": "service_started", "date": "2024-01-01"}


def test_what_a_scenario_leaves_out_happens_on_the_day_of_its_first_event() -> None:
    assert names(steps_of(STARTED)) == [
        ("2024-01-01", "register_customer"),
        ("2024-01-01", "apply"),
        ("2024-01-01", "approve"),
        ("2024-01-01", "arrange"),
        ("2024-01-01", "start_service"),
        ("2024-01-01", "register_device"),
    ]


def test_an_application_and_approval_that_are_told_keep_their_days() -> None:
    told = [
        {"type": "applied", "date": "2023-12-01"},
        {"type": "approved", "date": "2023-12-05"},
        STARTED,
    ]
    assert names(steps_of(*told))[:3] == [
        ("2023-12-01", "register_customer"),
        ("2023-12-01", "apply"),
        ("2023-12-05", "approve"),
    ]


def test_a_request_before_the_start_comes_before_it_and_is_confirmed_on_its_own_day() -> None:
    asked = {
        "type": "termination_requested",
        "date": "2023-12-07",
        "desired": "2024-01-01",
        "confirmed": "2023-12-08",
    }
    assert names(steps_of(STARTED, asked))[3:] == [
        ("2023-12-07", "arrange"),
        ("2023-12-07", "request_termination"),
        ("2023-12-08", "confirm_termination"),
        ("2024-01-01", "start_service"),
        ("2024-01-01", "register_device"),
    ]


def test_one_run_comes_before_the_first_payment_of_a_day_and_closes_the_day_before() -> None:
    payment = {"type": "payment", "date": "2024-03-10"}
    steps = steps_of(STARTED, payment, payment, {"type": "payment", "date": "2024-04-01"})
    assert names(steps)[6:] == [
        ("2024-03-10", "run_invoices"),
        ("2024-03-10", "receive_payment"),
        ("2024-03-10", "receive_payment"),
        ("2024-04-01", "run_invoices"),
        ("2024-04-01", "receive_payment"),
    ]
    assert steps[6].arguments == {"closing_on": date(2024, 3, 9)}


def test_an_outage_is_recorded_when_it_was_known() -> None:
    outage = {
        "type": "outage",
        "date": "2024-03-03",
        "from": "2024-03-03T00:00",
        "to": "2024-03-07T09:29",
        "known_at": "2024-03-04T09:30",
        "fault": "third_party",
    }
    assert names(steps_of(STARTED, outage))[-1] == ("2024-03-04", "record_outage")


def test_a_paper_is_issued_on_its_own_day_and_a_withdrawn_one_never() -> None:
    asked = {"type": "qualified_invoice_requested", "date": "2024-03-10"}
    steps = steps_of(STARTED, asked, {**asked, "issued": "2024-03-12"}, {**asked, "issued": None})
    assert names(steps)[6:] == [
        ("2024-03-10", "issue_qualified_invoice"),
        ("2024-03-12", "issue_qualified_invoice"),
    ]


def test_steps_of_one_day_keep_the_order_of_the_scenario() -> None:
    first = {"type": "discount_changed", "date": "2024-03-10", "monthly_discount": 100}
    second = {"type": "line_converted", "date": "2024-03-10"}
    assert names(steps_of(STARTED, first, second))[6:] == [
        ("2024-03-10", "change_discount"),
        ("2024-03-10", "convert_line"),
    ]
    assert names(steps_of(STARTED, second, first))[6:] == [
        ("2024-03-10", "convert_line"),
        ("2024-03-10", "change_discount"),
    ]


def test_agreed_due_dates_are_arranged_with_the_account() -> None:
    steps = steps_of(STARTED, due_dates={"2024-05": "2024-06-30"})
    assert steps[4].arguments == {"month": "2024-05", "due_on": date(2024, 6, 30)}
