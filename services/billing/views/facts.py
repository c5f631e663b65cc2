"""The facts charges rest on, and the packed timelines folded from them in the same transaction.

A contract's timeline is folded under its row's lock from all facts committed by then, so whichever
of several readers takes the lock last sees them all, whatever came first. Facts of a customer or an
account concern several contracts: who adds one, or a contract of theirs, locks them first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from libs.events.database import Connection
from libs.events.envelope import Envelope, Event, Recorded
from libs.events.registry import EVENTS
from libs.events.vocabulary.billing import AccountOpened
from libs.events.vocabulary.contracts import ContractApplied
from libs.events.wire import as_told, shape_of
from services.billing.domain.account import account_of
from services.billing.domain.fold import fold
from services.billing.domain.timeline import Fact, pack
from services.billing.facts import subject_of


async def keep_facts(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    """Keep the facts among `events` and fold every timeline they concern anew.

    The effect of the reader of other contexts' topics, and of the view that follows the own log.
    """
    facts = [(subject, e) for e in events if (subject := subject_of(e.event)) is not None]
    opened = [e.event for e in events if isinstance(e.event, AccountOpened)]
    if not facts and not opened:
        return
    await _insert_facts(connection, facts)
    touched = _touched(facts, opened=opened)
    await _lock_shared(connection, sorted(touched.shared))
    contracts = set(touched.contracts)
    contracts.update(await _contracts_of(connection, sorted(touched.shared)))
    await _begin_rows(connection, touched, contract_ids=sorted(contracts))
    await _fold_rows(connection, sorted(contracts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touched:
    """Contracts with new facts, and what they share facts with; customers and accounts as said."""

    contracts: frozenset[UUID]
    shared: frozenset[UUID]
    customers: dict[UUID, UUID]
    accounts: dict[UUID, UUID]


def _touched(
    facts: Iterable[tuple[UUID, Recorded[Event]]], *, opened: Iterable[AccountOpened]
) -> _Touched:
    contracts: set[UUID] = set()
    shared: set[UUID] = set()
    customers: dict[UUID, UUID] = {}
    accounts: dict[UUID, UUID] = {}
    for subject, recorded in facts:
        event = recorded.event
        if isinstance(event, ContractApplied):
            customers[event.contract_id] = event.customer_id
            shared.update((event.customer_id, account_of(event.contract_id)))
        (contracts if getattr(event, "contract_id", None) == subject else shared).add(subject)
    for event in opened:
        contracts.update(event.contract_ids)
        shared.add(event.account_id)
        accounts.update(dict.fromkeys(event.contract_ids, event.account_id))
    return _Touched(
        contracts=frozenset(contracts),
        shared=frozenset(shared),
        customers=customers,
        accounts=accounts,
    )


INSERT_FACTS = """
INSERT INTO fact (context, log_epoch, position, stream_id, version, partition, sequence, event_id,
    subject_id, type, recorded_at, correlation_id, causation_id, actor, traceparent, data)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::integer[],
    $6::smallint[], $7::bigint[], $8::uuid[], $9::uuid[], $10::text[], $11::timestamptz[],
    $12::uuid[], $13::uuid[], $14::text[], $15::text[], $16::bytea[])
