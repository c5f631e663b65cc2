"""Where the command line keeps what it makes: everything below `.yk/` in the checkout."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
JARS = CHECKOUT / ".yk" / "jars"


@dataclass(frozen=True, slots=True)
class State:
    """One set of servers and services: its data, its logs, its processes."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until no other command starts or stops things here, and keep others waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def data(self, name: str) -> Path:
        return self.folder / "data" / name


DEVELOPMENT = State(CHECKOUT / ".yk")
