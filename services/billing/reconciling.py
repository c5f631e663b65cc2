"""What must agree in billing: its log, its views, the facts of others, the documents it issued."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from libs.events import view_cursors
from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.reconcile import Check, Drift, Looked, Place
from libs.events.reconcile_log import log_checks
from libs.events.reconcile_reactions import reacted
from libs.events.reconcile_topic import Sent, Taken
from libs.events.reconcile_views import ViewRows
from libs.events.shadow import View
from libs.events.snapshot import SnapshotLog, identity_of, snapshot
from libs.events.vocabulary.billing import CreditNoteIssued, DocumentsIssued, InvoiceIssued
from libs.events.wire import shape_of
from services.billing.domain.fold import fold
from services.billing.domain.issuer import ISSUER, NO_HASH, Numbered, document_hash
from services.billing.domain.timeline import Fact, pack
from services.billing.facts import subject_of
from services.billing.ports import Billing
from services.billing.reactions import READER, react
from services.billing.reconciling_charges import Billed
from services.billing.views.facts import find_facts, recorded_from
from services.billing.views.registry import views
from services.billing.views.timelines import BOOKS, FACTS

_OWNERS = {
    "billing_account": "account_id",
    "document": "account_id",
    "assessment": "contract_id",
    "invoice_run": "run_id",
    "payment": "account_id",
}
_BATCHES = 20
_CONTRACTS = 100


def checks(
    *,
    pool: Pool,
    billing_on: Callable[[Log], Billing],
    keys: Keys,
    bootstrap: str,
    own_topic: str,
    topics: Sequence[str],
    decides_on: Sequence[str],
) -> tuple[Check, ...]:
    """All checks that rest on billing's own database and on topics.

    `billing_on` gives what the views compute with, over the log it is given. Facts are kept of
    `topics`, and decided is on those of `decides_on`.
    """

    def views_on(log: Log) -> tuple[View, ...]:
        return views(billing_on(log))

    return (
        *log_checks(pool),
        ViewRows(BOOKS, pool=pool, keys=keys, views=views_on, owners=_OWNERS),
        OwnFacts(pool, keys=keys),
        TimelinesFolded(pool),
        Documents(pool, keys=keys),
        Billed(pool, keys=keys),
        Sent(pool=pool, topic=own_topic, bootstrap=bootstrap),
        *(
            Taken(
                consumer=FACTS,
                topic=topic,
                pool=pool,
                bootstrap=bootstrap,
                keys=keys,
                kept=wrong_facts,
            )
            for topic in topics
        ),
        *reacted(
            consumer=READER,
            topics=decides_on,
            react=react,
            pool=pool,
            bootstrap=bootstrap,
            keys=keys,
        ),
    )


FIND_KEPT = "SELECT * FROM fact WHERE event_id = ANY($1)"


async def wrong_facts(
    connection: Connection, events: Sequence[Recorded[Event]]
) -> Mapping[str, str]:
    """What is wrong with the facts kept of these events, by event id."""
    facts = [each for each in events if subject_of(each.event) is not None]
    ids = [each.envelope.event_id for each in facts]
    kept = {row["event_id"]: row for row in await connection.fetch(FIND_KEPT, ids)}
    wrong: dict[str, str] = {}
    for each in facts:
        row = kept.get(each.envelope.event_id)
        if row is None:
            wrong[str(each.envelope.event_id)] = "the fact is missing"
        elif _said(recorded_from(row).event) != _said(each.event):
            wrong[str(each.envelope.event_id)] = "the fact says something else than the event"
        elif recorded_from(row).envelope != each.envelope:
            wrong[str(each.envelope.event_id)] = "the fact has another envelope than the event"
        elif row["subject_id"] != subject_of(each.event):
            wrong[str(each.envelope.event_id)] = "the fact is kept for someone else"
    return wrong


def _said(event: Event) -> bytes:
    """What is kept of an event, in the shape of today: fields that came later are as if unsaid."""
    return event.model_dump_json(exclude=set(shape_of(type(event)).personal)).encode()


class OwnFacts:
    """Each own event that charges rest on is kept as a fact."""

    name = "own facts"

    def __init__(self, pool: Pool, *, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next events of the own log, as far as the view has come."""
        after: int = place.get("after", 0)
        async with snapshot(self._pool) as connection:
            log = await _log(connection, keys=self._keys)
            events = await log.read(after, limit=limit)
            wrong = await wrong_facts(connection, events)
        found = [
            Drift(
                check=self.name,
                place=f"position {each.envelope.position}",
                what=f"{each.event.type} {each.envelope.event_id}: {what}",
                since=each.envelope.recorded_at.isoformat(),
                advice="The log is right: make the facts anew from it",
            )
            for each in events
            if (what := wrong.get(str(each.envelope.event_id))) is not None
        ]
        if len(events) < limit:
            return Looked(found, len(events), None)
        return Looked(found, len(events), {"after": events[-1].envelope.position})


FIND_TIMELINES = """
SELECT contract_id, service, packed, facts, last_recorded_at FROM contract_timeline
WHERE contract_id > $1 ORDER BY contract_id LIMIT $2
"""


