"""Reactions and their causes: who asked for a reaction has one, and none rests on nothing.

Whether an event asks for one, the reader's own `react` and its decisions say. What they were asked
with is not kept where they led to nothing. So they are asked with every history that the stream
may have had by then, and only an event that leads to something with each of them lacks a reaction.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from libs.events.database import Connection, Pool, Row
from libs.events.envelope import Envelope, Event, Recorded
from libs.events.keys import Keys
from libs.events.log import Decision
from libs.events.log_sql import FIND_POSITION
from libs.events.reaction import React, Reaction
from libs.events.reconcile import Drift, Looked, Place
from libs.events.reconcile_topic import Kept, Taken
from libs.events.snapshot import SnapshotLog, identity_of, snapshot

_CLOCKS = timedelta(minutes=1)
"""By how much the clocks of two services may differ."""

History = Sequence[Recorded[Event]]


def reacted(
    *, consumer: str, topics: Sequence[str], react: React, pool: Pool, bootstrap: str, keys: Keys
) -> tuple[Taken, ...]:
    """For each topic of a reader that decides: its events have the reactions that they ask for."""
    advice = (
        "Compare the own log with its topic and its backup: an event was taken out of it, or the"
        " reader passed this one over, or took it before its code reacted to it. Have it decide"
        " now: ./yk parked take-again"
    )
    return tuple(
        Taken(
            consumer=consumer,
            topic=topic,
            pool=pool,
            bootstrap=bootstrap,
            keys=keys,
            kept=_reactions(react, keys=keys),
            advice=advice,
        )
        for topic in topics
    )


REACTIONS = """
SELECT stream_id, causation_id FROM event
WHERE stream_id = ANY($1::uuid[]) AND causation_id = ANY($2::uuid[])
"""


def _reactions(react: React, *, keys: Keys) -> Kept:
    """What is wrong with the reactions to some events of one partition, in its order."""

    async def wrong(connection: Connection, events: History) -> Mapping[str, str]:
        asked = [(each, reaction) for each in events for reaction in react(each)]
        streams = {reaction.stream_id for _, reaction in asked}
        causes = {each.envelope.event_id for each, _ in asked}
        rows = await connection.fetch(REACTIONS, list(streams), list(causes))
        there = {(row["stream_id"], row["causation_id"]) for row in rows}
        lacking = [
            (each, reaction)
            for each, reaction in asked
            if (reaction.stream_id, each.envelope.event_id) not in there
        ]
        return await _unexplained(connection, lacking, among=events, keys=keys)

    return wrong


async def _unexplained(
    connection: Connection,
    lacking: Sequence[tuple[Recorded[Event], Reaction]],
    *,
    among: History,
    keys: Keys,
) -> Mapping[str, str]:
    if not lacking:
        return {}
    identity = await identity_of(connection)
    head = await connection.fetchval(FIND_POSITION)
    log = SnapshotLog(connection, identity=identity, until=head, keys=keys)
    histories: dict[UUID, list[Recorded[Event]]] = defaultdict(list)
    for own in await log.load_all({reaction.stream_id for _, reaction in lacking}):
        histories[own.envelope.stream_id].append(own)
    causes = {each.envelope.event_id: each.envelope for each in among}
    streams: dict[str, list[str]] = defaultdict(list)
    for each, reaction in lacking:
        history = histories[reaction.stream_id]
        possible = _possible(each.envelope, history, causes=causes, by_time=not identity.rehearsal)
        if _leads_to_something(reaction.decision, history, possible=possible):
            streams[str(each.envelope.event_id)].append(str(reaction.stream_id))
    return {
        event_id: f"it asks for a reaction on stream {' and '.join(found)}, and the log has none"
        for event_id, found in streams.items()
    }


def _possible(
    cause: Envelope, history: History, *, causes: Mapping[UUID, Envelope], by_time: bool
) -> range:
    """With how many events the own stream may have stood when `cause` was taken.

    What an earlier event of the same stream led to was there, and so was what was recorded well
    before; what a later one led to was not.
    """
    least, most = 0, len(history)
    for number, own in enumerate(history, start=1):
        led_here = None if (by := own.envelope.causation_id) is None else causes.get(by)
        if led_here is not None and led_here.stream_id == cause.stream_id:
            if led_here.version > cause.version:
                most = min(most, number - 1)
            elif led_here.version < cause.version:
                least = number
        if by_time and own.envelope.recorded_at < cause.recorded_at - _CLOCKS:
            least = number
    return range(least, most + 1)


def _leads_to_something(decision: Decision, history: History, *, possible: range) -> bool:
    """Whether it leads to events with some of the possible histories, and with none to nothing."""
    something = False
    for count in possible:
        answer = _answer(decision, history[:count])
        if isinstance(answer, Exception):
            continue  # it was not asked with this one, else the event would be parked
        if not answer:
            return False
        something = True
    return something


def _answer(decision: Decision, history: History) -> Sequence[Event] | Exception:
    """What a decision leads to, or how it fails."""
    try:
        return decision(history)
    except Exception as error:  # noqa: BLE001 - a failure is one of the answers
        return error


CAUSED = """
SELECT position, event_id, type, causation_id, recorded_at FROM event
WHERE position > $1 ORDER BY position LIMIT $2
"""
KNOWN_EVENTS = "SELECT event_id FROM event WHERE event_id = ANY($1::uuid[])"
LOST_BETWEEN = """
SELECT coalesce(last.recorded_at, '-infinity') AS since, log_fork.made_at AS until
FROM log_fork
LEFT JOIN LATERAL (
    SELECT recorded_at FROM event WHERE position <= log_fork.position
    ORDER BY position DESC LIMIT 1
) AS last ON true
"""


class _Lost(NamedTuple):
    """From when until when what a log recorded was lost, with the end of the log."""

    since: datetime
    until: datetime


class Causes:
    """Each event that says because of which event it was recorded rests on one that exists.

    What rests on the lost end of a log that was given another identity is not told here: building
    its reader again lists it. The own log is read first, so a cause stands in its log by then.
    """

    name = "causes"

    def __init__(self, *, pool: Pool, sources: Sequence[Pool]) -> None:
        self._pool = pool
        self._sources = sources

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next events of the own log."""
        after: int = place.get("after", 0)
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(CAUSED, after, limit)
            causes = {row["causation_id"] for row in rows} - {None}
            causes -= await _known(connection, causes)
        lost: list[_Lost] = []
        if causes:
            async with AsyncExitStack() as stack:
                for pool in self._sources:
                    source = await stack.enter_async_context(snapshot(pool))
                    causes -= await _known(source, causes)
                    lost += [_Lost(*row) for row in await source.fetch(LOST_BETWEEN)]
        found = [
            self._drift(row)
            for row in rows
            if row["causation_id"] in causes
            and not any(since <= row["recorded_at"] <= until for since, until in lost)
        ]
        more = len(rows) == limit
        return Looked(found, len(rows), {"after": rows[-1]["position"]} if more else None)

    def _drift(self, row: Row) -> Drift:
        return Drift(
            check=self.name,
            place=f"position {row['position']}",
            what=(
                f"{row['type']} {row['event_id']} rests on event {row['causation_id']}, which no"
                " log has"
            ),
            since=row["recorded_at"].isoformat(),
            advice="Find out who changed a log; look whether what rests on it is to be corrected",
        )


async def _known(connection: Connection, event_ids: set[UUID]) -> set[UUID]:
    return {row["event_id"] for row in await connection.fetch(KNOWN_EVENTS, list(event_ids))}
