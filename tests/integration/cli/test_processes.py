"""Only what we started is stopped, all of it, and nothing outlives whoever started it tied."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cli.processes import CannotStart, ProcessPlan, ProcessTable, is_alive
from cli.state import CHECKOUT, State

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    SLEEPER[2].replace("time;", "signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"),
)
GONE_SECONDS = 30


def a_plan(
    command: tuple[str, ...] = SLEEPER, *, environment: dict[str, str] | None = None
) -> ProcessPlan:
    return ProcessPlan(
        name="sleeper",
        command=command,
        address="",
        environment=environment or {},
        stop_seconds=0.2 if command == STUBBORN else 15,
    )


def wait_for_output(table: ProcessTable) -> None:
    log = table.log_path("sleeper")
    table.wait_until("sleeper", lambda: "up" in log.read_text(), seconds=30, what="The sleeper")


def test_what_was_started_is_found_and_stopped(tmp_path: Path) -> None:
    table = ProcessTable(State(tmp_path))
    record = table.start(a_plan(), tied=True)
    assert table.find("sleeper") == record
    assert table.stop_all() == ("sleeper",)
    assert not is_alive(record)
    assert table.running() == ()


def test_starting_what_runs_gives_the_same_process(tmp_path: Path) -> None:
    table = ProcessTable(State(tmp_path))
    first = table.start(a_plan(), tied=True)
    assert table.start(a_plan(), tied=True) == first
    table.stop_all()


def test_another_plan_under_the_name_takes_its_place(tmp_path: Path) -> None:
    table = ProcessTable(State(tmp_path))
    first = table.start(a_plan(), tied=True)
    second = table.start(a_plan(environment={"PORT": "1"}), tied=True)
    assert not is_alive(first)
    assert is_alive(second)
    table.stop_all()


def test_one_that_does_not_listen_to_its_signal_is_killed(tmp_path: Path) -> None:
    table = ProcessTable(State(tmp_path))
    record = table.start(a_plan(STUBBORN), tied=True)
    wait_for_output(table)
    assert table.stop("sleeper") is False
    assert not is_alive(record)


def test_a_record_of_a_pid_that_another_process_has_is_stale(tmp_path: Path) -> None:
    state = State(tmp_path)
    table = ProcessTable(state)
    table.start(a_plan(), tied=True)
    path = state.run / "sleeper.json"
    stale = json.loads(path.read_bytes())
    table.stop_all()
    # This test's own process stands for the one that got the pid an hour later.
    earlier = stale["started_at"] - 3600
    path.write_text(json.dumps(stale | {"pid": os.getpid(), "started_at": earlier}))
    assert table.find("sleeper") is None
    assert not path.exists()
    assert table.stop("sleeper") is False


def test_a_process_that_ends_while_starting_is_told_with_its_log(tmp_path: Path) -> None:
    table = ProcessTable(State(tmp_path))
    table.start(a_plan((sys.executable, "-c", "raise SystemExit(3)")), tied=True)
    with pytest.raises(CannotStart, match=r"ended while starting: see .*sleeper\.log"):
        table.wait_until("sleeper", lambda: False, seconds=30, what="It")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_a_tied_process_ends_with_the_one_that_started_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = f"""
import sys, time
from pathlib import Path
from cli.processes import ProcessPlan, ProcessTable
from cli.state import State
table = ProcessTable(State(Path({str(tmp_path)!r})))
plan = ProcessPlan(name="sleeper", command={SLEEPER!r}, address="")
record = table.start(plan, tied=True)
log = table.log_path("sleeper")
table.wait_until("sleeper", lambda: "up" in log.read_text(), seconds=30, what="It")
print(record.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(number)
        parent.wait(GONE_SECONDS)
        gone, _ = psutil.wait_procs([child], timeout=GONE_SECONDS)
    assert gone == [child]