class TimelinesFolded:
    """Each packed timeline is what the kept facts fold to."""

    name = "timelines"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the timelines of the next contracts, 100 at most."""
        after = UUID(place.get("contract_id", str(UUID(int=0))))
        size = min(limit, _CONTRACTS)
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(FIND_TIMELINES, after, size)
            ids = [UUID(int=row["contract_id"].int) for row in rows]
            facts = await find_facts(connection, ids)
        found = [
            Drift(
                check=self.name,
                place=f"contract {row['contract_id']}",
                what=what,
                since=None if row["last_recorded_at"] is None else str(row["last_recorded_at"]),
                advice="The facts are right: let any new fact of the contract fold it anew",
            )
            for row, contract_id in zip(rows, ids, strict=True)
            if (what := _unlike(row, facts.get(contract_id, ()))) is not None
        ]
        more = len(rows) == size
        return Looked(found, len(rows), {"contract_id": str(ids[-1])} if more else None)


def _unlike(row: Any, facts: Sequence[Recorded[Event]]) -> str | None:
    if row["facts"] != len(facts):
        return f"the timeline was folded from {row['facts']} facts, and {len(facts)} are kept"
    if not facts:
        return None
    timeline = fold(Fact.of(recorded) for recorded in facts)
    if row["packed"] != pack(timeline) or row["service"] != timeline.service:
        return "the timeline is not what the facts fold to"
    return None


FIND_DOCUMENTS = """
SELECT credit_note, document, number FROM document WHERE number BETWEEN $1 AND $2 ORDER BY number
"""


class Documents:
    """Numbers have no gap, each document rests on the one before, and sums are of their lines."""

    name = "documents"

    def __init__(self, pool: Pool, *, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the documents of the next batches, 20 at most."""
        done: int = place.get("batches", 0)
        number: int = place.get("number", 0)
        before: str = place.get("hash", NO_HASH)
        found: list[Drift] = []
        looked = 0
        async with snapshot(self._pool) as connection:
            log = await _log(connection, keys=self._keys)
            history = await log.load(ISSUER)
            batches = [cast("DocumentsIssued", each.event) for each in history[done:]]
            for batch in batches[: min(limit, _BATCHES)]:
                rows = await connection.fetch(FIND_DOCUMENTS, batch.first_number, batch.last_number)
                documents = [_read(row) for row in rows]
                looked += len(documents)
                found += self._wrong(batch, documents, number=number, before=before)
                number, before = batch.last_number, batch.hash
        end = done + min(limit, _BATCHES)
        if end >= len(history):
            return Looked(found, looked, None)
        return Looked(found, looked, {"batches": end, "number": number, "hash": before})

    def _wrong(
        self, batch: DocumentsIssued, documents: Sequence[Numbered], *, number: int, before: str
    ) -> list[Drift]:
        where = f"batch {batch.batch} of run {batch.run_id}"
        found: list[Drift] = []
        if batch.first_number != number + 1 or batch.previous_hash != before:
            found.append(self._drift(where, "does not go on where the batch before it ended"))
        # Batches of old say nothing of their sums.
        total = sum(document.total for document in documents)
        if batch.invoices + batch.credit_notes and total != batch.total:
            what = f"its documents sum to {total} yen, not {batch.total}"
            found.append(self._drift(where, what))
        expected, last = batch.first_number, batch.previous_hash
        for document in documents:
            place = f"document {document.number}"
            if document.number != expected:
                missing = f"the numbers {expected} to {document.number - 1} are missing before it"
                found.append(self._drift(place, missing, since=document))
            if document.previous_hash != last:
                found.append(
                    self._drift(place, "does not rest on the one before it", since=document)
                )
            if document_hash(document) != document.hash:
                what = "its hash is not of what it says: it was changed after it was issued"
                found.append(self._drift(place, what, since=document))
            if (sums := _wrong_sums(document)) is not None:
                found.append(self._drift(place, sums, since=document))
            expected, last = document.number + 1, document.hash
        if expected != batch.last_number + 1:
            found.append(self._drift(where, f"the numbers from {expected} on are missing"))
        elif last != batch.hash:
            found.append(self._drift(where, "its last document has another hash"))
        return found

    def _drift(self, place: str, what: str, *, since: Numbered | None = None) -> Drift:
        return Drift(
            check=self.name,
            place=place,
            what=what,
            since=None if since is None else since.issued_on.isoformat(),
            advice=(
                "Compare it with the log and the topic, which hold it as it was issued; where only"
                f" the view differs, make the view {BOOKS} anew"
            ),
        )


def _read(row: Any) -> Numbered:
    declared = CreditNoteIssued if row["credit_note"] else InvoiceIssued
    return declared.model_validate_json(row["document"])


def _wrong_sums(document: Numbered) -> str | None:
    lines = sum(line.amount for line in document.lines)
    if lines != document.subtotal:
        return f"its lines sum to {lines} yen, and its subtotal is {document.subtotal}"
    tax = sum(one.tax for one in document.tax)
    if document.subtotal + tax != document.total:
        return f"its subtotal and tax sum to {document.subtotal + tax} yen, not {document.total}"
    return None


async def _log(connection: Connection, *, keys: Keys) -> SnapshotLog:
    """The own log as far as the view has come."""
    until = int(await connection.fetchval(view_cursors.LEVEL, BOOKS) or 0)
    identity = await identity_of(connection)
    return SnapshotLog(connection, identity=identity, until=until, keys=keys)
