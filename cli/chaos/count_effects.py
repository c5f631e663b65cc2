"""On the topic = in effect: whatever an event leads to in any service is there, and once."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from cli.chaos.evidence import Evidence, Row
from cli.chaos.outcome import Outcome
from cli.chaos.rest import still_moving

_NO_FACTS = frozenset(
    {
        "contracts.party-forgotten.v1",
        "contracts.dunning-started.v1",
        "contracts.suspension-proposed.v1",
        "contracts.dunning-ended.v1",
    }
)
_OWN_FACTS = frozenset({"billing.account-arranged.v1"})
_TOLD = (
    "contracts.contract-approved.v1",
    "contracts.contract-suspended.v1",
    "monitoring.device-swapped.v1",
    "billing.invoice-issued.v1",
    "billing.payment-late.v1",
)
_LEADS_TO = {
    ("contracts.contract-applied.v1", "billing.account-opened.v1"): "opens an account",
    ("contracts.contract-approved.v1", "monitoring.site-opened.v1"): "opens a site",
    ("contracts.contract-terminated.v1", "monitoring.site-closed.v1"): "closes the site",
}
_SAME = (
    "position",
    "stream_id",
    "version",
    "partition",
    "sequence",
    "type",
    "recorded_at",
    "correlation_id",
    "causation_id",
    "actor",
    "traceparent",
)


def count_effects(evidence: Evidence, outcome: Outcome) -> None:
    """Compare what every service made of the events with the events."""
    outcome.wrong("not at rest", still_moving(evidence.standings))
    by_type: dict[str, list[Row]] = defaultdict(list)
    for rows in evidence.events.values():
        for row in rows:
            by_type[row["type"]].append(row)
    _count_reactions(evidence, by_type, outcome)
    _count_facts(evidence, outcome)
    _count_timelines(evidence, outcome)
    _count_notices(evidence, by_type, outcome)
    _count_views(evidence, by_type, outcome)


ByType = Mapping[str, list[Row]]


def _count_reactions(evidence: Evidence, by_type: ByType, outcome: Outcome) -> None:
    for (cause, effect), words in _LEADS_TO.items():
        causes = [row["event_id"] for row in by_type[cause]]
        effects = [row["causation_id"] for row in by_type[effect]]
        outcome.count(f"{cause} that {words}", len(effects))
        _each_once(f"each {cause} {words}, once", effects, expected=causes, outcome=outcome)
    reactions = Counter(
        (context, row["type"], str(row["stream_id"]), str(row["causation_id"]), row["data"])
        for context, rows in evidence.events.items()
        for row in rows
        if row["causation_id"] is not None
    )
    outcome.wrong(
        "reactions made more than once",
        (f"{words[:-1]} {times} times" for words, times in reactions.items() if times > 1),
    )


def _count_facts(evidence: Evidence, outcome: Outcome) -> None:
    expected = {
        row["event_id"]: (context, row)
        for context in ("contracts", "monitoring", "billing")
        for row in evidence.events[context]
        if (row["type"] in _OWN_FACTS if context == "billing" else row["type"] not in _NO_FACTS)
    }
    facts = evidence.tables["billing"]["fact"]
    outcome.count("facts kept by billing", len(facts))
    _each_once(
        "facts kept by billing",
        (fact["event_id"] for fact in facts),
        expected=expected,
        outcome=outcome,
    )
    outcome.wrong(
        "facts kept by billing that are not as their events",
        (
            f"{row['type']} {row['event_id']}: {name}"
            for fact in facts
            if fact["event_id"] in expected
            for context, row in (expected[fact["event_id"]],)
            for name in _off(fact, row, context=context, epoch=evidence.epochs[context])
        ),
    )


def _off(fact: Row, row: Row, *, context: str, epoch: str) -> Iterator[str]:
    if (fact["context"], str(fact["log_epoch"])) != (context, epoch):
        yield "context or epoch"
    yield from (name for name in _SAME if fact[name] != row[name])
    event = {**json.loads(row["data"]), "type": row["type"]}
    for name, value in json.loads(fact["data"]).items():
        if not _alike(value, event.get(name)):
            yield name


def _alike(one: Any, other: Any) -> bool:
    """Whether two JSON values say the same; instants may be written in two ways."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[n], other[n]) for n in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except ValueError:
        return False


