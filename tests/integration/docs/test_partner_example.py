"""The example in docs/partners.md does what the page promises, against a real broker."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from cli.state import CHECKOUT
from libs.events.kafka import Message
from libs.events.log import StreamAppend
from libs.events.partition import key_bytes
from libs.events.relay import Relay
from libs.events.vocabulary.contracts import PartyForgotten
from tests.conftest import MakeDatabase
from tests.support.way import CASE, Place, a_log, a_topic, all_of, append_starts, running, until

EXAMPLE = CHECKOUT / "docs" / "examples" / "contract_states.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A topic with the log behind it, and the file in which the example keeps its table."""

    source: Place
    bootstrap: str
    topic: str
    file: Path

    async def publish(self) -> list[Message]:
        """Send what is in the log; all that stands in the topic then."""
        async with running(
            Relay(dsn=self.source.dsn, bootstrap=self.bootstrap, topic=self.topic).run
        ):
            await until(self._sent)
        return await all_of(self.topic, bootstrap=self.bootstrap)

    async def write(self, message: Message, **headers: str) -> None:
        """Write a record to the topic by hand, with other values for some headers."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            await producer.send_and_wait(
                self.topic,
                message.data,
                key=key_bytes(message.envelope.stream_id),
                partition=message.partition,
                headers=[
                    (name, value.encode()) for name, value in {**message.headers, **headers}.items()
                ],
            )

    async def read(self) -> tuple[int, str]:
        """Run the example; its exit status and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            EXAMPLE,
            self.bootstrap,
            self.topic,
            self.file,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    def contracts(self) -> Sequence[tuple[str, str, str]]:
        """The table it keeps."""
        with closing(sqlite3.connect(self.file)) as db:
            return db.execute("SELECT * FROM contract ORDER BY contract_id").fetchall()

    async def _sent(self) -> bool:
        return bool(
            await self.source.pool.fetchval(
                "SELECT relay_cursor.position = log_head.position FROM relay_cursor, log_head"
            )
        )


@pytest.fixture
async def partner(
    database: MakeDatabase, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Partner]:
    topic = await a_topic(kafka_bootstrap, prefix=topic_prefix)
    async with a_log(await database(), "contracts") as source:
        yield Partner(
            source=source, bootstrap=kafka_bootstrap, topic=topic, file=tmp_path / "contracts.db"
        )


def started(number: int, *, day: int) -> tuple[str, str, str]:
    return str(UUID(int=number)), "started", f"2026-04-{day:02}"


async def test_it_reads_from_zero_and_then_goes_on_where_it_was(partner: Partner) -> None:
    await append_starts(partner.source.log, streams=3, versions=1)
    await partner.publish()
    assert await partner.read() == (0, "")
    assert partner.contracts() == [started(number, day=1) for number in (1, 2, 3)]

    await append_starts(partner.source.log, streams=3, versions=1, after=1)
    await partner.publish()
    assert await partner.read() == (0, "")
    assert partner.contracts() == [started(number, day=2) for number in (1, 2, 3)]


async def test_it_passes_over_a_record_that_is_sent_again(partner: Partner) -> None:
    await append_starts(partner.source.log, streams=1, versions=2)
    first, *_ = await partner.publish()
    await partner.write(first)
    assert await partner.read() == (0, "")
    assert partner.contracts() == [started(1, day=2)]


async def test_it_counts_types_it_does_not_know_and_has_no_use_for(partner: Partner) -> None:
    forgotten = PartyForgotten(
        party_id=UUID(int=1), forgotten_on=date(2026, 4, 1), retention_classes=("contact",)
    )
    await partner.source.log.append(
        StreamAppend(stream_id=UUID(int=1), events=[forgotten], expected=0), cause=CASE
    )
    await append_starts(partner.source.log, streams=1, versions=1, after=1)
    await partner.publish()
    assert await partner.read() == (0, "")
    assert partner.contracts() == [started(1, day=2)]


async def test_it_stops_where_a_record_is_missing(partner: Partner) -> None:
    await append_starts(partner.source.log, streams=1, versions=1)
    (only,) = await partner.publish()
    await partner.write(only, ce_sequence="3")
    status, said = await partner.read()
    assert status == 1
    assert "sequence 3: 2 is missing" in said
    assert partner.contracts() == [started(1, day=1)]


async def test_it_stops_at_another_log(partner: Partner) -> None:
    await append_starts(partner.source.log, streams=1, versions=1)
    (only,) = await partner.publish()
    await partner.write(only, ce_sequence="2", ce_logepoch=str(UUID(int=9)))
    status, said = await partner.read()
    assert status == 1
    assert f"another log ({UUID(int=9)})" in said
