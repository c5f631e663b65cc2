"""Up to where what a reader keeps is built again: where it stands, or where the logs parted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.events import recovering
from libs.events.database import Pool, Row, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Up to where the rows beside go: by topic its log and the last sequences, and the own log.

    `parted` are the topics whose log was restored with a new epoch since the live reader took of it.
    """

    logs: Mapping[str, UUID]
    sequences: Mapping[str, Mapping[int, int]]
    position: int
    parted: tuple[str, ...]

    @property
    def events(self) -> int:
        """How many events of topics that is."""
        return sum(sum(each.values()) for each in self.sequences.values())

    @property
    def taken(self) -> int:
        """How many events of topics and of the own log that is."""
        return self.events + self.position


class OtherHistory(Exception):
    """A topic is not of the log that was taken, and nobody can say up to where it was the same."""


async def marks_of(cursors: Sequence[Row], *, sources: Mapping[str, Pool], position: int) -> Marks:
    """The marks of a reader with these cursors; `sources` are the logs by topic, as they are now.

    Raises `OtherHistory` where a log does not know the one of which events were taken.
    """
    logs: dict[str, UUID] = {}
    sequences: dict[str, dict[int, int]] = {}
    parted: list[str] = []
    for topic, known, taken in _by_topic(cursors):
        async with transaction(sources[topic]) as source:
            logs[topic], common = await recovering.common_with(source, known)
        if logs[topic] != known:
            if common is None:
                raise OtherHistory(
                    f"the log of {topic} does not know that it ever was {known}; nobody can say"
                    " what of it was taken"
                )
            parted.append(topic)
        sequences[topic] = {
            number: last if common is None else min(last, common[number])
            for number, last in taken.items()
        }
    return Marks(logs=logs, sequences=sequences, position=position, parted=tuple(parted))


def _by_topic(cursors: Sequence[Row]) -> list[tuple[str, UUID, dict[int, int]]]:
    """By topic the log that was taken of, and the last sequences by partition."""
    found: dict[str, tuple[UUID, dict[int, int]]] = {}
    for row in cursors:
        _, taken = found.setdefault(row["topic"], (row["log_epoch"], {}))
        taken[row["partition"]] = row["sequence"]
    return [(topic, known, taken) for topic, (known, taken) in found.items()]
