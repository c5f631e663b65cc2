"""`./yk up`: start servers and services."""

from cli.commands.status import print_report
from cli.state import DEVELOPMENT
from cli.system import System


def run() -> None:
    """Start servers and services; what runs already is left alone."""
    system = System(DEVELOPMENT)
    system.start()
    print_report(system.report())
