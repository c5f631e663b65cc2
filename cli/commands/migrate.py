"""`./yk migrate`: the schemas of the databases."""

from cli.state import DEVELOPMENT
from cli.system import System


def run() -> None:
    """Bring every service's database to its newest schema, starting the servers if need be."""
    system = System(DEVELOPMENT)
    system.migrate(system.start_servers())
