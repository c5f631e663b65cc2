"""Answers kept under callers' keys: of work outside the log, and for how long any is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import structlog

from libs.events.database import Connection, Pool, transaction
from libs.events.refusals import KeyReused
from libs.events.weather import is_weather, pause

KEPT_FOR = timedelta(days=30)
"""A repeat that comes later than this is a new request."""

_CLEAN_SECONDS = 600.0
_ROWS = 5_000


class Named(NamedTuple):
    """A caller's key for one operation, with the fingerprint of what was asked."""

    scope: str
    key: str
    fingerprint: str


HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))"
FIND = "SELECT fingerprint, answer FROM idempotency_key WHERE scope = $1 AND key = $2"
KEEP = """
INSERT INTO idempotency_key (scope, key, fingerprint, answer) VALUES ($1, $2, $3, $4)
"""


async def once(
    connection: Connection, named: Named, *, work: Callable[[], Awaitable[bytes]]
) -> tuple[bytes, bool]:
    """The answer of `work`, done once per key, and whether it is a repeat's.

    In the transaction of the work; a repeat that comes meanwhile waits for the first. Raises
    `KeyReused` when the key came with another request; what `work` raises leaves nothing kept.
    """
    await connection.execute(HOLD, named.scope, named.key)
    kept = await connection.fetchrow(FIND, named.scope, named.key)
    if kept is None:
        answer = await work()
        await connection.execute(KEEP, *named, answer)
        return answer, False
    if kept["fingerprint"] != named.fingerprint:
        raise KeyReused
    return kept["answer"], True


FORGET = """
DELETE FROM idempotency_key WHERE (scope, key) IN (
    SELECT scope, key FROM idempotency_key
    WHERE stored_at < now() - $1::interval ORDER BY stored_at LIMIT $2
)
"""


async def forget_old(pool: Pool, *, kept_for: timedelta = KEPT_FOR, limit: int = _ROWS) -> int:
    """Forget up to `limit` of the oldest answers past their age; how many they were."""
    async with transaction(pool) as connection:
        return int((await connection.execute(FORGET, kept_for, limit)).split()[-1])


class Forgetting:
    """Forgets old answers now and then, some at a time so that nobody waits for it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop."""
        while not stop.is_set():
            try:
                more = await forget_old(self._pool) == _ROWS
            except Exception as error:
                if not is_weather(error):
                    raise
                structlog.get_logger().warning("old answers stay", error=type(error).__name__)
                more = False
            await pause(1.0 if more else _CLEAN_SECONDS, stop=stop)
