"""What must agree in notifications: its log, its view, what it was told, what it said of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from libs.dates.japan import japan_date
from libs.events.database import Connection, Pool, Row
from libs.events.envelope import Event, Recorded
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.reconcile import Check, Drift, Looked, Place
from libs.events.reconcile_log import log_checks
from libs.events.reconcile_topic import Sent, Taken
from libs.events.reconcile_views import ViewRows
from libs.events.registry import EVENTS
from libs.events.shadow import View
from libs.events.snapshot import snapshot
from libs.events.vocabulary.contracts import CustomerRegistered, PartyForgotten
from services.notifications.domain.notice import notice_id_of
from services.notifications.reactions import Occasion, occasion_of
from services.notifications.terms import NoticeTermsOf
from services.notifications.views import notices
from services.notifications.views.registry import views

_OWNERS = {"notice": "notice_id"}
_CONTACT = "contact"


def checks(
    *,
    pool: Pool,
    keys: Keys,
    bootstrap: str,
    own_topic: str,
    consumer: str,
    topics: Sequence[str],
    terms_of: NoticeTermsOf,
) -> tuple[Check, ...]:
    """All checks that rest on notifications' own database and on topics."""

    def views_on(_: Log) -> tuple[View, ...]:
        return views()

    async def wrong_kept(
        connection: Connection, events: Sequence[Recorded[Event]]
    ) -> Mapping[str, str]:
        return {
            **await wrong_recipients(connection, events),
            **await wrong_occasions(connection, events, terms_of=terms_of),
        }

    return (
        *log_checks(pool),
        ViewRows(notices.NAME, pool=pool, keys=keys, views=views_on, owners=_OWNERS),
        Told(pool, terms_of=terms_of),
        Sent(pool=pool, topic=own_topic, bootstrap=bootstrap),
        *(
            Taken(
                consumer=consumer,
                topic=topic,
                pool=pool,
                bootstrap=bootstrap,
                keys=keys,
                kept=wrong_kept,
            )
            for topic in topics
        ),
    )


FIND_RECIPIENTS = """
SELECT r.customer_id, r.forgotten, r.name IS NOT NULL OR r.email IS NOT NULL AS named,
    EXISTS (
        SELECT FROM captured_mail AS m
        WHERE m.customer_id = r.customer_id AND (m.address IS NOT NULL OR m.body IS NOT NULL)
    ) AS shown
FROM recipient AS r WHERE r.customer_id = ANY($1)
"""


async def wrong_recipients(
    connection: Connection, events: Sequence[Recorded[Event]]
) -> Mapping[str, str]:
    """Who is known is kept, and of who was forgotten nothing personal is, by event id."""
    known = {
        str(each.envelope.event_id): each.event.customer_id
        for each in events
        if isinstance(each.event, CustomerRegistered)
    }
    forgotten = {
        str(each.envelope.event_id): each.event.party_id
        for each in events
        if isinstance(each.event, PartyForgotten) and _CONTACT in each.event.retention_classes
    }
    rows = await connection.fetch(FIND_RECIPIENTS, [*known.values(), *forgotten.values()])
    kept = {row["customer_id"]: row for row in rows}
    wrong = {
        event_id: "whom it names is not kept as a recipient"
        for event_id, customer_id in known.items()
        if customer_id not in kept
    }
    for event_id, party_id in forgotten.items():
        if party_id in kept and (still := _still_there(kept[party_id])) is not None:
            wrong[event_id] = f"the party was forgotten, and {still}"
    return wrong


def _still_there(row: Row) -> str | None:
    if row["named"]:
        return "its name or address is kept all the same"
    if row["shown"]:
        return "a captured mail shows its address or text all the same"
    if not row["forgotten"]:
        return "the recipient is not marked so, that no mail goes out"
    return None


FIND_OCCASIONS = "SELECT event_id, type, data FROM occasion WHERE event_id = ANY($1)"
FIND_SERVICES = """
SELECT contract_id AS id, service FROM known_contract WHERE contract_id = ANY($1)
UNION ALL
SELECT invoice_id, service FROM known_invoice WHERE invoice_id = ANY($1)
"""


async def wrong_occasions(
    connection: Connection, events: Sequence[Recorded[Event]], *, terms_of: NoticeTermsOf
) -> Mapping[str, str]:
    """What is wrong with the occasions kept of these events, by event id.

    One of which nobody is told by the terms of its day need not be kept: it may have been taken
    before such events were occasions. Where the service is not known it must be.
    """
    told = [(each, found) for each in events if (found := occasion_of(each.event)) is not None]
    rows = await connection.fetch(FIND_OCCASIONS, [each.envelope.event_id for each, _ in told])
    kept = {row["event_id"]: EVENTS[row["type"]].model_validate_json(row["data"]) for row in rows}
    services = {
        row["id"]: row["service"]
        for row in await connection.fetch(FIND_SERVICES, [_bearer(found) for _, found in told])
    }
    wrong: dict[str, str] = {}
    for each, occasion in told:
        event_id = each.envelope.event_id
        if event_id in kept:
            if kept[event_id] != each.event:
                wrong[str(event_id)] = "what is kept to tell a customer is not what the event says"
            continue
        service = services.get(_bearer(occasion))
        if service is None or _rules(terms_of, service, each.event, each.envelope.recorded_at):
            wrong[str(event_id)] = "a customer is to be told of it, and it is not kept"
    return wrong


def _bearer(occasion: Occasion) -> UUID:
    """The contract or invoice whose service is the occasion's."""
    return occasion.invoice_id or occasion.contract_ids[0]


def _rules(
    terms_of: NoticeTermsOf, service: str, event: Event, recorded_at: datetime
) -> tuple[str, ...]:
    """The rules of the terms by which an event is told, as they are on the day of its recording."""
    terms = terms_of(service, japan_date(recorded_at))
    return () if terms is None else tuple(name for name, _ in terms.rules_for(event))


QUEUED = """
SELECT event_id, type, data, service, customer_id, recorded_at FROM occasion
WHERE queued AND event_id > $1 ORDER BY event_id LIMIT $2
"""
FIND_NOTICES = """
SELECT stream_id FROM event WHERE stream_id = ANY($1) AND version = 1
"""


class Told:
    """Of each occasion that was dealt with there is every notice that the terms ask for."""

    name = "notices asked for"

    def __init__(self, pool: Pool, *, terms_of: NoticeTermsOf) -> None:
        self._pool = pool
        self._terms_of = terms_of

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next occasions."""
        after = UUID(place.get("event_id", str(UUID(int=0))))
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(QUEUED, after, limit)
            asked = [
                (row, name, notice_id_of(name, because_of=row["event_id"], recipient=customer))
                for row in rows
                for customer in (row["customer_id"],)
                for name in _rules(
                    self._terms_of,
                    row["service"],
                    EVENTS[row["type"]].model_validate_json(row["data"]),
                    row["recorded_at"],
                )
            ]
            known = await connection.fetch(FIND_NOTICES, [notice_id for *_, notice_id in asked])
        there = {row["stream_id"] for row in known}
        found = [
            Drift(
                check=self.name,
                place=f"{row['type']} {row['event_id']}",
                what=f"the notice {name} was to be queued, and the log has none ({notice_id})",
                since=row["recorded_at"].isoformat(),
                advice="Find out who changed the log; to say it now, mark the occasion as not queued",
            )
            for row, name, notice_id in asked
            if notice_id not in there
        ]
        if len(rows) < limit:
            return Looked(found, len(rows), None)
        return Looked(found, len(rows), {"event_id": str(rows[-1]["event_id"])})
