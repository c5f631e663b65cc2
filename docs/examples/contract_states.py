"""Keeps a table of contracts in SQLite from the topic `contracts`, each event once and in order.

    python contract_states.py HOST:PORT TOPIC FILE

Takes what stands in the topic now and ends; run again, it goes on where it was. Needs aiokafka.
"""

# ruff: noqa: INP001 - a program of its own, in no package

import asyncio
import json
import sqlite3
import sys
from contextlib import closing

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

PARTITIONS = 12  # of every topic, for ever
TABLES = """
CREATE TABLE IF NOT EXISTS cursor (
    partition INTEGER PRIMARY KEY, log_epoch TEXT, sequence INTEGER, next_offset INTEGER);
CREATE TABLE IF NOT EXISTS contract (contract_id TEXT PRIMARY KEY, state TEXT, since TEXT);
"""
STATES = {  # type of event: the state it leads to, and the field that says since when
    "contracts.contract-applied.v1": ("applied", "applied_on"),
    "contracts.contract-approved.v1": ("approved", "approved_on"),
    "contracts.service-started.v1": ("started", "started_on"),
    "contracts.contract-terminated.v1": ("ended", "terminated_on"),
}


def take(db: sqlite3.Connection, record: ConsumerRecord) -> None:
    """Take one record: the effect and the cursor in one transaction, or neither."""
    headers = {name: value.decode() for name, value in record.headers}
    epoch, sequence = headers["ce_logepoch"], int(headers["ce_sequence"])
    place = "SELECT log_epoch, sequence FROM cursor WHERE partition = ?"
    known, last = db.execute(place, (record.partition,)).fetchone() or (epoch, 0)
    at = f"{record.topic}/{record.partition}, sequence {sequence}"
    if epoch != known:
        sys.exit(f"{at}: another log ({epoch}). Ask the operator, then read all anew from zero.")
    if sequence > last + 1:
        sys.exit(f"{at}: {last + 1} is missing. Take nothing more, and tell the operator.")
    with db:  # BEGIN … COMMIT
        if sequence == last + 1 and headers["ce_type"] in STATES:
            state, since = STATES[headers["ce_type"]]
            row = (headers["ce_subject"], state, json.loads(record.value)[since])
            db.execute("INSERT OR REPLACE INTO contract VALUES (?, ?, ?)", row)
        cursor = (record.partition, epoch, max(sequence, last), record.offset + 1)
        db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", cursor)


async def main(bootstrap: str, topic: str, file: str) -> None:
    """Take every record up to the present end of every partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    with closing(sqlite3.connect(file)) as db:
        db.executescript(TABLES)
        async with consumer:
            consumer.assign(parts)
            offsets = dict(db.execute("SELECT partition, next_offset FROM cursor"))
            for part in parts:
                consumer.seek(part, offsets.get(part.partition, 0))
            ends = await consumer.end_offsets(parts)
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        take(db, record)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
