"""Up to when a source is complete: never ahead of a commit, told in silence, and heard."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from libs.dates.clock import FixedClock, SystemClock
from libs.events import log_sql
from libs.events.complete import Herald, Statement, said_on, state
from libs.events.cursors import Place, move_cursor
from libs.events.database import Pool, transaction
from libs.events.heard import Hearer, incomplete
from libs.events.keys import MemoryKeys
from libs.events.log import StreamAppend
from libs.events.store import PostgresLog
from tests.conftest import MakeDatabase
from tests.support.way import CASE, a_log, a_start, append_starts, running, until

_ROOT = Path(__file__).parents[3]
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
READER = "notes"


def later(seconds: int) -> datetime:
    return AT + timedelta(seconds=seconds)


async def a_writer(dsn: str, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.events.log_writer",
        *(dsn, name, "4", "30", "40"),
        cwd=_ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )


async def late_clock_writes(dsn: str, *, done: asyncio.Event) -> None:
    """Appends as a machine does whose clock is two minutes behind."""
    async with asyncpg.create_pool(dsn, min_size=1) as pool:
        clock = FixedClock(SystemClock().now() - timedelta(minutes=2))
        opened = await PostgresLog.open(pool, context="contracts", keys=MemoryKeys(), clock=clock)
        async with opened as log:
            while not done.is_set():
                append = StreamAppend(stream_id=uuid4(), events=[a_start(1)], expected=0)
                await log.append(append, cause=CASE)


async def events_missed(pool: Pool, said: Statement) -> int:
    """Events recorded before the time that stand above the sequences that were said for it."""
    found = await pool.fetchval(
        """
        SELECT count(*) FROM event
        JOIN unnest($2::int[], $3::bigint[]) AS said (partition, sequence) USING (partition)
        WHERE event.recorded_at < $1 AND event.sequence > said.sequence
        """,
        said.complete_until,
        list(said.sequences),
        list(said.sequences.values()),
    )
    return int(found)


async def test_no_commit_of_many_processes_comes_before_a_time_that_was_said(
    database: MakeDatabase,
) -> None:
    async with a_log(await database(), "contracts") as place:
        done = asyncio.Event()
        late = asyncio.ensure_future(late_clock_writes(place.dsn, done=done))
        writers = [await a_writer(place.dsn, f"writer-{number}") for number in range(3)]
        writing = asyncio.gather(*(writer.wait() for writer in writers))
        said: list[Statement] = []
        while not writing.done():
            said.append(await state(place.pool, topic="contracts", clock=SystemClock()))
            await asyncio.sleep(0)
        assert await writing == [0, 0, 0]
        done.set()
        await late
        assert len(said) > 10
        assert sum(said[-1].sequences.values()) > sum(said[0].sequences.values())
        assert [each for each in said if await events_missed(place.pool, each)] == []
        times = [each.complete_until for each in said]
        assert times == sorted(times)


async def test_a_statement_waits_for_an_append_that_is_on_its_way(database: MakeDatabase) -> None:
    """The events of a transaction still open are counted once it commits, never passed over."""
    async with a_log(await database(), "contracts") as place:
        await append_starts(place.log, streams=1, versions=1)
        async with place.pool.acquire() as appending:
            await log_sql.begin_locked(appending)
            row = await appending.fetchrow("SELECT * FROM event")
            assert row is not None
            saying = asyncio.ensure_future(
                state(place.pool, topic="contracts", clock=SystemClock())
            )
            await until(lambda: waits_for_lock(place.pool))
            await appending.execute(
                """
                INSERT INTO event SELECT position + 1, stream_id, version + 1, partition,
                    sequence + 1, gen_random_uuid(), type, recorded_at, correlation_id,
                    causation_id, actor, traceparent, data FROM event
                """
            )
            await appending.execute("UPDATE log_head SET position = position + 1")
            await appending.execute(
                "UPDATE partition_head SET sequence = sequence + 1 WHERE partition = $1",
                row["partition"],
            )
            assert not saying.done()
            await log_sql.commit(appending)
        said = await saying
        assert said.sequences[row["partition"]] == row["sequence"] + 1
        assert await events_missed(place.pool, said) == 0


async def waits_for_lock(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


async def test_what_is_appended_after_a_statement_is_recorded_at_its_time_or_later(
    database: MakeDatabase,
) -> None:
    async with a_log(await database(), "contracts") as place:
        ahead = FixedClock(datetime(2090, 1, 1, tzinfo=UTC))
        said = await state(place.pool, topic="contracts", clock=ahead)
        await append_starts(place.log, streams=1, versions=1)
        (event,) = await place.log.read(0, limit=10)
        assert event.envelope.recorded_at == said.complete_until == ahead.at
        again = await state(place.pool, topic="contracts", clock=SystemClock())
        assert again.complete_until == said.complete_until


async def test_a_rehearsal_is_never_complete_up_to_a_time(database: MakeDatabase) -> None:
    async with a_log(await database(), "contracts", rehearsal=True) as place:
        with pytest.raises(ValueError, match="rehearsal"):
            await state(place.pool, topic="contracts", clock=SystemClock())
        await append_starts(place.log, streams=1, versions=1)


async def test_a_quiet_source_tells_too(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}contracts"
    async with a_log(await database(), "contracts") as place:
        herald = Herald(
            pool=place.pool,
            clock=SystemClock(),
            bootstrap=kafka_bootstrap,
            topic=topic,
            prefix=topic_prefix,
            every_seconds=0.05,
        )
        async with running(herald.run):
            heard = AIOKafkaConsumer(
                said_on(prefix=topic_prefix),
                bootstrap_servers=kafka_bootstrap,
                auto_offset_reset="earliest",
            )
            await heard.start()
            try:
                said = [Statement.model_validate_json((await heard.getone()).value) for _ in "123"]
            finally:
                await heard.stop()
        times = [each.complete_until for each in said]
        assert times == sorted(set(times))
        assert {each.topic for each in said} == {topic}
        assert {each.log_epoch for each in said} == {place.log.log_epoch}
        assert set(said[0].sequences.values()) == {0}


async def test_a_reader_is_complete_once_it_has_taken_what_was_said(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> None:
    epoch = uuid4()
    async with a_log(await database(), "billing") as place:
        hearer = Hearer(
            reader=READER,
            topics=["contracts"],
            bootstrap=kafka_bootstrap,
            pool=place.pool,
            prefix=topic_prefix,
        )

        def hear(at: int, sequence: int, *, log_epoch: UUID = epoch) -> None:
            said = Statement(
                topic="contracts",
                log_epoch=log_epoch,
                complete_until=later(at),
                sequences={0: 0, 1: sequence},
            )
            hearer.hear(said.model_dump_json().encode())

        async def lacking(at: int) -> tuple[str, ...]:
            await hearer.confirm()
            return await incomplete(place.pool, READER, topics=["contracts"], until=later(at))

        assert "has not said" in (await lacking(1))[0]
        hear(1, 2)
        hear(2, 5)
        hearer.hear(b"nonsense")
        assert "has not said" in (await lacking(1))[0]
        await taken(place.pool, epoch, after=0, sequence=3)
        assert await lacking(1) == ()
        assert "is complete up to 2026-04-01 18:00:01" in (await lacking(2))[0]
        await taken(place.pool, epoch, after=3, sequence=5)
        assert await lacking(2) == ()
        hear(3, 5, log_epoch=uuid4())
        assert len(await lacking(3)) == 1
        await place.pool.execute(
            """
            INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id,
                waiting, reason, attempts, parked_at, headers, data)
            VALUES ($1, 'contracts', 1, 5, $2, $2, false, 'Broken', 1, now(), '{}', '')
            """,
            READER,
            uuid4(),
        )
        assert "1 parked streams" in (await lacking(2))[0]


async def taken(pool: Pool, epoch: UUID, *, after: int, sequence: int) -> None:
    place = Place(consumer=READER, topic="contracts", partition=1)
    async with transaction(pool) as connection:
        await move_cursor(
            connection, place, after=after, sequence=sequence, log_epoch=epoch, offset=0
        )


async def test_a_reader_that_is_always_behind_is_complete_up_to_some_time(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str
) -> None:
    epoch = uuid4()
    async with a_log(await database(), "billing") as place:
        hearer = Hearer(
            reader=READER,
            topics=["contracts"],
            bootstrap=kafka_bootstrap,
            pool=place.pool,
            prefix=topic_prefix,
        )
        for number in range(1, 1_000):
            said = Statement(
                topic="contracts",
                log_epoch=epoch,
                complete_until=later(number),
                sequences={1: number},
            )
            hearer.hear(said.model_dump_json().encode())
        await taken(place.pool, epoch, after=0, sequence=1)
        await hearer.confirm()
        lacking = await incomplete(place.pool, READER, topics=["contracts"], until=later(1))
        assert lacking == ()
