"""The log with itself: no gap in positions, in partitions, in streams; heads where events end."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from libs.events.database import Connection, Pool, Row
from libs.events.partition import partition_of
from libs.events.reconcile import Drift, Looked, Place
from libs.events.snapshot import identity_of, snapshot

_BACKUP = (
    "Stop the service's writers, keep the database as it is, and restore the log from its backup"
    " or from its topic"
)

AFTER_POSITION = """
SELECT position, recorded_at FROM event WHERE position > $1 ORDER BY position LIMIT $2
"""
KNOWN_HOLES = "SELECT first, last FROM known_hole WHERE last > $1 AND first <= $2 ORDER BY first"
LOG_HEAD = "SELECT position, recorded_at FROM log_head"
SENT = "SELECT position FROM relay_cursor"


_Run = tuple[int, int]
"""Numbers that follow on one another: the first and the last."""


class Positions:
    """Positions count up from one without a gap to the head, and recorded times never fall.

    The positions that a restore found to be empty for ever are no gap.
    """

    name = "log positions"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next positions."""
        after: int = place.get("after", 0)
        async with snapshot(self._pool) as connection:
            identity = await identity_of(connection)
            rows = await connection.fetch(AFTER_POSITION, after, limit)
            end = rows[-1]["position"] if rows else after
            holes = await connection.fetch(KNOWN_HOLES, after, end)
            head = await connection.fetchrow(LOG_HEAD)
            sent = await connection.fetchval(SENT)
        assert head is not None
        before = None if identity.rehearsal else _instant(place.get("recorded_at"))
        known = [(hole["first"], hole["last"]) for hole in holes]
        found = list(self._gaps(rows, after=after, known=known))
        if not identity.rehearsal:
            found += self._backwards(rows, before=before)
        if len(rows) == limit:
            follows = {"after": end, "recorded_at": rows[-1]["recorded_at"].isoformat()}
            return Looked(found, len(rows), follows)
        if end != head["position"]:
            found.append(
                _drift(
                    self.name,
                    "log_head",
                    f"says that the last event is at {head['position']}, and it is at {end}",
                )
            )
        if sent > head["position"]:
            found.append(
                _drift(
                    self.name,
                    "relay_cursor",
                    f"says that events up to {sent} were sent, and the log ends at"
                    f" {head['position']}",
                )
            )
        return Looked(found, len(rows), None)

    def _gaps(self, rows: Sequence[Row], *, after: int, known: Sequence[_Run]) -> Iterator[Drift]:
        expected = after + 1
        for row in rows:
            for first, last in _without((expected, row["position"] - 1), known):
                yield _drift(
                    self.name,
                    f"position {first}",
                    f"{_missing(first, last + 1)} missing from the log",
                    since=row["recorded_at"],
                )
            expected = row["position"] + 1

    def _backwards(self, rows: Sequence[Row], *, before: datetime | None) -> Iterator[Drift]:
        for row in rows:
            if before is not None and row["recorded_at"] < before:
                yield _drift(
                    self.name,
                    f"position {row['position']}",
                    "was recorded before the event before it",
                    since=row["recorded_at"],
                )
            before = row["recorded_at"]


AFTER_SEQUENCE = """
SELECT sequence, stream_id, recorded_at FROM event WHERE partition = $1 AND sequence > $2
ORDER BY sequence LIMIT $3
"""
PARTITION_HEAD = "SELECT sequence FROM partition_head WHERE partition = $1"


