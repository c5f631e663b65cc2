"""A billing database with facts and accounts in it, made without a broker, and runs to be killed.

`python -m tests.integration.billing.ledger DSN RUN_ID KILL_AFTER_BATCHES` carries a run out and
kills itself, as by SIGKILL, right after so many batches were issued.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import cast
from uuid import UUID, uuid5

import asyncpg
from typing_extensions import override

from libs.dates.clock import FixedClock, SystemClock
from libs.dates.japan import japan_instant
from libs.events.database import Connection, Pool
from libs.events.envelope import Cause
from libs.events.follow import Follower
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.memory import MemoryLog
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.store import PostgresLog
from services.billing import use_cases
from services.billing.ports import AccountDraft, Billing
from services.billing.reactions import react
from services.billing.runs import carry_out
from services.billing.terms_folder import TermsFolder
from services.billing.views.books import books
from services.billing.views.facts import keep_facts
from services.billing.views.runs import PostgresDrafts
from services.billing.views.timelines import BOOKS, PostgresTimelines
from tests.support.way import running
from tests.unit.billing_service.world import NAMES, TERMS, beginning

CAUSE = Cause(correlation_id=NAMES, actor="test")
BATCH = 3
_MIGRATIONS = Path(__file__).parents[3] / "services" / "billing" / "migrations"
_CHECKOUT = Path(__file__).parents[3]


async def migrated(dsn: str) -> None:
    """Bring an empty database to billing's schema."""
    await migrate(dsn, [MIGRATIONS, _MIGRATIONS])
    await initialise(dsn, "billing")


async def prepare(dsn: str, *, contracts: int) -> None:
    """Migrate, and begin so many WUTM contracts with an account each."""
    await migrated(dsn)
    source = MemoryLog("contracts", clock=FixedClock(japan_instant(date(2024, 1, 5))))
    async with ledger(dsn) as (billing, pool, follower):
        for number in range(contracts):
            contract_id = uuid5(NAMES, f"contract {number}")
            events = beginning(
                contract_id=contract_id,
                customer_id=uuid5(NAMES, f"customer {number}"),
                content={"device": "SSB10", "line": "flets", "billing_day": number % 28 + 1},
            )
            customer, *rest = events
            appended = await source.append(
                StreamAppend(
                    stream_id=uuid5(NAMES, f"customer {number}"), events=(customer,), expected=0
                ),
                StreamAppend(stream_id=contract_id, events=rest, expected=0),
                cause=CAUSE,
            )
            async with pool.acquire() as borrowed, borrowed.transaction():
                await keep_facts(cast("Connection", borrowed), appended.events)
            for recorded in appended.events:
                for reaction in react(recorded):
                    await billing.log.decide(reaction.stream_id, reaction.decision, cause=CAUSE)
        await follower.catch_up()


@asynccontextmanager
async def ledger(
    dsn: str, *, kill_after: int | None = None
) -> AsyncIterator[tuple[Billing, Pool, Follower]]:
    """Billing over a database, and the view of its log, which follows meanwhile."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=8) as pool:
        log = await PostgresLog.open(
            pool, context="billing", keys=MemoryKeys(), clock=SystemClock()
        )
        drafts = PostgresDrafts(pool) if kill_after is None else _Killing(pool, after=kill_after)
        billing = Billing(
            log=log,
            timelines=PostgresTimelines(pool),
            terms=TermsFolder(TERMS),
            drafts=drafts,
        )
        view = Follower(
            BOOKS,
            log=log,
            pool=pool,
            effect=books(lambda account_id: use_cases.next_late_on(billing, account_id)),
        )
        async with log, running(view.run):
            yield billing, pool, view


class _Killing(PostgresDrafts):
    """Kills its own process when so many batches are issued, before that is noted anywhere."""

    def __init__(self, pool: Pool, *, after: int) -> None:
        super().__init__(pool)
        self._left = after

    @override
    async def mark_issued(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().mark_issued(run_id, drafts)


async def killed(dsn: str, run_id: UUID, *, after_batches: int) -> int:
    """Carry a run out in a process that is killed; gives how that ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.billing.ledger",
        dsn,
        str(run_id),
        str(after_batches),
        cwd=_CHECKOUT,
    )
    return await process.wait()


async def _main(dsn: str, run_id: str, after: str) -> None:
    async with ledger(dsn, kill_after=int(after)) as (billing, _, _view):
        await carry_out(billing, run_id=UUID(run_id), cause=CAUSE, batch=BATCH)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
