"""Acknowledged = in the log: each command's event once, in order, and nothing that nobody asked."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from aiokafka.partitioner import murmur2

from cli.chaos.evidence import Evidence, Row
from cli.chaos.journal import Entry
from cli.chaos.outcome import Outcome

_STALE = 412
_BY_THE_CLOCK = "-scheduler"
_PARTITIONS = 12


def count_log(evidence: Evidence, outcome: Outcome) -> None:
    """Compare the journal with the logs, and each log with itself."""
    acknowledged = [one for one in evidence.journal if one.outcome == "acknowledged"]
    refused = [one for one in evidence.journal if one.outcome == "refused"]
    outcome.count("commands acknowledged", len(acknowledged))
    outcome.count("of them answered again under their key", sum(o.replayed for o in acknowledged))
    outcome.count("commands refused", len(refused))
    made = _made(evidence.events)
    outcome.wrong(
        "acknowledged commands without exactly their one event in the log",
        (words for entry in acknowledged for words in _not_once(entry, made)),
    )
    outcome.wrong(
        "answers that name another place in the log than their event's",
        (words for entry in acknowledged for words in _elsewhere(entry, made)),
    )
    outcome.wrong(
        "refused commands whose events are in the log",
        (_name(entry) for entry in refused if made.get((entry.context, entry.correlation))),
    )
    asked = {entry.correlation for entry in acknowledged}
    outcome.wrong(
        "events of no acknowledged command",
        (
            f"{context} {row['position']} {row['type']}"
            for context, rows in evidence.events.items()
            for row in rows
            if str(row["correlation_id"]) not in asked
        ),
    )
    _count_contests(evidence.journal, outcome)
    for context, rows in evidence.events.items():
        outcome.count(f"events in the log of {context}", len(rows))
        outcome.wrong(f"the log of {context} is not in order", _disorder(rows))
        outcome.wrong(
            f"the log of {context} and its heads disagree",
            _heads_off(rows, evidence=evidence, context=context),
        )


Made = Mapping[tuple[str, str], Sequence[Row]]


def _made(events: Mapping[str, Sequence[Row]]) -> Made:
    """By context and correlation, the events that commands made themselves.

    What reactions made has a cause; what became due and was run by the clock has an actor that
    says so.
    """
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for context, rows in events.items():
        for row in rows:
            if row["causation_id"] is None and not row["actor"].endswith(_BY_THE_CLOCK):
                found[context, str(row["correlation_id"])].append(row)
    return found


def _not_once(entry: Entry, made: Made) -> Iterator[str]:
    rows = made.get((entry.context, entry.correlation), ())
    times = sum(row["type"] == entry.makes for row in rows)
    if times != 1:
        yield f"{_name(entry)} has {times} times {entry.makes}"


def _elsewhere(entry: Entry, made: Made) -> Iterator[str]:
    """An answer with a version speaks of the last event of its append."""
    rows = made.get((entry.context, entry.correlation), ())
    if entry.version is None or not rows:
        return
    last = max(rows, key=lambda row: row["position"])
    if (last["position"], last["version"]) != (entry.position, entry.version):
        said = f"position {entry.position} version {entry.version}"
        yield f"{_name(entry)} said {said}, not {last['position']} and {last['version']}"


def _count_contests(journal: Sequence[Entry], outcome: Outcome) -> None:
    contests: dict[str, list[Entry]] = defaultdict(list)
    for entry in journal:
        if entry.contest is not None:
            contests[entry.contest].append(entry)
    outcome.count("contests for one version of a stream", len(contests))
    outcome.wrong(
        "contests that were not won by exactly one",
        (
            f"{_name(entries[0])} by {won} of {len(entries)}"
            for entries in contests.values()
            if (won := sum(entry.outcome == "acknowledged" for entry in entries)) != 1
            and (won or any(entry.status == _STALE for entry in entries))
        ),
    )


def _disorder(rows: Sequence[Row]) -> Iterator[str]:
    """Positions, versions of each stream and sequences of each partition count from 1 by ones."""
    versions: Counter[object] = Counter()
    sequences: Counter[int] = Counter()
    recorded_at = None
    for position, row in enumerate(rows, start=1):
        stream, partition = row["stream_id"], row["partition"]
        versions[stream] += 1
        sequences[partition] += 1
        if row["position"] != position:
            yield f"position {row['position']} stands where {position} should"
            return
        if row["version"] != versions[stream]:
            yield f"position {position} has version {row['version']}, not {versions[stream]}"
        if row["sequence"] != sequences[partition]:
            yield f"position {position} has sequence {row['sequence']}, not {sequences[partition]}"
        if partition != (murmur2(str(stream).encode()) & 0x7FFFFFFF) % _PARTITIONS:
            yield f"position {position} is in partition {partition}, not its stream's"
        if recorded_at is not None and row["recorded_at"] < recorded_at:
            yield f"position {position} was recorded before the one before it"
        recorded_at = row["recorded_at"]


def _heads_off(rows: Sequence[Row], *, evidence: Evidence, context: str) -> Iterator[str]:
    standing = evidence.standings[context]
    if standing.head != len(rows):
        yield f"{len(rows)} events, head {standing.head}"
    counted = Counter(row["partition"] for row in rows)
    for partition, sequence in standing.sequences.items():
        if sequence != counted[partition]:
            yield f"partition {partition} has {counted[partition]} events, head {sequence}"


def _name(entry: Entry) -> str:
    return f"{entry.context} {entry.operation} of case {entry.correlation}"