class Sequences:
    """Sequences count up from one without a gap in each partition, which is the stream's own."""

    name = "log sequences"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next sequences of a partition."""
        partition: int = place.get("partition", 0)
        after: int = place.get("after", 0)
        async with snapshot(self._pool) as connection:
            identity = await identity_of(connection)
            rows = await connection.fetch(AFTER_SEQUENCE, partition, after, limit)
            head = await connection.fetchval(PARTITION_HEAD, partition)
        found = list(self._wrong(rows, partition=partition, after=after, of=identity.partitions))
        if len(rows) == limit:
            return Looked(found, len(rows), {"partition": partition, "after": rows[-1]["sequence"]})
        end = rows[-1]["sequence"] if rows else after
        if end != head:
            found.append(
                _drift(
                    self.name,
                    f"partition {partition}",
                    f"has the head {head}, and its last event has the sequence {end}",
                )
            )
        more = partition + 1 < identity.partitions
        return Looked(found, len(rows), {"partition": partition + 1} if more else None)

    def _wrong(
        self, rows: Sequence[Row], *, partition: int, after: int, of: int
    ) -> Iterator[Drift]:
        expected = after + 1
        for row in rows:
            place = f"partition {partition}, sequence {row['sequence']}"
            if row["sequence"] != expected:
                yield _drift(
                    self.name,
                    place,
                    f"{_missing(expected, row['sequence'])} missing before it",
                    since=row["recorded_at"],
                )
            if partition_of(row["stream_id"], partitions=of) != partition:
                yield _drift(
                    self.name,
                    place,
                    f"stream {row['stream_id']} belongs in another partition",
                    since=row["recorded_at"],
                )
            expected = row["sequence"] + 1


AFTER_STREAM = """
SELECT stream_id, version, position, recorded_at FROM event
WHERE (stream_id, version) > ($1, $2::integer)
ORDER BY stream_id, version LIMIT $3
"""


class Versions:
    """Versions of a stream count up from one without a gap, and so do their positions."""

    name = "stream versions"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next events by stream and version."""
        before = (
            UUID(place.get("stream_id", str(UUID(int=0)))),
            int(place.get("version", 0)),
            int(place.get("position", 0)),
        )
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(AFTER_STREAM, *before[:2], limit)
        found = list(self._wrong(rows, before=before))
        if len(rows) < limit:
            return Looked(found, len(rows), None)
        last = rows[-1]
        follows = {
            "stream_id": str(last["stream_id"]),
            "version": last["version"],
            "position": last["position"],
        }
        return Looked(found, len(rows), follows)

    def _wrong(self, rows: Sequence[Row], *, before: tuple[UUID, int, int]) -> Iterator[Drift]:
        stream_id, version, position = before
        for row in rows:
            if row["stream_id"] != stream_id:
                stream_id, version, position = row["stream_id"], 0, 0
            if row["version"] != version + 1:
                yield _drift(
                    self.name,
                    f"stream {stream_id}",
                    f"version {row['version']} follows on version {version}",
                    since=row["recorded_at"],
                )
            if row["position"] <= position:
                yield _drift(
                    self.name,
                    f"stream {stream_id}",
                    f"version {row['version']} stands before version {version} in the log",
                    since=row["recorded_at"],
                )
            version, position = row["version"], row["position"]


def log_checks(pool: Pool) -> tuple[Positions, Sequences, Versions]:
    """All checks of a log with itself."""
    return Positions(pool), Sequences(pool), Versions(pool)


async def sent_sequences(connection: Connection) -> dict[int, int]:
    """Per partition the last sequence that the relay has sent."""
    sent = await connection.fetchval(SENT)
    return {
        row["partition"]: row["sequence"] for row in await connection.fetch(SENT_SEQUENCES, sent)
    }


SENT_SEQUENCES = """
SELECT p.partition, coalesce(last.sequence, 0) AS sequence
FROM partition_head p
LEFT JOIN LATERAL (
    SELECT sequence FROM event WHERE partition = p.partition AND position <= $1
    ORDER BY sequence DESC LIMIT 1
) AS last ON true
"""


def _without(run: _Run, known: Sequence[_Run]) -> Iterator[_Run]:
    """What is left of a run when known ones, in order, are taken out of it."""
    first, last = run
    for begin, end in known:
        if begin <= last and end >= first:
            if first < begin:
                yield first, begin - 1
            first = end + 1
    if first <= last:
        yield first, last


def _missing(first: int, seen: int) -> str:
    last = seen - 1
    return f"{first} is" if last == first else f"{first} to {last} are"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _drift(check: str, place: str, what: str, *, since: datetime | None = None) -> Drift:
    return Drift(
        check=check,
        place=place,
        what=what,
        since=None if since is None else since.isoformat(),
        advice=_BACKUP,
    )
