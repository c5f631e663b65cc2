"""What rebuilding says: how far it is, and what came of it, in sentences."""

import logging
import time
from collections.abc import Callable, Iterator

import structlog

from cli.progress import say
from cli.rebuild.consumers import BuiltAgain
from cli.rebuild.restoring import Restored
from libs.events.recovering import Recovered
from libs.events.shadow_marks import Marks
from libs.events.shadow_tables import Compared

_EVERY_SECONDS = 2.0


def quieten() -> None:
    """Leave out what is logged of streams that wait on the way; what comes of it is told."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def counting(what: str) -> Callable[[int, int], None]:
    """Says every two seconds how far `what` is."""
    said_at = time.monotonic()

    def told(position: int, target: int) -> None:
        nonlocal said_at
        now = time.monotonic()
        if now - said_at >= _EVERY_SECONDS:
            said_at = now
            say(f"  {what}: {position:,} of {target:,}")

    return told


def compared(name: str, found: Compared, *, where: str) -> Iterator[str]:
    """What a comparison found, both standing `where` is said."""
    for table, (live, rebuilt) in found.rows.items():
        yield f"  {table}: {live:,} rows live, {rebuilt:,} rebuilt"
    for difference in found.differences:
        yield f"  {difference.words()}"
    if not found.total:
        yield f"{name}: live and rebuilt are the same {where}"
        return
    more = found.total - len(found.differences)
    yield (
        f"{name}: {found.total:,} rows differ {where}"
        f"{f', {more:,} of them not shown' if more else ''}"
    )


def marked(marks: Marks) -> str:
    """Where a reader stands."""
    return f"after {marks.events:,} events of {', '.join(marks.sequences) or 'no topic'}"


def parted(marks: Marks) -> Iterator[str]:
    """Which restored logs a reader goes on with, and from where."""
    for topic in marks.parted:
        both = sum(marks.sequences[topic].values())
        yield f"  goes on with the restored {topic} after the {both:,} events that both logs have"


def restored(service: str, found: Restored) -> Iterator[str]:
    """What a restore came to, and what it could not bring back."""
    if found.recovered is None:
        yield f"{service}: the log ends at position {found.head:,} and is {found.log_epoch} from now on"
    else:
        yield from _completed(service, found.recovered)
        yield f"  reservations derived again: of {found.reserved:,} streams"
        yield (
            "  not recoverable: answers kept for repeats since the backup (a repeat with the same"
            " key is a new request), and what was acknowledged in the moment before the database"
            " was lost and not sent yet"
        )
    yield f"  the database that was there is kept as {found.aside}; drop it when all is well"


def _completed(service: str, found: Recovered) -> Iterator[str]:
    yield (
        f"{service}: {found.events:,} events beyond the backup's position {found.before:,} came from"
        f" the topic; the log ends at position {found.head:,} and keeps its identity"
    )
    for first, last in found.holes:
        at = f"position {first:,}" if first == last else f"positions {first:,} to {last:,}"
        yield f"  lost: {at}, which had not been sent when later ones were; no reader took it"


def built_again(reader: str, found: BuiltAgain) -> Iterator[str]:
    """What was done for a reader, and which decisions stand on nothing now."""
    if not found.topics:
        yield f"{reader}: nothing to do, every log is the one that it took events of"
    for topic, events in found.topics.items():
        yield f"{reader}: goes on with {topic} after the {events:,} events that both logs have"
    for row in found.orphans:
        yield (
            f"  {row['type']} {row['event_id']} at position {row['position']:,} rests on event"
            f" {row['causation_id']}, which no log has any more: look whether to correct it"
        )
