"""An event as a Kafka record: the CloudEvents 1.0 Kafka binding in binary mode.

The key is the stream's id, the value the data as stored (personal fields stay encrypted), and
everything else a header: `ce_…` for what the event says of itself, `traceparent` without a prefix
for the hop that brought it here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol
from uuid import UUID

from asyncpg.pgproto import pgproto

from libs.events.database import Row
from libs.events.envelope import Envelope
from libs.events.partition import key_bytes
from libs.events.wire import Stored

Header = tuple[str, bytes]
Headers = list[Header]

_SOURCE = "/yakkan/"
_FIXED: Headers = [("content-type", b"application/json"), ("ce_specversion", b"1.0")]
_HOP = "traceparent"


class NotAnEvent(Exception):
    """A record lacks what every event has, so that nobody can say what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose log it is, and which one: the epoch is made anew by a restore."""

    context: str
    log_epoch: UUID


class Message(NamedTuple):
    """An event as a topic carries it: its data not yet read.

    `headers` are all of the record's, as text. `offset` is Kafka's; nothing rests on it but where
    to go on reading.
    """

    topic: str
    partition: int
    offset: int
    type: str
    envelope: Envelope
    headers: Mapping[str, str]
    data: bytes

    @property
    def stored(self) -> Stored:
        """The event as `Wire` reads it."""
        return Stored(self.type, self.envelope.event_id, self.data)

    @property
    def hop(self) -> str | None:
        """The W3C trace context of the sending that brought it here, if it came with one."""
        return self.headers.get(_HOP)


class KafkaRecord(Protocol):
    """What aiokafka gives for a record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Iterable[Header]


def topic_of(context: str, *, prefix: str) -> str:
    """The topic on which a context publishes."""
    return f"{prefix}{context}"


def to_record(row: Row, *, identity: Identity, hop: str | None) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers for a row of the event table."""
    source, log_epoch = _headers_of_log(identity.context, identity.log_epoch)
    key = key_bytes(row["stream_id"])
    headers = [
        *_FIXED,
        ("ce_id", str(row["event_id"]).encode()),
        source,
        ("ce_type", row["type"].encode()),
        ("ce_subject", key),
        ("ce_time", row["recorded_at"].isoformat().encode()),
        ("ce_version", b"%d" % row["version"]),
        ("ce_position", b"%d" % row["position"]),
        ("ce_sequence", b"%d" % row["sequence"]),
        log_epoch,
        ("ce_correlationid", str(row["correlation_id"]).encode()),
        ("ce_actor", row["actor"].encode()),
    ]
    if row["causation_id"] is not None:
        headers.append(("ce_causationid", str(row["causation_id"]).encode()))
    if row["traceparent"] is not None:
        headers.append(("ce_traceparent", row["traceparent"].encode()))
    if hop is not None:
        headers.append((_HOP, hop.encode()))
    return key, row["data"], headers


@lru_cache(maxsize=16)
def _headers_of_log(context: str, log_epoch: UUID) -> tuple[Header, Header]:
    """What the records of one log have in common: its source and its epoch."""
    return (
        ("ce_source", (_SOURCE + context).encode()),
        ("ce_logepoch", str(log_epoch).encode()),
    )


def from_record(record: KafkaRecord) -> Message:
    """The message that a record carries; raises `NotAnEvent` for a record that carries none."""
    return message(
        _as_text(record.headers),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        data=record.value or b"",
    )


def _as_text(headers: Iterable[Header]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in headers}
    except UnicodeDecodeError:
        return {name: value.decode(errors="replace") for name, value in headers}


def message(
    headers: Mapping[str, str], *, topic: str, partition: int, offset: int, data: bytes
) -> Message:
    """The message of a record's headers and data; raises `NotAnEvent`."""
    try:
        envelope = _envelope(headers, partition=partition)
        type_name = headers["ce_type"]
    except (KeyError, ValueError) as error:
        detail = f"{topic}/{partition} at offset {offset}: {error!r}"
        raise NotAnEvent(detail) from error
    return Message(
        topic=topic,
        partition=partition,
        offset=offset,
        type=type_name,
        envelope=envelope,
        headers=headers,
        data=data,
    )


def _envelope(headers: Mapping[str, str], *, partition: int) -> Envelope:
    """Ids are of the driver's class: equal to any other, and read from text in a tenth of the time."""
    causation = headers.get("ce_causationid")
    return Envelope(
        event_id=pgproto.UUID(headers["ce_id"]),
        context=headers["ce_source"].removeprefix(_SOURCE),
        log_epoch=_epoch(headers["ce_logepoch"]),
        stream_id=pgproto.UUID(headers["ce_subject"]),
        version=int(headers["ce_version"]),
        position=int(headers["ce_position"]),
        partition=partition,
        sequence=int(headers["ce_sequence"]),
        recorded_at=datetime.fromisoformat(headers["ce_time"]),
        correlation_id=pgproto.UUID(headers["ce_correlationid"]),
        causation_id=None if causation is None else pgproto.UUID(causation),
        actor=headers["ce_actor"],
        traceparent=headers.get("ce_traceparent"),
    )


@lru_cache(maxsize=16)
def _epoch(text: str) -> UUID:
    """The same for all records of a log."""
    return pgproto.UUID(text)
