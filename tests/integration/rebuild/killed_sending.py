"""`python -m tests.integration.rebuild.killed_sending DSN TOPIC BOOTSTRAP`: killed half-way."""

import asyncio
import os
import signal
import sys

from libs.events.resending import send_again


def die_half_way(position: int, target: int) -> None:
    """Die as by SIGKILL once something was sent, and before all was."""
    if 0 < position < target:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    dsn, topic, bootstrap = sys.argv[1:]
    asyncio.run(send_again(dsn, topic=topic, bootstrap=bootstrap, told=die_half_way))
