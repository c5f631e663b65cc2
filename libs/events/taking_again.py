"""Taking events again: what a reader has passed by is parked, so that it decides on them now.

For a reader that decides: it does nothing twice, as each reaction names its cause. A reader that
keeps rows is built again instead.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import orjson
from typing_extensions import override

from libs.events.cursors import Cursor, Place, load_cursors
from libs.events.database import Connection, Pool, transaction
from libs.events.kafka import Message
from libs.events.whole_topic import events_of


class Stand(NamedTuple):
    """Where an event stands in a topic."""

    topic: str
    partition: int
    sequence: int

    @override
    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.sequence}"


class NotToTakeAgain(Exception):
    """An event that can't be taken again; the text says why, and what to do."""


async def take_again(
    pool: Pool, consumer: str, *, stands: Collection[Stand], bootstrap: str
) -> Sequence[UUID]:
    """Park events that a reader that decides has taken, to be tried soon; their ids.

    All or none. Raises `NotToTakeAgain` for one that was not taken yet, is parked, or was given up,
    and `Stopped` where the topic has lost events.
    """
    async with transaction(pool) as connection:
        cursors = await load_cursors(connection, consumer)
    wanted = sorted(set(stands))
    for stand in wanted:
        at = Place(consumer=consumer, topic=stand.topic, partition=stand.partition)
        if not 0 < stand.sequence <= cursors.get(at, Cursor()).sequence:
            raise NotToTakeAgain(f"{consumer} has taken no event at {stand}")
    messages = await _messages(wanted, cursors=cursors, bootstrap=bootstrap)
    async with transaction(pool) as connection:
        for stand in wanted:
            await _park(connection, consumer, stand, messages[stand])
    return [messages[stand].envelope.event_id for stand in wanted]


async def _messages(
    stands: Collection[Stand], *, cursors: Mapping[Place, Cursor], bootstrap: str
) -> Mapping[Stand, Message]:
    """The events, read from the beginning of their partitions."""
    until: dict[str, dict[int, int]] = defaultdict(dict)
    for stand in sorted(stands):
        until[stand.topic][stand.partition] = stand.sequence
    epochs = {place.topic: cursor.log_epoch for place, cursor in cursors.items()}
    found: dict[Stand, Message] = {}
    for topic, ends in until.items():
        log_epoch = epochs[topic]
        assert log_epoch is not None  # something was taken of it
        async for events in events_of(topic, bootstrap=bootstrap, log_epoch=log_epoch, until=ends):
            for _, message in events:
                stand = Stand(topic, message.partition, message.envelope.sequence)
                if stand in stands:
                    found[stand] = message
    return found


SKIPPED = """
SELECT skipped_by FROM skipped_event
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND sequence = $4
"""
PARK_AGAIN = """
INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id, waiting,
                          reason, attempts, parked_at, headers, data)
VALUES ($1, $2, $3, $4, $5, $6, true, 'asked to be taken again', 0, now(), $7, $8)
ON CONFLICT ON CONSTRAINT parked_event_once DO NOTHING
RETURNING sequence
"""


async def _park(connection: Connection, consumer: str, stand: Stand, message: Message) -> None:
    given_up_by = await connection.fetchval(SKIPPED, consumer, *stand)
    if given_up_by is not None:
        raise NotToTakeAgain(f"{given_up_by} gave the event at {stand} up, for ever")
    parked = await connection.fetchval(
        PARK_AGAIN,
        consumer,
        *stand,
        message.envelope.stream_id,
        message.envelope.event_id,
        orjson.dumps(dict(message.headers)).decode(),
        message.data,
    )
    if parked is None:
        raise NotToTakeAgain(f"the event at {stand} is parked: retry its stream")
