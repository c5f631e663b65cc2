"""The independent counter, on evidence in which one thing is wrong."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from cli.chaos.count import count
from cli.chaos.evidence import TABLES, Evidence, Record, Row
from cli.chaos.journal import Entry
from cli.chaos.rest import READERS, Standing

CONTRACT, ACCOUNT, CUSTOMER = UUID(int=1), UUID(int=2), UUID(int=3)
CASE, REFUSED = UUID(int=10), UUID(int=11)
APPLIED, OPENED = UUID(int=20), UUID(int=21)
EPOCH = str(UUID(int=30))
AT = datetime(2026, 4, 1, tzinfo=UTC)
PARTITIONS = {CONTRACT: 2, ACCOUNT: 5}  # murmur2 of the id's text, of twelve


def _event(event_id: UUID, stream_id: UUID, type_name: str, **data: object) -> dict[str, Any]:
    return {
        "position": 1,
        "stream_id": stream_id,
        "version": 1,
        "partition": PARTITIONS[stream_id],
        "sequence": 1,
        "event_id": event_id,
        "type": type_name,
        "recorded_at": AT,
        "correlation_id": CASE,
        "causation_id": None,
        "actor": "someone",
        "traceparent": None,
        "data": json.dumps(data).encode(),
    }


def _record(row: Row, context: str) -> Record:
    headers = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": row["event_id"],
        "ce_source": f"/yakkan/{context}",
        "ce_type": row["type"],
        "ce_subject": row["stream_id"],
        "ce_time": row["recorded_at"].isoformat(),
        "ce_version": row["version"],
        "ce_position": row["position"],
        "ce_sequence": row["sequence"],
        "ce_logepoch": EPOCH,
        "ce_correlationid": row["correlation_id"],
        "ce_actor": row["actor"],
        "ce_causationid": row["causation_id"],
    }
    return Record(
        partition=row["partition"],
        offset=0,
        key=str(row["stream_id"]).encode(),
        value=row["data"],
        headers=tuple(
            (name, str(value).encode()) for name, value in headers.items() if value is not None
        ),
    )


def _entry(**fields: Any) -> Entry:
    values: dict[str, Any] = {
        "context": "contracts",
        "operation": "apply",
        "correlation": str(CASE),
        "key": "a",
        "makes": "contracts.contract-applied.v1",
        "outcome": "acknowledged",
        "status": 201,
        "attempts": 1,
        "at_seconds": 1.0,
        "position": 1,
        "version": 1,
    }
    return Entry(**{**values, **fields})


def _standing(service: str, events: Mapping[str, Sequence[Row]]) -> Standing:
    head = len(events[service])
    return Standing(
        head=head,
        sent=head,
        sequences={row["partition"]: 1 for row in events[service]},
        taken={
            (reader, source, row["partition"]): 1
            for reader, sources in READERS[service].items()
            for source in sources
            for row in events[source]
        },
        views=dict.fromkeys(("contracts", "deadlines", "dunning", "books", "sites"), head)
        | {"notices": head},
        parked=0,
        skipped=0,
        unfinished=0,
        due=0,
    )


def some_evidence() -> Evidence:
    """An application that opened its account, and a command that was refused."""
    applied = _event(APPLIED, CONTRACT, "contracts.contract-applied.v1", service="MYSEC")
    opened = _event(OPENED, ACCOUNT, "billing.account-opened.v1", account_id=str(ACCOUNT)) | {
        "causation_id": APPLIED
    }
    events: dict[str, Sequence[Row]] = {
        "contracts": [applied],
        "billing": [opened],
        "monitoring": [],
        "notifications": [],
    }
    tables: dict[str, dict[str, Sequence[Row]]] = {
        service: {name: [] for name in names} for service, names in TABLES.items()
    }
    tables["contracts"]["contract"] = [
        {"contract_id": CONTRACT, "state": "under-review", "version": 1}
    ]
    tables["billing"]["billing_account"] = [{"account_id": ACCOUNT}]
    tables["billing"]["fact"] = [
        {**applied, "context": "contracts", "log_epoch": UUID(EPOCH), "subject_id": CONTRACT}
    ]
    tables["billing"]["contract_timeline"] = [
        {"contract_id": CONTRACT, "customer_id": CUSTOMER, "account_id": ACCOUNT, "facts": 1}
    ]
    return Evidence(
        journal=[
            _entry(contest="x"),
            _entry(correlation=str(REFUSED), outcome="refused", status=412, contest="x"),
        ],
        epochs=dict.fromkeys(events, EPOCH),
        events=events,
        records={context: [_record(row, context) for row in events[context]] for context in events},
        standings={service: _standing(service, events) for service in events},
        tables=tables,
        mails=[],
    )


def test_nothing_is_complained_of_where_nothing_is_wrong() -> None:
    outcome = count(some_evidence())
    assert outcome.complaints == []
    assert outcome.counts["commands acknowledged"] == 1
    assert outcome.counts["commands refused"] == 1


def _with_table(found: Evidence, service: str, table: str, rows: Sequence[Row]) -> Evidence:
    tables = {name: dict(held) for name, held in found.tables.items()}
    tables[service][table] = rows
    return replace(found, tables=tables)


def _with_event(found: Evidence, **fields: object) -> Evidence:
    changed = {**found.events["contracts"][0], **fields}
    return replace(found, events={**found.events, "contracts": [changed]})


def _with_record(found: Evidence, *records: Record) -> Evidence:
    return replace(found, records={**found.records, "contracts": records})


def _with_entry(found: Evidence, **fields: Any) -> Evidence:
    first, *others = found.journal
    return replace(found, journal=[msgspec.structs.replace(first, **fields), *others])


def _of_contracts(found: Evidence, **fields: Any) -> Record:
    return replace(found.records["contracts"][0], **fields)


def _with_standing(found: Evidence, service: str, **fields: Any) -> Evidence:
    changed = replace(found.standings[service], **fields)
    return replace(found, standings={**found.standings, service: changed})


Doctor = Callable[[Evidence], Evidence]


@pytest.mark.parametrize(
    ("doctor", "complaint"),
    [
        pytest.param(
            lambda found: replace(found, events={**found.events, "contracts": []}),
            "acknowledged commands without exactly their one event in the log",
            id="an acknowledged event is not in the log",
        ),
        pytest.param(
            lambda found: _with_entry(found, position=2),
            "answers that name another place in the log than their event's",
            id="an answer names another position",
        ),
        pytest.param(
            lambda found: _with_entry(found, outcome="refused", status=409),
            "refused commands whose events are in the log",
            id="a refused command was carried out",
        ),
        pytest.param(
            lambda found: _with_event(found, correlation_id=UUID(int=99)),
            "events of no acknowledged command",
            id="an event nobody asked for",
        ),
        pytest.param(
            lambda found: replace(
                found, journal=[*found.journal, _entry(contest="x", correlation=str(REFUSED))]
            ),
            "contests that were not won by exactly one",
            id="two won one version",
        ),
        pytest.param(
            lambda found: replace(
                found,
                journal=[msgspec.structs.replace(found.journal[0], contest=None), found.journal[1]],
            ),
            "contests that were not won by exactly one",
            id="somebody was stale and nobody won",
        ),
        pytest.param(
            lambda found: _with_event(found, version=2),
            "the log of contracts is not in order",
            id="a stream begins with its second event",
        ),
        pytest.param(
            lambda found: _with_event(found, sequence=2),
            "the log of contracts is not in order",
            id="a partition of the log has a gap",
        ),
        pytest.param(
            lambda found: _with_standing(found, "contracts", head=2, sent=2),
            "the log of contracts and its heads disagree",
            id="the head counts an event that is not there",
        ),
        pytest.param(
            _with_record,
            "the topic of contracts is not as its log says: event 1",
            id="an event is not on the topic",
        ),
        pytest.param(
            lambda found: _with_record(found, _of_contracts(found, value=b"{}")),
            "the topic of contracts is not as its log says: event 1 has another value",
            id="a record has another value",
        ),
        pytest.param(
            lambda found: _with_record(found, _of_contracts(found, key=b"other")),
            "the topic of contracts is not as its log says: event 1 has another key",
            id="a record has another key",
        ),
        pytest.param(
            lambda found: _with_record(
                found,
                _of_contracts(
                    found,
                    headers=tuple(
                        (name, b"other" if name == "ce_actor" else value)
                        for name, value in found.records["contracts"][0].headers
                    ),
                ),
            ),
            "the topic of contracts is not as its log says: event 1 has another headers",
            id="a record has another header",
        ),
        pytest.param(
            lambda found: _with_record(
                found, _of_contracts(found), _of_contracts(found, offset=1, value=b"{}")
            ),
            "the topic of contracts is not in order: partition 2 offset 1 repeats",
            id="a repeat says something else",
        ),
        pytest.param(
            lambda found: _with_record(
                found,
                _of_contracts(found),
                _of_contracts(found, offset=1, headers=(("ce_sequence", b"3"),)),
            ),
            "the topic of contracts is not in order: partition 2 offset 1 has sequence 3 where 2",
            id="the topic has a gap",
        ),
        pytest.param(
            lambda found: _with_table(found, "billing", "fact", []),
            "facts kept by billing: missing",
            id="a fact was not kept",
        ),
        pytest.param(
            lambda found: _with_table(
                found, "billing", "fact", [{**found.tables["billing"]["fact"][0], "version": 9}]
            ),
            "facts kept by billing that are not as their events",
            id="a fact is not as its event",
        ),
        pytest.param(
            lambda found: replace(found, events={**found.events, "billing": []}),
            "each contracts.contract-applied.v1 opens an account, once: missing",
            id="a reaction was not made",
        ),
        pytest.param(
            lambda found: replace(
                found, events={**found.events, "billing": [*found.events["billing"]] * 2}
            ),
            "each contracts.contract-applied.v1 opens an account, once: too many",
            id="a reaction was made twice",
        ),
        pytest.param(
            lambda found: _with_table(
                found,
                "billing",
                "contract_timeline",
                [{**found.tables["billing"]["contract_timeline"][0], "facts": 2}],
            ),
            "timelines that were folded from other facts than there are",
            id="a timeline was folded from a fact twice",
        ),
        pytest.param(
            lambda found: _with_table(
                found,
                "contracts",
                "contract",
                [{"contract_id": CONTRACT, "state": "under-review", "version": 0}],
            ),
            "contracts in the view at their last version: missing",
            id="a view is behind",
        ),
        pytest.param(
            lambda found: _with_standing(found, "billing", parked=1),
            "not at rest: billing has 1 events parked",
            id="an event is parked",
        ),
        pytest.param(
            lambda found: _with_standing(found, "contracts", sent=0),
            "not at rest: contracts has sent up to 0 of 1",
            id="the relay is behind",
        ),
        pytest.param(
            lambda found: _with_standing(found, "contracts", due=2),
            "not at rest: contracts has 2 deadlines due",
            id="a deadline is not met",
        ),
        pytest.param(
            lambda found: replace(found, mails=[f"<{UUID(int=5)}@yakkan.example>"]),
            "mails: too many",
            id="a mail of no notice",
        ),
    ],
)
def test_what_is_wrong_is_complained_of_in_words(doctor: Doctor, complaint: str) -> None:
    complaints = "\n".join(count(doctor(some_evidence())).complaints)
    assert complaint in complaints
