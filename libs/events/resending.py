"""A topic made again from its log, so that every record is the one that stood there.

The log is the truth. What stands in the topic is compared with it, byte by byte: if it is a true
beginning of the log it stays and only what is missing is sent; else the topic is made anew. So the
work can be broken off anywhere and begun again. Readers go by sequence and pass over what they
have.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from libs.events import relay_sql
from libs.events import resending_sql as sql
from libs.events.database import Connection
from libs.events.kafka import Headers, Identity, to_record
from libs.events.partition import PARTITIONS
from libs.events.relay import Relay
from libs.events.topics import make_anew
from libs.events.trouble import Stopped
from libs.events.whole_topic import Found, events_of, has_topic

_HOP = "traceparent"
_LOOK_SECONDS = 0.1

Progress = Callable[[int, int], None]
"""Hears of the position that was sent, and of the log's head."""


class SomeoneSends(Exception):
    """A relay of this log leads somewhere, so the topic can't be touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a topic holds of its log.

    `ends` are the last sequences by partition; `trouble` says in a sentence why the topic is no
    true beginning of the log, and is None when it is one.
    """

    events: int
    ends: Mapping[int, int]
    trouble: str | None


async def examine(dsn: str, *, topic: str, bootstrap: str) -> Examined:
    """Compare all that stands in a topic with the log, in key, value and headers.

    The `traceparent` of the sending that brought an event is no part of the event.
    """
    ends = dict.fromkeys(range(PARTITIONS), 0)
    events = 0
    if not await has_topic(topic, bootstrap=bootstrap):
        return Examined(events=0, ends=ends, trouble=f"there is no topic {topic}")
    connection = await asyncpg.connect(dsn)
    try:
        identity = await sql.find_identity(connection)
        async for found in events_of(topic, bootstrap=bootstrap, log_epoch=identity.log_epoch):
            trouble = await _different(connection, found, identity=identity)
            if trouble is not None:
                return Examined(events=events, ends=ends, trouble=trouble)
            events += len(found)
            ends[found[0].message.partition] = found[-1].message.envelope.sequence
    except Stopped as stopped:
        return Examined(events=events, ends=ends, trouble=str(stopped))
    finally:
        await connection.close()
    return Examined(events=events, ends=ends, trouble=None)


async def send_again(
    dsn: str, *, topic: str, bootstrap: str, replication: int = 1, told: Progress | None = None
) -> Examined:
    """Have a topic hold the whole log, as it is when this begins or more; what stands there then.

    Appends may go on meanwhile. Raises `SomeoneSends` while a relay leads.
    """
    async with nobody_sending(dsn) as connection:
        present = await examine(dsn, topic=topic, bootstrap=bootstrap)
        if present.trouble is not None:
            await sql.send_from_zero(connection)  # first: a topic made anew is sent from its start
            await make_anew(topic, bootstrap=bootstrap, replication=replication)
        else:
            await sql.send_after(connection, ends=present.ends)
    await _send(dsn, topic=topic, bootstrap=bootstrap, told=told)
    return await examine(dsn, topic=topic, bootstrap=bootstrap)


@asynccontextmanager
async def nobody_sending(dsn: str) -> AsyncIterator[Connection]:
    """Hold the relay's lock, so that nobody leads meanwhile; raises `SomeoneSends`."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await relay_sql.try_lock(connection):
            raise SomeoneSends("a relay leads: stop the workers of the service first")
        yield connection
    finally:
        await connection.close()


async def _send(dsn: str, *, topic: str, bootstrap: str, told: Progress | None) -> None:
    """Be the relay until all has been sent that stands in the log now."""
    stop = asyncio.Event()
    relay = asyncio.ensure_future(Relay(dsn=dsn, bootstrap=bootstrap, topic=topic).run(stop))
    connection = await asyncpg.connect(dsn)
    try:
        head = await relay_sql.head(connection)
        while (sent := await sql.sent(connection)) < head:
            if told is not None:
                told(sent, head)
            await asyncio.wait([relay], timeout=_LOOK_SECONDS)
        if told is not None:
            told(sent, head)
    finally:
        stop.set()
        await relay
        await connection.close()


async def _different(
    connection: Connection, found: Sequence[Found], *, identity: Identity
) -> str | None:
    """The first record that is not what the log would send, in a sentence."""
    first = found[0].message
    rows = await sql.find_rows(
        connection, first.partition, since=first.envelope.sequence, count=len(found)
    )
    for at, each in enumerate(found):
        where = f"{first.topic}/{first.partition}/{each.message.envelope.sequence}"
        if at >= len(rows):
            return f"{where} stands in the topic and not in the log"
        key, value, headers = to_record(rows[at], identity=identity, hop=None)
        record = each.record
        if (record.key, record.value or b"") != (key, value):
            return f"{where} has another key or value than the log"
        if without_hop(record.headers) != headers:
            return f"{where} has other headers than the log"
    return None


def without_hop(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """A record's headers but for the one that says which sending brought it."""
    return [(name, value) for name, value in headers if name != _HOP]
