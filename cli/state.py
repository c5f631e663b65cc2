"""Where the command line keeps what it makes: everything below `.yk/` in the checkout."""

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

    def data(self, name: str) -> Path:
        return self.folder / "data" / name


DEVELOPMENT = State(CHECKOUT / ".yk")
