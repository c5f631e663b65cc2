"""Old versions of an event on a real log and topic: everybody reads them as the present one.

The vocabulary is the test's own. An old program, that knows nothing but version 1, recorded its
bytes; the present program knows version 2 and the step that leads there.
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import asyncpg
import orjson

from libs.dates.clock import SystemClock
from libs.events.consumer import Consumer
from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Personal, Recorded
from libs.events.follow import Follower
from libs.events.keys import Keys, MemoryKeys
from libs.events.log import StreamAppend
from libs.events.migrate import MIGRATIONS, initialise, migrate
from libs.events.projector import Projector
from libs.events.registry import by_type
from libs.events.relay import Relay
from libs.events.shadow import View
from libs.events.store import PostgresLog
from libs.events.upcast import Fields, Step
from libs.events.wire import Wire
from tests.conftest import MakeDatabase
from tests.support.anew import made_anew
from tests.support.way import CASE, a_topic, all_of, running, until

_EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "contract_states.py"

CRATE, OWNER = UUID(int=7), UUID(int=8)


class MovedBefore(Event):
    """As it was: kilometres, and a remark under its present name."""

    subject: ClassVar[str | None] = "owner_id"

    type: Literal["contracts.crate-moved.v1"] = "contracts.crate-moved.v1"
    owner_id: UUID
    moved: date
    kilometres: int
    remark: Annotated[str | None, Personal("contact")] = None


class Moved(Event):
    """As it is: metres, the day by the name that days have, and why."""

    subject: ClassVar[str | None] = "owner_id"

    type: Literal["contracts.crate-moved.v2"] = "contracts.crate-moved.v2"
    owner_id: UUID
    moved_on: date
    metres: int
    reason: str
    remark: Annotated[str | None, Personal("contact")] = None


def _in_metres(fields: Fields) -> Fields:
    kept = {name: fields[name] for name in ("owner_id", "remark")}
    return {
        **kept,
        "moved_on": fields["moved"],
        "metres": fields["kilometres"] * 1000,
        "reason": "not told",
    }


OLD = Wire(by_type([MovedBefore]), steps={})
PRESENT = Wire(
    by_type([Moved]),
    steps=MappingProxyType(
        {"contracts.crate-moved.v1": Step(next_type="contracts.crate-moved.v2", change=_in_metres)}
    ),
)
FIRST = MovedBefore(owner_id=OWNER, moved=date(2026, 4, 1), kilometres=3, remark="裏口")
SECOND = Moved(owner_id=OWNER, moved_on=date(2026, 4, 2), metres=40, reason="sold", remark="表")
FIRST_NOW = Moved(
    owner_id=OWNER, moved_on=date(2026, 4, 1), metres=3000, reason="not told", remark="裏口"
)


@asynccontextmanager
async def a_program(pool: Pool, *, keys: Keys, wire: Wire) -> AsyncIterator[PostgresLog]:
    opened = await PostgresLog.open(
        pool, context="contracts", keys=keys, clock=SystemClock(), wire=wire
    )
    async with opened as log:
        yield log


CRATES = "CREATE TABLE crate (seen bigserial NOT NULL, said jsonb NOT NULL)"
KEEP = "INSERT INTO crate (said) VALUES ($1)"


async def keep(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
    for recorded in batch:
        await connection.execute(KEEP, recorded.event.model_dump_json())


async def kept(pool: Pool) -> list[Any]:
    return [
        orjson.loads(row["said"])
        for row in await pool.fetch("SELECT said FROM crate ORDER BY seen")
    ]


AS_PRESENT = [orjson.loads(event.model_dump_json()) for event in (FIRST_NOW, SECOND)]


async def test_old_bytes_are_read_as_the_present_version_by_everybody(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    keys = MemoryKeys()
    topic = await a_topic(kafka_bootstrap, prefix=topic_prefix)
    dsn, readers_dsn = await database(), await database()
    for each, context in ((dsn, "contracts"), (readers_dsn, "billing")):
        await migrate(each, [MIGRATIONS])
        await initialise(each, context, rehearsal=False)
    async with (
        asyncpg.create_pool(dsn, min_size=1) as pool,
        asyncpg.create_pool(readers_dsn, min_size=1) as readers,
    ):
        async with a_program(pool, keys=keys, wire=OLD) as old:
            await old.append(StreamAppend(stream_id=CRATE, events=[FIRST], expected=0), cause=CASE)
        stored = await pool.fetchval("SELECT data FROM event")
        assert orjson.loads(stored)["kilometres"] == 3

        async with a_program(pool, keys=keys, wire=PRESENT) as log:
            await log.append(StreamAppend(stream_id=CRATE, events=[SECOND], expected=1), cause=CASE)
            assert [each.event for each in await log.load(CRATE)] == [FIRST_NOW, SECOND]

            await pool.execute(CRATES)
            view = Follower("crates", log=log, pool=pool, effect=keep)
            await view.catch_up()
            assert await kept(pool) == AS_PRESENT
            crates = View("crates", ("crate",), keep)
            assert await made_anew(crates, log=log, pool=pool, dsn=dsn) == 2
            assert await kept(pool) == AS_PRESENT

            relay = Relay(dsn=dsn, bootstrap=kafka_bootstrap, topic=topic)
            await readers.execute(CRATES)
            async with running(relay.run), running(a_reader(readers, keys, topic, kafka_bootstrap)):
                await until(lambda: has_both(readers))
            assert await kept(readers) == AS_PRESENT

        found = await all_of(topic, bootstrap=kafka_bootstrap)
        assert [each.type for each in found] == [
            "contracts.crate-moved.v1",
            "contracts.crate-moved.v2",
        ]
        assert found[0].data == stored, "each event stands there once, as it was stored"

        assert await as_a_partner(topic, kafka_bootstrap, file=tmp_path / "partner.db") == 2

        await readers.execute("TRUNCATE crate, consumer_cursor")
        async with running(a_reader(readers, keys, topic, kafka_bootstrap)):
            await until(lambda: has_both(readers))
        assert await kept(readers) == AS_PRESENT


async def as_a_partner(topic: str, bootstrap: str, *, file: Path) -> int:
    """How many events the example for partners takes, without gap or alarm."""
    process = await asyncio.create_subprocess_exec(sys.executable, _EXAMPLE, bootstrap, topic, file)
    assert await process.wait() == 0
    with closing(sqlite3.connect(file)) as db:
        (taken,) = db.execute("SELECT sum(sequence) FROM cursor").fetchone()
    return int(taken)


def a_reader(pool: Pool, keys: Keys, topic: str, bootstrap: str) -> Any:
    projector = Projector("crates", effect=keep, pool=pool, keys=keys, wire=PRESENT)
    return Consumer(
        projector, topics=[topic], group=f"{topic}-crates", bootstrap=bootstrap, pool=pool
    ).run


async def has_both(pool: Pool) -> bool:
    return len(await kept(pool)) == 2
