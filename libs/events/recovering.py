"""A log from a backup: completed from its topic, or given another identity.

The topic holds every event that any reader can have taken. So a log that holds all of the backup
and all of the topic keeps its identity: whatever came to be known outside stands in it, at the
place it had. What was acknowledged and not yet sent when the database was lost stands in neither;
nobody reading the topic has seen it. Where the topic does not go on from the backup without a gap,
or is not used, readers may have taken what the log does not hold: then it gets a new identity, and
they stop. See docs/decisions/0009-a-restored-log.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.events import recovering_sql as sql
from libs.events import resending_sql
from libs.events.database import Connection
from libs.events.kafka import Message
from libs.events.trouble import Stopped
from libs.events.whole_topic import Found, events_of

Told = Callable[[int], None]
"""Hears how many events were taken from the topic."""


class NotItsTopic(Exception):
    """The topic does not go on from this log; the sentence says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a log was completed with.

    `holes` are runs of positions of which nothing is known: events that were appended and never
    sent, before others that were. `ends` are the last sequences in the topic, by partition;
    `streams` are those that got events.
    """

    before: int
    head: int
    events: int
    holes: Sequence[tuple[int, int]]
    ends: Mapping[int, int]
    streams: frozenset[UUID]


async def complete(
    connection: Connection, *, topic: str, bootstrap: str, told: Told | None = None
) -> Recovered:
    """Add to a log all that its topic has beyond it, in one transaction; again it adds nothing.

    Every event gets the id, position, version, sequence, recorded time and bytes that it had. Which
    positions stay empty for ever is kept, so that only other ones are found missing later.
    Raises `NotItsTopic` when the topic is another log's, or does not go on where this one ends.
    """
    async with connection.transaction():
        await sql.hold_log(connection)
        identity = await resending_sql.find_identity(connection)
        before = await sql.head(connection)
        heads = await sql.partition_heads(connection)
        ends = dict.fromkeys(heads, 0)
        added = 0
        streams: set[UUID] = set()
        try:
            async for found in events_of(topic, bootstrap=bootstrap, log_epoch=identity.log_epoch):
                partition = found[0].message.partition
                await _same_so_far(connection, found, head=heads[partition])
                new = [_row(each) for each in found if _sequence(each) > heads[partition]]
                await sql.copy_events(connection, new)
                streams.update(
                    each.message.envelope.stream_id for each in found[-len(new) :] if new
                )
                ends[partition] = _sequence(found[-1])
                added += len(new)
                if told is not None:
                    told(added)
        except Stopped as stopped:
            raise NotItsTopic(str(stopped)) from stopped
        await sql.move_heads(connection, after=before, ends=ends)
        await resending_sql.send_after(connection, ends=ends)
        return Recovered(
            before=before,
            head=await sql.head(connection),
            events=added,
            holes=await sql.note_holes(connection, after=before),
            ends=ends,
            streams=frozenset(streams),
        )


async def begin_epoch(connection: Connection) -> UUID:
    """Give a restored log a new identity, which it gives; all of it is to be sent again.

    Readers that took events of the one before stop, and say so.
    """
    log_epoch = uuid7()
    async with connection.transaction():
        await sql.hold_log(connection)
        await sql.begin_epoch(connection, log_epoch)
    return log_epoch


async def common_with(connection: Connection, known: UUID) -> tuple[UUID, Sequence[int] | None]:
    """The log's identity, and up to which sequences by partition it is the same as `known` was.

    None when `known` is not among the identities that the log had.
    """
    present, forks = await sql.find_forks(connection)
    epoch, common = present, None
    while epoch != known:
        if epoch not in forks:
            return present, None
        epoch, sequences = forks[epoch]
        common = (
            sequences
            if common is None
            else [min(pair) for pair in zip(common, sequences, strict=True)]
        )
    return present, common


def _sequence(found: Found) -> int:
    return found.message.envelope.sequence


async def _same_so_far(connection: Connection, found: Sequence[Found], *, head: int) -> None:
    """The last event that both have must be the same, else they are different histories."""
    common = [each for each in found if _sequence(each) <= head]
    if not common:
        return
    last = common[-1].message
    at = last.envelope
    if await sql.event_at(connection, last.partition, sequence=at.sequence) != at.event_id:
        raise NotItsTopic(
            f"{last.topic}/{last.partition}/{at.sequence} is another event than in the backup:"
            " the topic tells another history. Restore with a new epoch."
        )


def _row(found: Found) -> tuple[Any, ...]:
    message: Message = found.message
    at = message.envelope
    return (
        at.position,
        at.stream_id,
        at.version,
        at.partition,
        at.sequence,
        at.event_id,
        message.type,
        at.recorded_at,
        at.correlation_id,
        at.causation_id,
        at.actor,
        at.traceparent,
        message.data,
    )
