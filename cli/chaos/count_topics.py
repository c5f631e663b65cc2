"""In the log = on the topic: without repeats equal record by record, in order, without a gap."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cli.chaos.evidence import Evidence, Record, Row
from cli.chaos.outcome import Outcome

_HOP = "traceparent"
_FIXED = {"content-type": "application/json", "ce_specversion": "1.0"}


def count_topics(evidence: Evidence, outcome: Outcome) -> None:
    """Compare each topic with its log."""
    for context, rows in evidence.events.items():
        records = evidence.records[context]
        first, trouble = _without_repeats(records)
        outcome.count(f"records on the topic of {context}", len(records))
        outcome.count(f"of them repeats, {context}", len(records) - len(first))
        outcome.wrong(f"the topic of {context} is not in order", trouble)
        outcome.wrong(
            f"the topic of {context} is not as its log says",
            _differences(rows, first, context=context, epoch=evidence.epochs[context]),
        )


Numbered = Mapping[tuple[int, int], Record]


def _without_repeats(records: Sequence[Record]) -> tuple[Numbered, list[str]]:
    """The first record of each partition and sequence, and what a reader would stumble over."""
    first: dict[tuple[int, int], Record] = {}
    last: Counter[int] = Counter()
    trouble = []
    for record in records:
        at = f"partition {record.partition} offset {record.offset}"
        try:
            sequence = int(dict(record.headers)["ce_sequence"])
        except (KeyError, ValueError):
            trouble.append(f"{at} has no sequence")
            continue
        place = record.partition, sequence
        if place in first:
            if _content(record) != _content(first[place]):
                trouble.append(f"{at} repeats sequence {sequence} with another content")
            continue
        if sequence != last[record.partition] + 1:
            expected = last[record.partition] + 1
            trouble.append(f"{at} has sequence {sequence} where {expected} should be")
        first[place] = record
        last[record.partition] = sequence
    return first, trouble


def _content(record: Record) -> tuple[object, ...]:
    """All of a record but the hop, which each sending has of its own."""
    headers = [header for header in record.headers if header[0] != _HOP]
    return record.key, record.value, sorted(headers)


def _differences(
    rows: Sequence[Row], first: Numbered, *, context: str, epoch: str
) -> Iterator[str]:
    missing = dict(first)
    for row in rows:
        record = missing.pop((row["partition"], row["sequence"]), None)
        if record is None:
            yield f"event {row['position']} ({row['type']}) is not there"
            continue
        expected = (
            str(row["stream_id"]).encode(),
            row["data"],
            sorted(_headers(row, context=context, epoch=epoch)),
        )
        names = ("key", "value", "headers")
        for name, there, here in zip(names, _content(record), expected, strict=True):
            if there != here:
                yield f"event {row['position']} has another {name} there"
    for partition, sequence in missing:
        yield f"partition {partition} has sequence {sequence}, which no event has"


def _headers(row: Row, *, context: str, epoch: str) -> list[tuple[str, bytes]]:
    """The headers that the published contract asks for."""
    values = {
        **_FIXED,
        "ce_id": row["event_id"],
        "ce_source": f"/yakkan/{context}",
        "ce_type": row["type"],
        "ce_subject": row["stream_id"],
        "ce_time": row["recorded_at"].isoformat(),
        "ce_version": row["version"],
        "ce_position": row["position"],
        "ce_sequence": row["sequence"],
        "ce_logepoch": epoch,
        "ce_correlationid": row["correlation_id"],
        "ce_actor": row["actor"],
        "ce_causationid": row["causation_id"],
        "ce_traceparent": row["traceparent"],
    }
    return [(name, str(value).encode()) for name, value in values.items() if value is not None]
