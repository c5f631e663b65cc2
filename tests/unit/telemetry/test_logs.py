"""Log lines: the trace and the case on every one, and nothing that someone told us.

Logs are set up for a whole process, so each of these tests is one.
"""

import json
import subprocess
import sys
import textwrap

import pytest

from libs.telemetry.logs import told

CASE = "00000000-0000-0000-0000-000000000064"

BEGIN = f"""
import logging, sys
from uuid import UUID

import structlog
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel

from libs.telemetry import tracing
from libs.telemetry.logs import set_up_logs

class Customer(BaseModel):
    name: int

set_up_logs()
tracer = TracerProvider().get_tracer("test")
case = tracing.case(UUID("{CASE}"))
"""

REFUSED = """
try:
    Customer.model_validate({"name": "川口 みどり"})
except ValueError as error:
    assert "みどり" in str(error)
"""


def said(program: str) -> tuple[str, list[dict[str, object]]]:
    """What a process writes to standard error, as it is and by lines."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    "logger",
    [
        pytest.param("structlog.get_logger()", id="ours"),
        pytest.param('logging.getLogger("theirs")', id="theirs"),
    ],
)
def test_every_line_carries_the_trace_and_the_case(logger: str) -> None:
    _, (line,) = said(f"""
        with tracer.start_as_current_span("work"), case:
            {logger}.warning("something")
    """)
    assert line["event"] == "something"
    assert line["level"] == "warning"
    assert line["correlation_id"] == CASE
    assert len(str(line["trace_id"])) == 32


@pytest.mark.parametrize(
    "telling",
    [
        pytest.param('structlog.get_logger().exception("it failed")', id="in-hand"),
        pytest.param('structlog.get_logger().error("it failed", exc_info=error)', id="given"),
        pytest.param('structlog.get_logger().error("it failed", reason=error)', id="a-field"),
        pytest.param('logging.getLogger("a").exception("it failed\\n%s", error)', id="theirs"),
        pytest.param("raise", id="the-end-of-the-process"),
    ],
)
def test_a_refused_input_is_told_by_kind_and_never_quoted(telling: str) -> None:
    written, (line,) = said(f"{REFUSED}    {telling}")
    assert "みどり" not in written
    assert "\\u307f" not in written
    assert "ValidationError" in str(line)


def test_what_led_to_an_exception_is_told_too_with_its_place() -> None:
    def fails() -> None:
        try:
            raise KeyError("みどり")
        except KeyError as error:
            raise ConnectionError from error

    with pytest.raises(ConnectionError) as caught:
        fails()
    latest, first = told(caught.value)
    assert (latest["kind"], first["kind"]) == ("ConnectionError", "KeyError")
    assert "fails (unit/telemetry/test_logs.py" in first["places"][-1]