def _count_timelines(evidence: Evidence, outcome: Outcome) -> None:
    concerning = Counter(fact["subject_id"] for fact in evidence.tables["billing"]["fact"])
    timelines = evidence.tables["billing"]["contract_timeline"]
    outcome.count("timelines folded by billing", len(timelines))
    outcome.wrong(
        "timelines that were folded from other facts than there are",
        (
            f"contract {row['contract_id']}: {row['facts']} of {there}"
            for row in timelines
            if row["facts"]
            != (
                there := concerning[row["contract_id"]]
                + concerning[row["customer_id"]]
                + concerning[row["account_id"]]
            )
        ),
    )


def _count_notices(evidence: Evidence, by_type: ByType, outcome: Outcome) -> None:
    told = [row["event_id"] for name in _TOLD for row in by_type[name]]
    tables = evidence.tables["notifications"]
    queued = by_type["notifications.notice-queued.v1"]
    notices = [row["stream_id"] for row in queued]
    outcome.count("events that customers are told of", len(told))
    outcome.count("notices sent", len(by_type["notifications.notice-sent.v1"]))
    occasions = [row["event_id"] for row in tables["occasion"]]
    _each_once("occasions of notifications", occasions, expected=told, outcome=outcome)
    reasons = [row["because_of"] for row in tables["notice"]]
    _each_once("notices by their events", reasons, expected=told, outcome=outcome)
    sent = [row["stream_id"] for row in by_type["notifications.notice-sent.v1"]]
    _each_once("notices sent", sent, expected=notices, outcome=outcome)
    mails = {message_id.partition("@")[0].lstrip("<") for message_id in evidence.mails}
    outcome.count("mails, a repeat under one Message-ID not counted", len(mails))
    _each_once("mails", mails, expected=map(str, notices), outcome=outcome)
    outcome.wrong(
        "notices that the view does not call sent",
        (row["notice_id"] for row in tables["notice"] if row["state"] != "sent"),
    )


def _count_views(evidence: Evidence, by_type: ByType, outcome: Outcome) -> None:
    """Rows of the views by the events that make them."""
    versions = Counter(row["stream_id"] for row in evidence.events["contracts"])
    applied = {row["stream_id"] for row in by_type["contracts.contract-applied.v1"]}
    contracts = evidence.tables["contracts"]["contract"]
    outcome.count("contracts in the view", len(contracts))
    _each_once(
        "contracts in the view at their last version",
        ((row["contract_id"], row["version"]) for row in contracts),
        expected=((stream, versions[stream]) for stream in applied),
        outcome=outcome,
    )
    views = (
        ("billing", "billing_account", "account_id", "billing.account-opened.v1"),
        ("billing", "payment", "payment_id", "billing.payment-received.v1"),
        ("billing", "document", "document_id", "billing.invoice-issued.v1"),
        ("monitoring", "site", "contract_id", "monitoring.site-opened.v1"),
        ("monitoring", "outage", "outage_id", "monitoring.outage-recorded.v1"),
    )
    for service, table, column, made_by in views:
        rows = evidence.tables[service][table]
        outcome.count(f"rows of {service}'s {table}", len(rows))
        _each_once(
            f"rows of {service}'s {table} by their events",
            (str(row[column]) for row in rows),
            expected=(_named(row, column) for row in by_type[made_by]),
            outcome=outcome,
        )
    numbers = sorted(row["number"] for row in evidence.tables["billing"]["document"])
    if numbers != list(range(1, len(numbers) + 1)):
        outcome.wrong("the numbers of invoices have gaps or come twice", [numbers])


def _named(row: Row, column: str) -> str:
    """The id by which an event's row is kept: a field of the event."""
    data = json.loads(row["data"])
    name = {"document_id": "invoice_id"}.get(column, column)
    return str(data[name])


def _each_once(
    what: str, found: Iterable[object], *, expected: Iterable[object], outcome: Outcome
) -> None:
    """Complain unless every expected one was found exactly once, and nothing else."""
    counted, wanted = Counter(list(found)), Counter(list(expected))
    outcome.wrong(f"{what}: missing", _words(wanted - counted))
    outcome.wrong(f"{what}: too many", _words(counted - wanted))


def _words(found: Collection[object]) -> Iterator[str]:
    return (str(one) for one in found)
