"""Who may append: settles one append after another against how the log stands.

Pure, and shared by both logs: the one in memory keeps one standing for good, the other reads for
each batch the part that the batch touches, under the append lock. An append that loses changes
nothing, so the next is settled as if it had not been.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from libs.events.envelope import Cause, Envelope, Event, Recorded
from libs.events.log import (
    Appended,
    CursorMove,
    CursorTaken,
    Idempotency,
    NotParked,
    Reservation,
    Riders,
    StreamAppend,
    Unpark,
)
from libs.events.partition import partition_of
from libs.events.refusals import KeyReused, Reserved, Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What log this is. In a rehearsal log recorded times come from causes."""

    context: str
    log_epoch: UUID
    partitions: int
    rehearsal: bool


class Entry(NamedTuple):
    """An event ready for the log: its id, and its stored bytes."""

    event_id: UUID
    event: Event
    data: bytes


class StreamEntries(NamedTuple):
    """The entries of one stream, the version they must find, and their cause."""

    stream_id: UUID
    expected: int
    entries: Sequence[Entry]
    cause: Cause


class Asked(NamedTuple):
    """One append, encoded and checked as far as it can be without the log."""

    streams: Sequence[StreamEntries]
    riders: Riders


class Run(NamedTuple):
    """Entries of one stream with the place given to them: what stands before the first of them."""

    stream_id: UUID
    version: int
    position: int
    partition: int
    sequence: int
    recorded_at: datetime
    entries: Sequence[Entry]
    cause: Cause


class Settled(NamedTuple):
    """What one append gave, and what of it must be written."""

    appended: Appended
    runs: Sequence[Run]


class Answer(NamedTuple):
    """A kept answer and the fingerprint of what was asked."""

    fingerprint: str
    answer: bytes


class Cursor(NamedTuple):
    """How far a consumer has come in a partition."""

    sequence: int
    log_epoch: UUID


_LONGEST_HEADER = 1024
"""Characters: with the largest event it must stay below what a broker takes as one record."""

KeyName = tuple[str, str]
CursorName = tuple[str, str, int]
ReservedName = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Standing:
    """How a log stands, as far as it matters for what is asked. Unknown streams are at 0."""

    position: int
    recorded_at: datetime
    sequences: list[int]
    versions: dict[UUID, int] = field(default_factory=dict)
    stream_recorded_at: dict[UUID, datetime] = field(default_factory=dict)
    answers: dict[KeyName, Answer] = field(default_factory=dict)
    reservations: dict[ReservedName, tuple[Reservation, ...]] = field(default_factory=dict)
    cursors: dict[CursorName, Cursor] = field(default_factory=dict)
    parked: set[Unpark] = field(default_factory=set)


def riders_to_write(riders: Riders, *, appended: Appended) -> Riders:
    """The riders that take effect with what `settle` gave."""
    if appended.replayed is None:
        return riders
    return Riders(cursors=riders.cursors, unpark=riders.unpark)


def check_asked(
    appends: Sequence[StreamAppend], *, cause: Cause, riders: Riders, identity: Identity
) -> None:
    """Refuse mistakes of the calling program; raises ValueError."""
    owner = f"{identity.context}."
    for name in {event.type for append in appends for event in append.events}:
        if not name.startswith(owner):
            raise ValueError(f"{name} does not belong in the log of {identity.context}")
    for reservation in riders.reserve:
        if reservation.until_on is not None and reservation.until_on <= reservation.from_on:
            raise ValueError("a reservation must hold for a day at least")
    _check_cause(cause, rehearsal=identity.rehearsal)
    for append in appends:
        if append.cause is not None:
            _check_cause(append.cause, rehearsal=identity.rehearsal)


def _check_cause(cause: Cause, *, rehearsal: bool) -> None:
    if cause.now is not None:
        if not rehearsal:
            raise ValueError("only a rehearsal log takes its recorded time from a cause")
        if cause.now.tzinfo is None:
            raise ValueError("a recorded time needs a zone")
    for text in (cause.actor, cause.traceparent):
        if text is not None and ("\0" in text or len(text) > _LONGEST_HEADER):
            raise ValueError("an actor or a trace context is too long or holds a NUL character")


def kept_answer(
    answers: Mapping[KeyName, Answer], *, idempotency: Idempotency | None
) -> bytes | None:
    """The answer kept for this key, if any; raises `KeyReused` for another fingerprint."""
    if idempotency is None:
        return None
    kept = answers.get((idempotency.scope, idempotency.key))
    if kept is not None and kept.fingerprint != idempotency.fingerprint:
        raise KeyReused
    return None if kept is None else kept.answer


