"""`python -m services.contracts api | worker | migrate`."""

import asyncio
import sys

from libs.terms.faults import WrongTerms
from services.contracts.main import run_api, run_migrate, run_worker
from services.contracts.settings import Settings

_RUNS = {"api": run_api, "worker": run_worker, "migrate": run_migrate}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in _RUNS:  # noqa: PLR2004 - the program and one word
        sys.exit(f"usage: python -m services.contracts {' | '.join(_RUNS)}")
    try:
        asyncio.run(_RUNS[sys.argv[1]](Settings()))
    except WrongTerms as wrong:
        sys.exit(str(wrong))
