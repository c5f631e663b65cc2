"""The reconciler of a worker: now and then one look of each check, and what came of them all."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import orjson
import structlog
from pydantic import BaseModel, ConfigDict

from libs.events.database import Connection, Pool, Row, transaction
from libs.events.reconcile import Check, Drift, Looked, Place, look_twice
from libs.events.weather import is_weather, pause
from libs.telemetry import names
from libs.telemetry.metrics import Gauge

_LIMIT = 1_000


class Outcome(BaseModel):
    """How a check stands: its last whole round, and what does not agree as far as it is known."""

    model_config = ConfigDict(frozen=True)

    check: str
    finished_at: datetime | None
    looked: int
    drift: int


BEGIN = """
INSERT INTO reconciled (name, looked, round_began_at) VALUES ($1, 0, now())
ON CONFLICT ON CONSTRAINT reconciled_once DO NOTHING
"""
STANDS_AT = "SELECT place, round_began_at FROM reconciled WHERE name = $1"
# Nothing is held while a check looks; of two who looked at one piece the first to write is right.
GO_ON = """
UPDATE reconciled SET place = $4, looked = looked + $5
WHERE name = $1 AND round_began_at = $2 AND place IS NOT DISTINCT FROM $3::jsonb
RETURNING name
"""
FINISH = """
UPDATE reconciled SET place = NULL, looked = 0, round_began_at = clock_timestamp(),
    finished_at = now(),
    finished_looked = looked + $4
WHERE name = $1 AND round_began_at = $2 AND place IS NOT DISTINCT FROM $3::jsonb
RETURNING name
"""
KEEP_DRIFT = """
INSERT INTO drift (name, place, what, since, advice) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT drift_once
    DO UPDATE SET what = excluded.what, since = excluded.since, seen_at = now()
"""
FORGET_DRIFT = "DELETE FROM drift WHERE name = $1 AND seen_at < $2"
OUTCOMES = """
SELECT r.name AS check, r.finished_at, coalesce(r.finished_looked, 0) AS looked,
    (SELECT count(*) FROM drift d WHERE d.name = r.name) AS drift
FROM reconciled r ORDER BY r.name
"""
LIST_DRIFT = """
SELECT name AS check, place, what, since, advice FROM drift
WHERE $1::text IS NULL OR (name, place) > ($1, $2::text) ORDER BY name, place LIMIT $3
"""


async def outcomes(pool: Pool) -> list[Outcome]:
    """How each check of a service stands."""
    return [Outcome.model_validate(dict(row)) for row in await pool.fetch(OUTCOMES)]


async def list_drift(pool: Pool, *, after: tuple[str, str] | None, limit: int) -> list[Drift]:
    """What a worker found that does not agree, by check and place, from the one after `after`."""
    rows = await pool.fetch(LIST_DRIFT, *(after or (None, None)), limit)
    return [Drift.model_validate(dict(row)) for row in rows]


class Reconciler:
    """Looks every `every_seconds` at the next piece of each check, for ever in rounds.

    Workers of a service share a check: each goes on where any of them ended. A place found to
    agree again is forgotten at the end of the round.
    """

    def __init__(self, checks: Sequence[Check], *, pool: Pool, every_seconds: float) -> None:
        self._checks = checks
        self._pool = pool
        self._every_seconds = every_seconds
        self._drift = Gauge(names.RECONCILE_DRIFT, description="Places that do not agree")
        self._last_run = Gauge(
            names.RECONCILE_LAST_RUN, unit="s", description="End of the last round, Unix time"
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            await pause(self._every_seconds, stop=stop)
            for check in self._checks:
                if stop.is_set():
                    return
                await self._try(check)

    async def _try(self, check: Check) -> None:
        try:
            await self.advance(check)
            await self._show()
        except Exception as error:  # noqa: BLE001 - the outermost loop says so and goes on
            structlog.get_logger().warning(
                "a check was not made",
                check=check.name,
                error=type(error).__name__,
                weather=is_weather(error),
            )

    async def _show(self) -> None:
        for outcome in await outcomes(self._pool):
            labels = {names.CHECK: outcome.check}
            self._drift.set(outcome.drift, labels)
            if outcome.finished_at is not None:
                self._last_run.set(outcome.finished_at.timestamp(), labels)

    async def advance(self, check: Check) -> bool:
        """Make one look of a check and keep what it found; False when another process was first.

        No lock and no transaction is held meanwhile: a look may wait for a broker.
        """
        stands_at = await self._pool.fetchrow(STANDS_AT, check.name)
        if stands_at is None:
            await self._pool.execute(BEGIN, check.name)
            stands_at = await self._pool.fetchrow(STANDS_AT, check.name)
            assert stands_at is not None
        place: Place = orjson.loads(stands_at["place"]) if stands_at["place"] else {}
        looked = await look_twice(check, place, limit=_LIMIT)
        async with transaction(self._pool) as connection:
            if not await _moved(connection, check, looked, stands_at=stands_at):
                return False
            await _keep(connection, check, looked, round_began_at=stands_at["round_began_at"])
        for drift in looked.drift:
            structlog.get_logger().error("drift", check=drift.check, place=drift.place)
        return True


async def _moved(connection: Connection, check: Check, looked: Looked, *, stands_at: Row) -> bool:
    """Move a check on from where it stood; False when it stands elsewhere by now."""
    known = (check.name, stands_at["round_began_at"], stands_at["place"])
    if looked.next is None:
        moved = await connection.fetchval(FINISH, *known, looked.looked)
    else:
        place = orjson.dumps(looked.next).decode()
        moved = await connection.fetchval(GO_ON, *known, place, looked.looked)
    return moved is not None


async def _keep(
    connection: Connection, check: Check, looked: Looked, *, round_began_at: datetime
) -> None:
    for drift in looked.drift:
        await connection.execute(
            KEEP_DRIFT, check.name, drift.place, drift.what, drift.since, drift.advice
        )
    if looked.next is None:
        await connection.execute(FORGET_DRIFT, check.name, round_began_at)
