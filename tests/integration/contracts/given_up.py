"""A contracts database with contracts of several services, and their end, which may be killed.

`python -m tests.integration.contracts.given_up DSN KILL_AFTER_ENDS` carries out what is announced
and kills itself, as by SIGKILL, right after so many contracts were ended.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from typing_extensions import override

from libs.dates.clock import SystemClock
from libs.events.database import Pool
from libs.events.envelope import Cause, Event
from libs.events.follow import Follower
from libs.events.keys import MemoryKeys
from libs.events.log import Appended, StreamAppend
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.store import PostgresLog
from libs.events.vocabulary.contracts import (
    Content,
    ContractApplied,
    ContractApproved,
    ContractFormed,
    ContractTerminated,
    ServiceStarted,
    WorkAccepted,
)
from services.contracts.abolishing import Abolisher
from services.contracts.domain.terms import offered_terms
from services.contracts.views import abolitions, contracts

NAMES = UUID("00000000-0000-0000-0000-0000000000ab")
CAUSE = Cause(correlation_id=NAMES, actor="test")
BEGUN = date(2024, 1, 10)
_CHECKOUT = Path(__file__).parents[3]
TERMS = offered_terms(_CHECKOUT / "terms")
CONTENTS = {
    "MYSEC": Content(packs={10: 1}),
    "WUTM": Content(device="SSB10", line="flets"),
    "RRNS": Content(plan="utm", monthly_fee=12_000),
}


def contract_id(service: str, number: int) -> UUID:
    return uuid5(NAMES, f"{service} {number}")


def beginning(service: str, number: int, *, in_force: bool = True) -> list[Event]:
    """The events of a contract up to its start; of one that is not in force its application."""
    of: dict[str, Any] = {"contract_id": contract_id(service, number)}
    applied = ContractApplied(
        **of,
        service=service,
        customer_id=uuid5(NAMES, f"customer {number}"),
        terms_version=BEGUN,
        applied_on=BEGUN,
        content=CONTENTS[service],
    )
    if not in_force:
        return [applied]
    if service == "RRNS":
        formed = ContractFormed(**of, formed_on=BEGUN, effective_on=BEGUN)
        return [applied, formed, WorkAccepted(**of, accepted_on=BEGUN)]
    approved = ContractApproved(
        **of,
        customer_id=applied.customer_id,
        service=service,
        approved_on=BEGUN,
        document_number="A",
    )
    return [applied, approved, ServiceStarted(**of, started_on=BEGUN)]


def end(service: str, number: int, on: date) -> ContractTerminated:
    """A customer's end of a contract."""
    return ContractTerminated(
        contract_id=contract_id(service, number),
        customer_id=uuid5(NAMES, f"customer {number}"),
        terminated_on=on,
        by="customer",
        cause="customer",
        clause="NSEC-11.1",
    )


async def migrated(dsn: str) -> None:
    """Bring an empty database to the schema of contracts."""
    await migrate(dsn, [MIGRATIONS, _CHECKOUT / "services" / "contracts" / "migrations"])
    await initialise(dsn, "contracts")


async def record(log: PostgresLog, stream_id: UUID, events: Sequence[Event]) -> None:
    expected = len(await log.load(stream_id))
    await log.append(
        StreamAppend(stream_id=stream_id, events=events, expected=expected), cause=CAUSE
    )


class _Killing(PostgresLog):
    """Kills its own process when so many contracts have been ended."""

    left = 0

    @override
    async def decide(self, stream_id: UUID, decision: Callable[..., Any], **given: Any) -> Appended:
        appended = await super().decide(stream_id, decision, **given)
        if any(isinstance(each.event, ContractTerminated) for each in appended.events):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return appended


@asynccontextmanager
async def abolisher(
    dsn: str, *, kill_after: int | None = None
) -> AsyncIterator[tuple[Abolisher, PostgresLog, Pool]]:
    """What carries abolitions out, over a database."""
    kind = PostgresLog if kill_after is None else _Killing
    async with asyncpg.create_pool(dsn, min_size=1, max_size=8) as pool:
        log = await kind.open(pool, context="contracts", keys=MemoryKeys(), clock=SystemClock())
        if isinstance(log, _Killing):
            log.left = kill_after or 0
        async with log:
            listed = Follower(contracts.NAME, log=log, pool=pool, effect=contracts.filling(log))
            announced = Follower(abolitions.NAME, log=log, pool=pool, effect=abolitions.fill)
            made = Abolisher(
                log=log,
                pool=pool,
                terms=TERMS,
                listed=listed,
                announced=announced,
                clock=SystemClock(),
                rehearsal=False,
            )
            yield made, log, pool


async def killed(dsn: str, *, after_ends: int) -> int:
    """Carry out what is announced in a process that is killed; gives how that ended."""
    module = "tests.integration.contracts.given_up"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, dsn, str(after_ends), cwd=_CHECKOUT
    )
    return await process.wait()


async def _main(dsn: str, after: str) -> None:
    async with abolisher(dsn, kill_after=int(after)) as (made, _, _pool):
        await made.carry_out_all()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
