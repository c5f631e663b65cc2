"""The independent counter: what was told, what stands, what was sent, and what came of it.

It looks with SQL of its own and a Kafka consumer of its own, and takes nothing from the library that
it counts for; so a mistake there can't hide itself here. `complaints` is pure, so that a test can
show it anything and see it complain.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

_PARTITIONS = 12

Outcome = Literal["asked", "acknowledged", "refused"]


class Call(NamedTuple):
    """What a caller wrote down of one append: each event by its stream and version.

    Written before it is made as `asked`; afterwards as what the caller was told. A call that was
    only asked, because its process died or did not learn the outcome, may stand whole or not at
    all.
    """

    name: str
    outcome: Outcome
    events: tuple[tuple[UUID, int], ...] = ()

    def line(self) -> bytes:
        """As it stands in a file of calls, a line each."""
        events = [[str(stream), version] for stream, version in self.events]
        return json.dumps([self.name, self.outcome, events]).encode() + b"\n"


def calls_in(file: Path) -> tuple[Call, ...]:
    """What was written down; a last line that a killed process left half is none."""
    lines = file.read_bytes().split(b"\n")[:-1]
    return tuple(
        Call(name, outcome, tuple((UUID(stream), version) for stream, version in events))
        for name, outcome, events in map(json.loads, lines)
    )


class Entry(NamedTuple):
    """An event as the log's table holds it."""

    position: int
    stream_id: UUID
    version: int
    partition: int
    sequence: int
    event_id: UUID
    type: str
    recorded_at: datetime
    actor: str
    data: bytes


class Sent(NamedTuple):
    """A record of the topic, in the words of its headers."""

    partition: int
    sequence: int
    position: int
    version: int
    key: str
    event_id: str
    type: str
    time: str
    actor: str
    data: bytes


class Effect(NamedTuple):
    """That an event had its effect, in the order in which effects came."""

    position: int
    stream_id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was found: `heads` are the log's own, `effects` those of each reader by name."""

    calls: Sequence[Call]
    log: Sequence[Entry]
    position: int
    heads: Mapping[int, int]
    topic: Sequence[Sent]
    effects: Mapping[str, Sequence[Effect]]


def complaints(found: Found) -> list[str]:
    """Everything that is not as it must be, in words; nothing when all is well."""
    return [
        *_of_the_log(found),
        *_of_the_calls(found.calls, log=found.log),
        *_of_the_topic(found),
        *(
            f"effects of {reader}: {words}"
            for reader, effects in found.effects.items()
            for words in _of_effects(effects, log=found.log)
        ),
    ]


def _of_the_log(found: Found) -> Iterator[str]:
    log = found.log
    yield from _gaps(("positions", e.position) for e in log)
    yield from _gaps((f"sequences of partition {e.partition}", e.sequence) for e in log)
    yield from _gaps((f"versions of stream {e.stream_id}", e.version) for e in log)
    if found.position != len(log):
        yield f"log: its head says {found.position}, and {len(log)} events stand there"
    counted = Counter(entry.partition for entry in log)
    for partition in sorted({*found.heads, *counted}):
        if found.heads.get(partition, 0) != counted[partition]:
            yield (
                f"log: the head of partition {partition} says {found.heads.get(partition, 0)},"
                f" and {counted[partition]} events stand there"
            )
    for before, entry in pairwise(log):
        if entry.recorded_at < before.recorded_at:
            yield f"log: time runs backwards at position {entry.position}"


