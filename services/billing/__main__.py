"""`python -m services.billing api|worker|migrate`."""

import asyncio
import sys

from libs.terms.faults import WrongTerms
from services.billing.main import run_api, run_migrate, run_worker
from services.billing.settings import Settings

_ROLES = {"api": run_api, "worker": run_worker, "migrate": run_migrate}


def main() -> None:
    """Run the role that the command line names."""
    if len(sys.argv) != 2 or sys.argv[1] not in _ROLES:  # noqa: PLR2004 - the program and its role
        raise SystemExit(f"usage: python -m services.billing {'|'.join(_ROLES)}")
    try:
        asyncio.run(_ROLES[sys.argv[1]](Settings()))
    except WrongTerms as wrong:
        sys.exit(str(wrong))


if __name__ == "__main__":
    main()
