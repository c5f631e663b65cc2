"""All that there is to count, read from the databases and the topics without the events library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.chaos.journal import Entry
from cli.chaos.rest import Standing, standings_of

Row = Mapping[str, Any]
_POLL_MS = 500

TABLES: Mapping[str, Mapping[str, str]] = {
    "contracts": {"contract": "SELECT contract_id, state, version FROM contract"},
    "billing": {
        "fact": "SELECT * FROM fact",
        "contract_timeline": "SELECT * FROM contract_timeline",
        "billing_account": "SELECT account_id FROM billing_account",
        "document": "SELECT document_id, number, credit_note FROM document",
        "payment": "SELECT payment_id FROM payment",
    },
    "monitoring": {
        "site": "SELECT contract_id, closed_on FROM site",
        "outage": "SELECT outage_id FROM outage",
    },
    "notifications": {
        "occasion": "SELECT event_id, queued FROM occasion",
        "notice": "SELECT notice_id, because_of, state FROM notice",
    },
}
"""By service, what stands for its effects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as a topic holds it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was acknowledged, and what stands in logs, topics and tables, by context.

    Events are in the order of position, records by partition in the order of offset. `tables`
    has the rows of each table by service and name, `mails` the ids of all messages sent.
    """

    journal: Sequence[Entry]
    epochs: Mapping[str, str]
    events: Mapping[str, Sequence[Row]]
    records: Mapping[str, Sequence[Record]]
    standings: Mapping[str, Standing]
    tables: Mapping[str, Mapping[str, Sequence[Row]]]
    mails: Sequence[str]


async def gather_evidence(
    journal: Sequence[Entry],
    *,
    dsns: Mapping[str, str],
    topics: Mapping[str, str],
    bootstrap: str,
    mails: Sequence[Path],
) -> Evidence:
    """Read everything; the system must be at rest.

    `topics` has the name of each context's, `mails` the file of each message.
    """
    events: dict[str, Sequence[Row]] = {}
    epochs: dict[str, str] = {}
    tables: dict[str, Mapping[str, Sequence[Row]]] = {}
    for service, dsn in dsns.items():
        connection = await asyncpg.connect(dsn)
        try:
            events[service] = await _rows(connection, "SELECT * FROM event ORDER BY position")
            epochs[service] = str(await connection.fetchval("SELECT log_epoch FROM log_identity"))
            tables[service] = {
                name: await _rows(connection, query) for name, query in TABLES[service].items()
            }
        finally:
            await connection.close()
    return Evidence(
        journal=journal,
        epochs=epochs,
        events=events,
        records={
            context: await _records(topic, bootstrap=bootstrap) for context, topic in topics.items()
        },
        standings=await standings_of(dsns),
        tables=tables,
        mails=[_message_id(path) for path in mails],
    )


async def _rows(connection: "asyncpg.Connection[asyncpg.Record]", query: str) -> list[Row]:
    return [dict(row) for row in await connection.fetch(query)]


async def _records(topic: str, *, bootstrap: str) -> list[Record]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        numbers = await _partitions(consumer, topic)
        parts = [TopicPartition(topic, number) for number in numbers]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: list[Record] = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                found += [
                    Record(
                        partition=record.partition,
                        offset=record.offset,
                        key=record.key,
                        value=record.value,
                        headers=tuple(record.headers),
                    )
                    for record in records
                ]
    finally:
        await consumer.stop()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def _message_id(path: Path) -> str:
    message = BytesHeaderParser().parsebytes(path.read_bytes())
    return str(message["Message-ID"])


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    consumer.subscribe([topic])
    try:
        while not (found := consumer.partitions_for_topic(topic)):
            await consumer.getmany(timeout_ms=_POLL_MS)
    finally:
        consumer.unsubscribe()
    return sorted(found)
