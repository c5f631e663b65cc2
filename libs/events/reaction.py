"""What a reader of events may do: decide on streams of its own, or write rows of its own."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from libs.events.envelope import Event, Recorded
from libs.events.log import NO_RIDERS, Decision, Riders


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One stream of ours and the decision to take on it because of an event.

    All reactions to one event are appended together, in one transaction with the reader's cursor.
    """

    stream_id: UUID
    decision: Decision
    riders: Riders = NO_RIDERS


class NotYetSeen(Exception):
    """An event refers to something whose own event has not arrived; its stream waits, visibly."""


class OwnFault(Exception):
    """A reaction itself raised what otherwise comes from a server or the way to it.

    Reactions and decisions ask no server, so trying again would change nothing: it parks.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


React = Callable[[Recorded[Event]], Sequence[Reaction]]
"""Pure: (event) -> reactions; the state comes to each reaction's decision."""

Effect = Callable[
    ["asyncpg.Connection[asyncpg.Record]", Sequence[Recorded[Event]]], Awaitable[None]
]
"""Writes rows for a batch of events, in the transaction that also stores the reader's cursor."""
