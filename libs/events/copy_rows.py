"""Rows of the event table as PostgreSQL's binary COPY takes them, made by hand.

The driver's own way costs a call for each value. Here all that is known before an event has its
place is laid out once, outside of the append lock; under it a row is one packed head before that.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from struct import Struct
from uuid import UUID

from libs.events.envelope import Cause
from libs.events.settle import Run, StreamEntries

COLUMNS = (
    "position",
    "version",
    "partition",
    "sequence",
    "recorded_at",
    "stream_id",
    "correlation_id",
    "causation_id",
    "actor",
    "traceparent",
    "event_id",
    "type",
    "data",
)
"""The columns in the order of the rows: what an event's place says first, its data last."""

Tail = bytes
"""A row from its stream's id on."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# The number of columns; then each value after its length: bigint, integer, smallint, bigint, and
# the recorded time as microseconds since 2000.
_HEAD = Struct("!h iq ii ih iq iq")
_LENGTH = Struct("!i")
_UUID = _LENGTH.pack(16)
_NULL = _LENGTH.pack(-1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def tails_of(stream: StreamEntries) -> list[Tail]:
    """For each entry what of its row is known before it has a place.

    Raises ValueError for text that is no UTF-8.
    """
    of_all = _uuid(stream.stream_id) + _cause(stream.cause) + _UUID
    join, length = b"".join, _LENGTH.pack
    return [
        join((of_all, event_id.bytes, _type(event.type), length(len(data)), data))
        for event_id, event, data in stream.entries
    ]


def copy_bytes(placed: Iterable[tuple[Run, Sequence[Tail]]]) -> bytes:
    """All that COPY is sent for these runs, each with the tails of its entries."""
    columns, pack = len(COLUMNS), _HEAD.pack
    parts = [_HEADER]
    for run, tails in placed:
        _, version, position, partition, sequence, recorded_at, _, _ = run
        recorded = (recorded_at - _EPOCH) // _MICROSECOND
        for tail in tails:
            version, position, sequence = version + 1, position + 1, sequence + 1
            parts += (
                pack(columns, 8, position, 4, version, 2, partition, 8, sequence, 8, recorded),
                tail,
            )
    parts.append(_TRAILER)
    return b"".join(parts)


def _cause(cause: Cause) -> bytes:
    return b"".join(
        (
            _uuid(cause.correlation_id),
            _NULL if cause.causation_id is None else _uuid(cause.causation_id),
            _text(cause.actor),
            _NULL if cause.traceparent is None else _text(cause.traceparent),
        )
    )


@cache
def _type(name: str) -> bytes:
    """The types are those of the vocabulary, so few that all are kept."""
    return _text(name)


def _uuid(value: UUID) -> bytes:
    return _UUID + value.bytes


def _text(value: str) -> bytes:
    text = value.encode()
    return _LENGTH.pack(len(text)) + text
