"""Processes that we start, remember by pid and start time, and stop; nothing else is ever stopped."""

import hashlib
import http
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import msgspec
import psutil

from cli.state import CHECKOUT, State

# Start times are computed from the boot time, which may move a little when the clock is set.
_SAME_START_SECONDS = 2.0
_KILLED_SECONDS = 5.0
_POLL_SECONDS = 0.02
_OK = http.HTTPStatus.OK
_REDIRECT = http.HTTPStatus.MULTIPLE_CHOICES
_LAUNCHER = Path(__file__).with_name("launch.py")


class CannotStart(Exception):
    """Something that was to run does not; the text is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """A process to start. `address` is what others reach it by, shown by `status`."""

    name: str
    command: tuple[str, ...]
    address: str
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    # Later stages rest on earlier ones and are stopped before them, each stage at once.
    stage: int = 0

    @property
    def digest(self) -> str:
        """Tells a plan from another: its command, environment and user."""
        parts = (self.command, sorted(self.environment.items()), self.user)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What `.yk/run/<name>.json` says of a process we started."""

    name: str
    pid: int
    started_at: float
    command: tuple[str, ...]
    address: str
    log: str
    stop_signal: int
    stop_seconds: float
    stage: int
    digest: str


class ProcessTable:
    """The processes of one state folder, as far as they are still the ones we started."""

    def __init__(self, state: State) -> None:
        self._state = state

    def log_path(self, name: str) -> Path:
        return self._state.logs / f"{name}.log"

    def start(self, plan: ProcessPlan, *, tied: bool) -> ProcessRecord:
        """Start `plan`, unless it runs already; another one under its name is stopped first.

        A tied process is sent its stop signal when the thread that started it ends, however it
        ends (Linux only). An untied one lives until `stop`.
        """
        running = self.find(plan.name)
        if running is not None and running.digest == plan.digest:
            return running
        self.stop(plan.name)
        self._state.run.mkdir(parents=True, exist_ok=True)
        log = self.log_path(plan.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        arguments = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        arguments += ["--folder", str(CHECKOUT), "--log", str(log)]
        if plan.user:
            arguments += ["--user", plan.user]
        if tied:
            arguments += [f"--tie-to={os.getpid()}", f"--tie-signal={int(plan.stop_signal)}"]
        arguments += ["--", *plan.command]
        pid = os.posix_spawn(sys.executable, arguments, {**os.environ, **plan.environment})
        record = ProcessRecord(
            name=plan.name,
            pid=pid,
            started_at=psutil.Process(pid).create_time(),
            command=plan.command,
            address=plan.address,
            log=str(log),
            stop_signal=int(plan.stop_signal),
            stop_seconds=plan.stop_seconds,
            stage=plan.stage,
            digest=plan.digest,
        )
        self._write(record)
        return record

    def find(self, name: str) -> ProcessRecord | None:
        """The running process of that name; a record whose process is gone is removed."""
        path = self._path(name)
        try:
            record = msgspec.json.decode(path.read_bytes(), type=ProcessRecord)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            path.unlink(missing_ok=True)
            return None
        if is_alive(record):
            return record
        path.unlink(missing_ok=True)
        return None

    def running(self) -> tuple[ProcessRecord, ...]:
        """All that run, in the order in which they were started."""
        names = [path.stem for path in self._state.run.glob("*.json")]
        found = [record for name in names if (record := self.find(name)) is not None]
        return tuple(sorted(found, key=lambda record: (record.started_at, record.pid)))

    def stop(self, name: str) -> bool:
        """Stop by its stop signal, by force when it takes too long; False if by force or gone."""
        record = self.find(name)
        return record is not None and self._stop_at_once([record])

    def stop_all(self, *, keep: Collection[str] = ()) -> tuple[str, ...]:
        """Stop everything but `keep`, later stages first; the names of what was stopped."""
        records = [record for record in self.running() if record.name not in keep]
        for stage in sorted({record.stage for record in records}, reverse=True):
            self._stop_at_once([record for record in records if record.stage == stage])
        return tuple(record.name for record in records)

    def wait_until(
        self, name: str, ready: Callable[[], bool], *, seconds: float, what: str
    ) -> None:
        """Wait until `ready`; raises CannotStart when the process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.find(name) is None:
                raise CannotStart(f"{what} ended while starting: see {self.log_path(name)}.")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{what} was not ready after {seconds:.0f} s: see {self.log_path(name)}."
                )
            time.sleep(_POLL_SECONDS)

    def _stop_at_once(self, records: Sequence[ProcessRecord]) -> bool:
        """Send each its signal, then wait for all; False when one had to be killed."""
        for record in records:
            process = _process_of(record)
            if process is not None:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(record.stop_signal)
        orderly = True
        for record in records:
            if not _gone(record, seconds=record.stop_seconds):
                orderly = False
                _kill(record)
            self._path(record.name).unlink(missing_ok=True)
        return orderly

    def _path(self, name: str) -> Path:
        return self._state.run / f"{name}.json"

    def _write(self, record: ProcessRecord) -> None:
        path = self._path(record.name)
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(record))
        draft.replace(path)


def is_alive(record: ProcessRecord) -> bool:
    """Whether the very process of the record still runs (not another that got its pid)."""
    return _process_of(record) is not None


def answers(url: str) -> bool:
    """Whether a GET of a loopback `http://host:port/path` is answered with a 2xx."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", f"/{path}")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return _OK <= status < _REDIRECT


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that its clean-up runs."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and stop signals wait until the block is over (stopping twice must not half-stop)."""
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _process_of(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            _reap(process)
            return None
        started_at = process.create_time()
    except psutil.NoSuchProcess:
        return None
    return process if abs(started_at - record.started_at) < _SAME_START_SECONDS else None


def _reap(process: psutil.Process) -> None:
    """Collect an ended child of ours; another's child is its parent's business."""
    if process.ppid() == os.getpid():
        process.wait()


def _gone(record: ProcessRecord, *, seconds: float) -> bool:
    """Wait for the end; an ended process that its parent never collects counts as gone."""
    deadline = time.monotonic() + seconds
    while is_alive(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _kill(record: ProcessRecord) -> None:
    process = _process_of(record)
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        for member in (*process.children(recursive=True), process):
            with suppress(psutil.NoSuchProcess):
                member.kill()
    _gone(record, seconds=_KILLED_SECONDS)
