"""`python -m cli.mailbox FOLDER PORT`: a real SMTP server that keeps mails instead of sending them.

Each mail becomes a file in the Maildir FOLDER, so that nothing leaves the machine.
"""

import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from cli.ports import LOOPBACK
from cli.processes import ProcessPlan
from cli.state import State

NAME = "mailbox"
USUAL_PORT = 8125


def process_plan(state: State, *, port: int) -> ProcessPlan:
    """How to start it; its address is `host:port` for SMTP."""
    folder = state.data(NAME)
    return ProcessPlan(
        name=NAME,
        command=(sys.executable, "-m", "cli.mailbox", str(folder), str(port)),
        address=f"{LOOPBACK}:{port}",
    )


def serve(folder: Path, *, port: int) -> None:
    """Take mails until the process is stopped."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    Controller(Mailbox(folder), hostname=LOOPBACK, port=port).start()
    threading.Event().wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), port=int(sys.argv[2]))