def _gaps(numbered: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Where numbers do not run 1, 2, 3 … of each kind, in the order given."""
    last: Counter[str] = Counter()
    for kind, number in numbered:
        if number != last[kind] + 1:
            yield f"log: {kind}: {number} after {last[kind]}"
        last[kind] = number


def _of_the_calls(calls: Sequence[Call], *, log: Sequence[Entry]) -> Iterator[str]:
    asked = {call.name: call.events for call in calls if call.outcome == "asked"}
    told = {call.name: call.outcome for call in calls if call.outcome != "asked"}
    standing: dict[str, list[tuple[UUID, int]]] = defaultdict(list)
    for entry in log:
        standing[entry.actor].append((entry.stream_id, entry.version))
    for name, events in asked.items():
        stands = sorted(standing.pop(name, []))
        whole = stands == sorted(events)
        outcome = told.get(name)
        if outcome == "acknowledged" and not whole:
            yield f"call {name}: acknowledged, and of {len(events)} events {len(stands)} stand"
        elif outcome == "refused" and stands:
            yield f"call {name}: refused, and {len(stands)} of its events stand"
        elif stands and not whole:
            yield f"call {name}: stands in part, {len(stands)} of {len(events)} events"
    for name, events_of_none in standing.items():
        yield f"log: {len(events_of_none)} events of {name}, which nobody asked for"


def _of_the_topic(found: Found) -> Iterator[str]:
    log = {(entry.partition, entry.sequence): entry for entry in found.log}
    last: Counter[int] = Counter()
    for record in found.topic:
        at = f"topic: partition {record.partition}, sequence {record.sequence}"
        entry = log.get((record.partition, record.sequence))
        if entry is None:
            yield f"{at} stands in no log"
            continue
        if record != _as_sent(entry):
            yield f"{at} is not what the log holds"
        if record.sequence > last[record.partition] + 1:
            yield f"{at} stands there before {last[record.partition] + 1}"
        last[record.partition] = max(last[record.partition], record.sequence)
    sent = {(record.partition, record.sequence) for record in found.topic}
    for partition, sequence in sorted(set(log) - sent):
        yield f"topic: partition {partition}, sequence {sequence} is missing"


def _as_sent(entry: Entry) -> Sent:
    return Sent(
        partition=entry.partition,
        sequence=entry.sequence,
        position=entry.position,
        version=entry.version,
        key=str(entry.stream_id),
        event_id=str(entry.event_id),
        type=entry.type,
        time=entry.recorded_at.isoformat(),
        actor=entry.actor,
        data=entry.data,
    )


def _of_effects(effects: Sequence[Effect], *, log: Sequence[Entry]) -> Iterator[str]:
    expected = Counter(Effect(entry.position, entry.stream_id, entry.version) for entry in log)
    seen = Counter(effects)
    for effect in sorted((expected - seen).elements()):
        yield f"position {effect.position} had none"
    for effect in sorted((seen - expected).elements()):
        yield f"position {effect.position} had one too many"
    last: dict[UUID, int] = {}
    for effect in effects:
        if effect.version < last.get(effect.stream_id, 0):
            yield f"stream {effect.stream_id}: version {effect.version} after {last[effect.stream_id]}"
        last[effect.stream_id] = effect.version


LOG = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at, actor, data
FROM event ORDER BY position
"""
POSITION = "SELECT position FROM log_head"
HEADS = "SELECT partition, sequence FROM partition_head"
NOTES = "SELECT position, stream_id, version FROM note ORDER BY seen"
CAUSES = "SELECT causation_id FROM event ORDER BY position"


async def count(
    *,
    calls: Path,
    source: str,
    topic: str,
    bootstrap: str,
    noted: Mapping[str, str],
    answered: Mapping[str, str],
) -> Found:
    """Look at everything: the log in the database `source`, its topic, and the effects.

    `noted` are the databases of readers that keep a table of notes, by a name for each; `answered`
    those of readers that answer each event with one of their own log, which has it as its cause.
    """
    log = [Entry(*row) for row in await _rows(source, LOG)]
    ((position,),) = await _rows(source, POSITION)
    heads = {row["partition"]: row["sequence"] for row in await _rows(source, HEADS)}
    effects: dict[str, Sequence[Effect]] = {}
    for reader, dsn in noted.items():
        effects[reader] = [Effect(*row) for row in await _rows(dsn, NOTES)]
    by_id = {entry.event_id: entry for entry in log}
    for reader, dsn in answered.items():
        causes = [by_id.get(row["causation_id"]) for row in await _rows(dsn, CAUSES)]
        effects[reader] = [
            Effect(0, UUID(int=0), 0)
            if cause is None
            else Effect(cause.position, cause.stream_id, cause.version)
            for cause in causes
        ]
    return Found(
        calls=calls_in(calls),
        log=log,
        position=position,
        heads=heads,
        topic=await records_of(topic, bootstrap=bootstrap),
        effects=effects,
    )


async def records_of(topic: str, *, bootstrap: str) -> list[Sent]:
    """Everything in a topic from its beginning, each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for number in range(_PARTITIONS)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: dict[int, list[Sent]] = {part.partition: [] for part in parts}
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, records in (await consumer.getmany(timeout_ms=200)).items():
                found[part.partition].extend(map(_sent, records))
    finally:
        await consumer.stop()
    return [record for records in found.values() for record in records]


def _sent(record: ConsumerRecord) -> Sent:
    headers = {name: value.decode() for name, value in record.headers}
    return Sent(
        partition=record.partition,
        sequence=int(headers["ce_sequence"]),
        position=int(headers["ce_position"]),
        version=int(headers["ce_version"]),
        key=record.key.decode(),
        event_id=headers["ce_id"],
        type=headers["ce_type"],
        time=headers["ce_time"],
        actor=headers["ce_actor"],
        data=record.value,
    )


async def _rows(dsn: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()
