"""Runs as they stand: what was asked, drafts, what is issued, how it ended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from libs.events.database import Connection, Pool
from libs.events.envelope import Cause, Event, Recorded
from libs.events.vocabulary.billing import InvoiceRunFinished, InvoiceRunStarted
from libs.events.wire import as_told
from services.billing.ports import AccountDraft

INSERT_RUN = """
INSERT INTO invoice_run (run_id, started, correlation_id, actor, traceparent, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT invoice_run_once DO NOTHING
"""
FINISH_RUN = "UPDATE invoice_run SET finished = $2 WHERE run_id = $1"


async def follow_runs(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    """Note the runs that began and ended."""
    for recorded in events:
        event = recorded.event
        if isinstance(event, InvoiceRunStarted):
            at = recorded.envelope
            await connection.execute(
                INSERT_RUN,
                event.run_id,
                as_told(event),
                at.correlation_id,
                at.actor,
                at.traceparent,
                at.recorded_at,
            )
        elif isinstance(event, InvoiceRunFinished):
            await connection.execute(FINISH_RUN, event.run_id, as_told(event))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """A run and how far it is, in accounts; `failed` counts contracts that cannot be billed."""

    started: InvoiceRunStarted
    finished: InvoiceRunFinished | None
    accounts: int
    drafted: int
    issued: int
    failed: int


COUNT_DRAFTS = """
SELECT count(*) AS drafted, count(*) FILTER (WHERE issued) AS issued,
    coalesce(sum(failures), 0) AS failed
FROM run_draft WHERE run_id = $1
"""
FIND_RUN = "SELECT * FROM invoice_run WHERE run_id = $1"
COUNT_ACCOUNTS = "SELECT count(*) FROM billing_account"


async def find_run(pool: Pool, run_id: UUID) -> RunProgress | None:
    """A run with its progress; None for an unknown one."""
    row = await pool.fetchrow(FIND_RUN, run_id)
    if row is None:
        return None
    counted = await pool.fetchrow(COUNT_DRAFTS, run_id)
    assert counted is not None
    started = InvoiceRunStarted.model_validate_json(row["started"])
    finished = row["finished"]
    return RunProgress(
        started=started,
        finished=None if finished is None else InvoiceRunFinished.model_validate_json(finished),
        accounts=len(started.scope) or int(await pool.fetchval(COUNT_ACCOUNTS)),
        drafted=counted["drafted"],
        issued=counted["issued"],
        failed=int(counted["failed"]),
    )


LIST_DRAFTS = """
SELECT draft FROM run_draft
WHERE run_id = $1 AND ($2::uuid IS NULL OR account_id > $2) ORDER BY account_id LIMIT $3
"""


async def list_outcomes(
    pool: Pool, run_id: UUID, *, after: UUID | None, limit: int
) -> list[AccountDraft]:
    """The drafts of a run in order of account id, from the one after `after`."""
    rows = await pool.fetch(LIST_DRAFTS, run_id, after, limit)
    return [AccountDraft.model_validate_json(row["draft"]) for row in rows]


FIND_FAILED = """
SELECT account_id FROM run_draft WHERE run_id = $1 AND failures > 0 ORDER BY account_id
"""


async def failed_accounts(pool: Pool, run_id: UUID) -> list[UUID]:
    """The accounts with a contract that could not be billed."""
    return [UUID(int=row["account_id"].int) for row in await pool.fetch(FIND_FAILED, run_id)]


FIND_OPEN_RUNS = """
SELECT run_id, correlation_id, actor, traceparent, recorded_at FROM invoice_run
WHERE finished IS NULL ORDER BY recorded_at
"""


async def open_runs(pool: Pool, *, rehearsal: bool) -> list[tuple[UUID, Cause]]:
    """The runs that are not finished, oldest first, with the cause of each.

    In a rehearsal a run goes on at the time at which it was asked for.
    """
    return [
        (
            UUID(int=row["run_id"].int),
            Cause(
                correlation_id=row["correlation_id"],
                actor=row["actor"],
                traceparent=row["traceparent"],
                now=row["recorded_at"] if rehearsal else None,
            ),
        )
        for row in await pool.fetch(FIND_OPEN_RUNS)
    ]


class PostgresDrafts:
    """Drafts in the database, a run held by an advisory lock of the session."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, run_id: UUID) -> AbstractAsyncContextManager[bool]:
        """Hold a run while its connection lives, so that a killed process lets go of it."""
        return self._claim(run_id)

    @asynccontextmanager
    async def _claim(self, run_id: UUID) -> AsyncIterator[bool]:
        async with self._pool.acquire() as connection:
            key = run_id.int >> 65
            mine = bool(await connection.fetchval(HOLD, key))
            try:
                yield mine
            finally:
                if mine:
                    await connection.fetchval(LET_GO, key)

    async def save(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        """Keep drafts; the first of an account stays."""
        rows = [
            (
                run_id,
                draft.account_id,
                draft.model_dump_json().encode(),
                len(draft.outcomes) + len(draft.failures),
                len(draft.failures),
            )
            for draft in drafts
        ]
        await self._pool.executemany(INSERT_DRAFT, rows)

    async def load(self, run_id: UUID) -> Sequence[AccountDraft]:
        """All drafts in order of account id."""
        rows = await self._pool.fetch(FIND_DRAFTS, run_id)
        return [AccountDraft.model_validate_json(row["draft"]) for row in rows]

    async def mark_issued(self, run_id: UUID, drafts: Sequence[AccountDraft]) -> None:
        """Note that these were issued, as they were in the end."""
        rows = [
            (run_id, draft.account_id, draft.model_dump_json().encode(), len(draft.failures))
            for draft in drafts
        ]
        await self._pool.executemany(MARK_ISSUED, rows)


HOLD = "SELECT pg_try_advisory_lock($1)"
LET_GO = "SELECT pg_advisory_unlock($1)"
INSERT_DRAFT = """
INSERT INTO run_draft (run_id, account_id, draft, contracts, failures) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT run_draft_once DO NOTHING
"""
FIND_DRAFTS = "SELECT draft FROM run_draft WHERE run_id = $1 ORDER BY account_id"
MARK_ISSUED = """
UPDATE run_draft SET issued = true, draft = $3, failures = $4
WHERE run_id = $1 AND account_id = $2
"""
