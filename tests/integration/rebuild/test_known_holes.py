"""Positions that a restore found empty are no drift ever after; an event that is deleted is."""

import asyncpg

from libs.events import recovering
from libs.events.database import Pool
from libs.events.reconcile import whole_round
from libs.events.reconcile_log import log_checks
from libs.events.relay import Relay
from tests.conftest import MakeDatabase
from tests.support.way import Place, a_log, append_starts, running, until

# As in a database that was lost: events that were never sent, each the last of its partition.
NEVER_SENT = """
DELETE FROM event WHERE position IN (
    SELECT max(position) FROM event GROUP BY partition ORDER BY max(position) LIMIT 2
) RETURNING position, partition, sequence
"""


async def test_holes_of_a_restore_are_known_and_every_other_one_is_told(
    source: Place, database: MakeDatabase, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=9, versions=1)
    lost = sorted(row["position"] for row in await source.pool.fetch(NEVER_SENT))
    assert lost[-1] < 9, "later ones were sent"

    async def sent() -> bool:
        return bool(await source.pool.fetchval("SELECT position FROM relay_cursor") == 9)

    async with running(Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic).run):
        await until(sent)
    assert await words(source.pool) != [], "nobody noted these holes"

    async with a_log(await database(), "contracts") as restored:
        log_epoch = await source.pool.fetchval("SELECT log_epoch FROM log_identity")
        await restored.pool.execute("UPDATE log_identity SET log_epoch = $1", log_epoch)
        first = await completed(restored.dsn, topic=topic, bootstrap=kafka_bootstrap)
        assert first.events == 7
        assert [n for begin, end in first.holes for n in range(begin, end + 1)] == lost
        again = await completed(restored.dsn, topic=topic, bootstrap=kafka_bootstrap)
        assert (again.events, again.holes) == (0, [])
        for limit in (1, 2, 100):
            assert await words(restored.pool, limit=limit) == []

        beside = min(n for n in range(1, 9) if n not in lost and {n - 1, n + 1} & {0, *lost})
        await restored.pool.execute("DELETE FROM event WHERE position = $1", beside)
        for limit in (1, 2, 100):
            told = await words(restored.pool, limit=limit)
            assert f"position {beside}: {beside} is missing from the log" in told
            assert len([line for line in told if line.endswith("missing from the log")]) == 1


async def completed(dsn: str, *, topic: str, bootstrap: str) -> recovering.Recovered:
    connection = await asyncpg.connect(dsn)
    try:
        return await recovering.complete(connection, topic=topic, bootstrap=bootstrap)
    finally:
        await connection.close()


async def words(pool: Pool, *, limit: int = 100) -> list[str]:
    return [
        f"{drift.place}: {drift.what}"
        for check in log_checks(pool)
        for drift in (await whole_round(check, limit=limit)).drift
    ]