ON CONFLICT ON CONSTRAINT fact_once DO NOTHING
"""


async def _insert_facts(
    connection: Connection, facts: Iterable[tuple[UUID, Recorded[Event]]]
) -> None:
    rows = sorted((_row(recorded, subject) for subject, recorded in facts), key=lambda row: row[:3])
    if rows:
        await connection.execute(INSERT_FACTS, *zip(*rows, strict=True))


def _row(recorded: Recorded[Event], subject: UUID) -> tuple[object, ...]:
    at = recorded.envelope
    return (
        at.context,
        at.log_epoch,
        at.position,
        at.stream_id,
        at.version,
        at.partition,
        at.sequence,
        at.event_id,
        subject,
        recorded.event.type,
        at.recorded_at,
        at.correlation_id,
        at.causation_id,
        at.actor,
        at.traceparent,
        _without_personal(recorded.event),
    )


def _without_personal(event: Event) -> bytes:
    """The event as JSON; charges rest on no personal field, so none is kept here to be forgotten."""
    return as_told(event, without=shape_of(type(event)).personal)


INSERT_SHARED = """
INSERT INTO fact_subject (subject_id) SELECT unnest($1::uuid[])
ON CONFLICT ON CONSTRAINT fact_subject_once DO NOTHING
"""
LOCK_SHARED = """
SELECT subject_id FROM fact_subject WHERE subject_id = ANY($1) ORDER BY subject_id FOR UPDATE
"""


async def _lock_shared(connection: Connection, subject_ids: Sequence[UUID]) -> None:
    await connection.execute(INSERT_SHARED, subject_ids)
    await connection.fetch(LOCK_SHARED, subject_ids)


FIND_CONTRACTS_OF = """
SELECT contract_id FROM contract_timeline WHERE customer_id = ANY($1) OR account_id = ANY($1)
"""


async def _contracts_of(connection: Connection, subject_ids: Sequence[UUID]) -> list[UUID]:
    rows = await connection.fetch(FIND_CONTRACTS_OF, subject_ids)
    return [UUID(int=row["contract_id"].int) for row in rows]


BEGIN_ROWS = """
INSERT INTO contract_timeline AS known (contract_id, customer_id, account_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
ON CONFLICT ON CONSTRAINT contract_timeline_once DO UPDATE
SET customer_id = coalesce(excluded.customer_id, known.customer_id),
    account_id = CASE WHEN excluded.account_id = ANY($4) THEN excluded.account_id
                      ELSE known.account_id END
"""


async def _begin_rows(
    connection: Connection, touched: _Touched, *, contract_ids: Sequence[UUID]
) -> None:
    """Lock the contracts' rows in order, new ones made; whose they are is noted once it is said."""
    await connection.execute(
        BEGIN_ROWS,
        contract_ids,
        [touched.customers.get(c) for c in contract_ids],
        [touched.accounts.get(c, account_of(c)) for c in contract_ids],
        sorted(set(touched.accounts.values())),
    )


FIND_FACTS = """
SELECT contract_timeline.contract_id, fact.*
FROM contract_timeline
JOIN fact ON fact.subject_id IN (contract_timeline.contract_id, contract_timeline.customer_id,
                                 contract_timeline.account_id)
WHERE contract_timeline.contract_id = ANY($1)
"""


async def find_facts(
    connection: Connection, contract_ids: Sequence[UUID]
) -> dict[UUID, list[Recorded[Event]]]:
    """All facts that concern these contracts, in no order."""
    found: dict[UUID, list[Recorded[Event]]] = defaultdict(list)
    for row in await connection.fetch(FIND_FACTS, contract_ids):
        found[_plain(row["contract_id"])].append(recorded_from(row))
    return found


def recorded_from(row: asyncpg.Record) -> Recorded[Event]:
    """A stored fact as its log held it."""
    envelope = Envelope(
        event_id=_plain(row["event_id"]),
        context=row["context"],
        log_epoch=_plain(row["log_epoch"]),
        stream_id=_plain(row["stream_id"]),
        version=row["version"],
        position=row["position"],
        partition=row["partition"],
        sequence=row["sequence"],
        recorded_at=row["recorded_at"],
        correlation_id=_plain(row["correlation_id"]),
        causation_id=None if row["causation_id"] is None else _plain(row["causation_id"]),
        actor=row["actor"],
        traceparent=row["traceparent"],
    )
    return Recorded(envelope, EVENTS[row["type"]].model_validate_json(row["data"]))


def _plain(found: UUID) -> UUID:
    """The driver's own kind of id as a plain one, which packs."""
    return UUID(int=found.int)


UPDATE_ROWS = """
UPDATE contract_timeline
SET service = folded.service, packed = folded.packed, facts = folded.facts,
    last_recorded_at = folded.last_recorded_at
FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::integer[], $5::timestamptz[])
    AS folded (contract_id, service, packed, facts, last_recorded_at)
WHERE contract_timeline.contract_id = folded.contract_id
"""


async def _fold_rows(connection: Connection, contract_ids: Sequence[UUID]) -> None:
    rows = []
    for contract_id, facts in (await find_facts(connection, contract_ids)).items():
        timeline = fold(Fact.of(recorded) for recorded in facts)
        last = max(recorded.envelope.recorded_at for recorded in facts)
        rows.append((contract_id, timeline.service, pack(timeline), len(facts), last))
    if rows:
        await connection.execute(UPDATE_ROWS, *zip(*rows, strict=True))