def settle(standing: Standing, *, asked: Asked, now: datetime, identity: Identity) -> Settled:
    """Append to `standing`, or raise what `Log.append` raises and leave it as it was.

    A repeat gets the kept answer; of its riders only those of a reader still take effect, as it
    has taken the event that led here.
    """
    replayed = kept_answer(standing.answers, idempotency=asked.riders.idempotency)
    cursors = _new_cursors(standing.cursors, moves=asked.riders.cursors)
    if asked.riders.unpark and (gone := set(asked.riders.unpark) - standing.parked):
        raise NotParked(", ".join(sorted(f"{one.event_id} for {one.consumer}" for one in gone)))
    if replayed is not None:
        standing.cursors.update(cursors)
        standing.parked.difference_update(asked.riders.unpark)
        return Settled(Appended(versions={}, position=standing.position, replayed=replayed), ())
    versions = _new_versions(standing.versions, streams=asked.streams)
    reserved = _new_reservations(standing.reservations, riders=asked.riders)
    placed = _placed(standing, asked=asked, now=now, identity=identity)
    appended = Appended(
        versions=versions,
        position=placed.position,
        make_events=partial(_recorded, placed.runs, identity=identity),
    )
    if (key := asked.riders.idempotency) is not None:
        answer = Answer(key.fingerprint, key.answer(appended))
        standing.answers[key.scope, key.key] = answer
    standing.position = placed.position
    standing.sequences = placed.sequences
    standing.versions.update(versions)
    standing.reservations.update(reserved)
    standing.cursors.update(cursors)
    standing.parked.difference_update(asked.riders.unpark)
    standing.recorded_at = placed.recorded_at
    for run in placed.runs:
        if run.entries:
            standing.stream_recorded_at[run.stream_id] = run.recorded_at
    return Settled(appended, placed.runs)


def _new_versions(
    versions: Mapping[UUID, int], *, streams: Sequence[StreamEntries]
) -> dict[UUID, int]:
    after: dict[UUID, int] = {}
    for stream_id, expected, entries, _ in streams:
        present = after.get(stream_id, versions.get(stream_id, 0))
        if present != expected:
            raise Stale(f"stream {stream_id} is at version {present}, not {expected}")
        after[stream_id] = present + len(entries)
    return after


def _new_reservations(
    reservations: Mapping[ReservedName, tuple[Reservation, ...]], *, riders: Riders
) -> dict[ReservedName, tuple[Reservation, ...]]:
    """What changes: released values first, so that one append can hand a value on."""
    after: dict[ReservedName, tuple[Reservation, ...]] = {}
    for gone in riders.release:
        name = (gone.kind, gone.value)
        held = after.get(name, reservations.get(name, ()))
        after[name] = tuple(other for other in held if other.owner != gone.owner)
    for wish in riders.reserve:
        name = (wish.kind, wish.value)
        held = after.get(name, reservations.get(name, ()))
        for other in held:
            if other.owner != wish.owner and _overlap(other, wish):
                raise Reserved(f"this {wish.kind} belongs to someone else")
        kept = (other for other in held if other.from_on != wish.from_on)
        after[name] = (*kept, wish)
    return after


def _overlap(one: Reservation, other: Reservation) -> bool:
    return (one.until_on is None or other.from_on < one.until_on) and (
        other.until_on is None or one.from_on < other.until_on
    )


def _new_cursors(
    cursors: Mapping[CursorName, Cursor], *, moves: Collection[CursorMove]
) -> dict[CursorName, Cursor]:
    after: dict[CursorName, Cursor] = {}
    for move in moves:
        name = (move.consumer, move.topic, move.partition)
        present = after.get(name, cursors.get(name))
        stands_at = 0 if present is None else present.sequence
        foreign = present is not None and present.log_epoch != move.log_epoch
        moved = move.after is not None and move.after != stands_at
        if foreign or moved or move.sequence <= stands_at:
            raise CursorTaken(f"{name} stands at {present}, so it can't make the move {move}")
        after[name] = Cursor(move.sequence, move.log_epoch)
    return after


class _Placed(NamedTuple):
    """The runs of an append, and where the log stands after them."""

    runs: list[Run]
    position: int
    sequences: list[int]
    recorded_at: datetime


def _placed(standing: Standing, *, asked: Asked, now: datetime, identity: Identity) -> _Placed:
    sequences = standing.sequences.copy()
    position, latest = standing.position, standing.recorded_at
    runs: list[Run] = []
    for stream_id, expected, entries, cause in asked.streams:
        partition = partition_of(stream_id, partitions=identity.partitions)
        recorded_at = _recorded_at(standing, stream_id=stream_id, now=cause.now or now, of=identity)
        sequence = sequences[partition]
        runs.append(
            Run(stream_id, expected, position, partition, sequence, recorded_at, entries, cause)
        )
        position += len(entries)
        sequences[partition] += len(entries)
        if entries and recorded_at > latest:
            latest = recorded_at
    return _Placed(runs, position, sequences, latest)


def _recorded(runs: Sequence[Run], *, identity: Identity) -> tuple[Recorded[Event], ...]:
    return tuple(
        Recorded(
            Envelope(
                event_id=entry.event_id,
                context=identity.context,
                log_epoch=identity.log_epoch,
                stream_id=run.stream_id,
                version=run.version + number,
                position=run.position + number,
                partition=run.partition,
                sequence=run.sequence + number,
                recorded_at=run.recorded_at,
                correlation_id=run.cause.correlation_id,
                causation_id=run.cause.causation_id,
                actor=run.cause.actor,
                traceparent=run.cause.traceparent,
            ),
            entry.event,
        )
        for run in runs
        for number, entry in enumerate(run.entries, start=1)
    )


def _recorded_at(standing: Standing, *, stream_id: UUID, now: datetime, of: Identity) -> datetime:
    """Never before what was recorded: in the whole log, or in a rehearsal in the stream."""
    if not of.rehearsal:
        return max(now, standing.recorded_at)
    before = standing.stream_recorded_at.get(stream_id)
    return now if before is None else max(now, before)
