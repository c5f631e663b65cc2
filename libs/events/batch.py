"""What a consumer hands to a reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from libs.events.cursors import Place
from libs.events.kafka import Message
from libs.events.parking import ParkedStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Messages of one partition, without gaps, from the one after `after`; one at least.

    `next_offset` is where in Kafka to go on when all are taken.
    """

    place: Place
    after: int
    log_epoch: UUID
    messages: Sequence[Message]
    next_offset: int

    @property
    def sequence(self) -> int:
        """The sequence of the last message."""
        return self.messages[-1].envelope.sequence


class Reader(Protocol):
    """Takes events: each with effect once, whatever is delivered twice or to two processes."""

    @property
    def name(self) -> str:
        """The name under which its cursors and parked events stand."""
        ...

    @property
    def at_most(self) -> int:
        """How many events of a partition it takes at once: what a stop waits for."""
        ...

    async def take(self, batch: Batch) -> None:
        """Take all: effects, parked streams and the cursor's move commit together.

        Raises the weather, and `CursorTaken` when another process took these events; then the
        cursor in the database says from where to go on.
        """
        ...

    async def retry(self, stream: ParkedStream) -> bool:
        """Take a parked stream's events in order; False when it stays parked."""
        ...
