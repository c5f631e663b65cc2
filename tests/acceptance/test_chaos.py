"""A bounded run of chaos: nothing acknowledged is lost, and the counter would have told.

`./yk chaos` runs longer, with any seed.
"""

import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from cli.chaos.ground import CHAOS, Ground, a_ground
from cli.chaos.journal import Entry, Journal, read_journal
from cli.chaos.run import count_again, journal_path, run_chaos
from cli.state import CHECKOUT, State

pytestmark = pytest.mark.timeout(480)

SEED = 1040
SECONDS = 44.0


@pytest.fixture
def state() -> State:
    """A folder that the user of a PostgreSQL server may reach; pytest's own are closed to it."""
    return State(CHECKOUT / ".yk" / "test" / f"chaos-{uuid4().hex[:8]}")


@pytest.fixture
async def ground(state: State) -> AsyncIterator[Ground]:
    """The whole system, with servers of its own that may be killed."""
    try:
        async with a_ground(state, ports=False) as found:
            yield found
    finally:
        shutil.rmtree(state.folder, ignore_errors=True)


async def test_nothing_acknowledged_is_lost_whatever_is_struck(ground: Ground) -> None:
    told: list[str] = []
    try:
        ran = await run_chaos(ground, seed=SEED, seconds=SECONDS, tell=told.append)
    except BaseException:
        _show(ground, told)
        raise
    if ran.outcome.complaints:
        _show(ground, told)
    assert not ran.outcome.complaints, f"seed {SEED}: {ran.outcome.complaints}"
    assert len(ran.faults) >= 6
    assert ran.repeats
    assert ran.outcome.counts["commands acknowledged"] > 20
    assert ran.outcome.counts["commands refused"] > 20
    await _the_counter_tells_what_was_doctored(ground)


async def _the_counter_tells_what_was_doctored(ground: Ground) -> None:
    """Each time one thing is changed and put back, so that each complaint is of one cause."""
    async with _taken(ground, "billing", "fact"):
        assert "facts kept by billing: missing" in await _complaints(ground)
    async with _taken(ground, "notifications", "occasion"):
        assert "occasions of notifications: missing" in await _complaints(ground)
    async with _taken(ground, "contracts", "event"):
        words = await _complaints(ground)
        assert "acknowledged commands without exactly their one event in the log" in words
        assert "the log of contracts is not in order" in words
    entries = read_journal(journal_path(ground, seed=SEED))
    acknowledged = next(one for one in entries if one.outcome == "acknowledged")
    _write(ground, (*entries, msgspec.structs.replace(acknowledged, correlation=str(uuid4()))))
    assert "acknowledged commands without exactly their one event" in await _complaints(ground)
    _write(ground, (*entries, msgspec.structs.replace(acknowledged, outcome="refused")))
    assert "refused commands whose events are in the log" in await _complaints(ground)
    _write(ground, entries)
    assert not await _complaints(ground)
    await _send(ground, "contracts", sequence=b"999999")
    assert "the topic of contracts is not in order" in await _complaints(ground)


async def _complaints(ground: Ground) -> str:
    return "\n".join((await count_again(ground, seed=SEED)).complaints)


@asynccontextmanager
async def _taken(ground: Ground, service: str, table: str) -> AsyncIterator[None]:
    """One row of a table is away while the block runs."""
    connection = await asyncpg.connect(ground.dsn(service))
    try:
        await connection.execute(f"CREATE TABLE taken AS SELECT * FROM {table} LIMIT 1")
        await connection.execute(
            f"DELETE FROM {table} WHERE event_id = (SELECT event_id FROM taken)"
        )
        yield
        await connection.execute(f"INSERT INTO {table} SELECT * FROM taken")
        await connection.execute("DROP TABLE taken")
    finally:
        await connection.close()


def _write(ground: Ground, entries: Sequence[Entry]) -> None:
    with Journal(journal_path(ground, seed=SEED)) as journal:
        for entry in entries:
            journal.add(entry)


async def _send(ground: Ground, context: str, *, sequence: bytes) -> None:
    """Put a record on a topic that no relay sent."""
    producer = AIOKafkaProducer(bootstrap_servers=ground.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(
            f"{CHAOS.topic_prefix}{context}",
            b"{}",
            partition=0,
            headers=[("ce_sequence", sequence)],
        )
    finally:
        await producer.stop()


def _show(ground: Ground, told: list[str]) -> None:
    """What is needed to repeat and to understand a failure."""
    journal = journal_path(ground, seed=SEED).read_text()
    sys.stderr.write("\n".join((f"seed {SEED}, {SECONDS:.0f} s", *told, journal)))
