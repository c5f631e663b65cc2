"""Why a consumer stops for good: going on would pass over something, and nobody would see it."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something is missing: the topic goes on with another sequence than the next."""

    topic: str
    partition: int
    expected: int
    seen: int

    @override
    def __str__(self) -> str:
        return (
            f"{self.topic}/{self.partition} goes on with sequence {self.seen} where {self.expected}"
            " should be: events are lost. Send the topic anew: ./yk rebuild topic."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLog:
    """The topic carries another log than the one of which events were taken."""

    topic: str
    partition: int
    known: UUID
    seen: UUID

    @override
    def __str__(self) -> str:
        return (
            f"{self.topic}/{self.partition} carries the log {self.seen}, and events of the log"
            f" {self.known} were taken: the log was restored from a backup. Build this reader again:"
            " ./yk rebuild consumer."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record in the topic is no event; someone else has written to it."""

    topic: str
    partition: int
    detail: str

    @override
    def __str__(self) -> str:
        return (
            f"{self.topic}/{self.partition} holds a record that is no event ({self.detail})."
            " Find out who writes to the topic, then send it anew: ./yk rebuild topic."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """The topic ends before an event that was taken of it."""

    topic: str
    partition: int
    ends: int
    taken: int

    @override
    def __str__(self) -> str:
        return (
            f"{self.topic}/{self.partition} ends with sequence {self.ends}, and events up to"
            f" {self.taken} were taken: events are lost. Send the topic anew: ./yk rebuild topic."
        )


Trouble: TypeAlias = Gap | OtherLog | Unreadable | Short


class Stopped(Exception):
    """The consumer can't go on; `trouble` says why and what to do."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble
