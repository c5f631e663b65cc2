"""What must agree in contracts: its log, views, topic and reactions, and who has which line."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from uuid import UUID

from libs.events.database import Connection, Pool, Row
from libs.events.envelope import Event, Recorded
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.reconcile import Check, Drift, Looked, Place
from libs.events.reconcile_log import log_checks
from libs.events.reconcile_reactions import reacted
from libs.events.reconcile_topic import Sent
from libs.events.reconcile_views import ViewRows
from libs.events.shadow import View
from libs.events.snapshot import SnapshotLog, identity_of, snapshot
from libs.events.vocabulary.contracts import ContractApplied
from services.contracts.domain.facts import facts_of, life_of
from services.contracts.domain.terms import Terms
from services.contracts.reactions import READER, react
from services.contracts.reserving import reservation_of
from services.contracts.use_cases import LINE
from services.contracts.views import abolitions, contracts, deadlines, dunning, forgotten
from services.contracts.views.registry import views

_OWNERS = {
    "contract": "contract_id",
    "deadline": "stream_id",
    "dunning": "stream_id",
    "forgotten_party": "party_id",
    "abolition": "stream_id",
}
_VIEWS = (contracts.NAME, deadlines.NAME, dunning.NAME, forgotten.NAME, abolitions.NAME)


def checks(
    *,
    pool: Pool,
    keys: Keys,
    terms: Terms,
    bootstrap: str,
    own_topic: str,
    topics: Sequence[str],
) -> tuple[Check, ...]:
    """All checks that rest on the own database and on topics: its own, and those it decides on."""

    def views_on(log: Log) -> tuple[View, ...]:
        return views(log, terms=terms)

    return (
        *log_checks(pool),
        Lines(pool, keys=keys, terms=terms),
        *(ViewRows(name, pool=pool, keys=keys, views=views_on, owners=_OWNERS) for name in _VIEWS),
        Sent(pool=pool, topic=own_topic, bootstrap=bootstrap),
        *reacted(
            consumer=READER,
            topics=topics,
            react=react,
            pool=pool,
            bootstrap=bootstrap,
            keys=keys,
        ),
    )


STREAMS = """
SELECT stream_id FROM event WHERE version = 1 AND stream_id > $1 ORDER BY stream_id LIMIT $2
"""
HELD = """
SELECT value, owner, from_on, until_on FROM reservation
WHERE kind = $1 AND owner > $2 AND ($3::uuid IS NULL OR owner <= $3)
ORDER BY owner, value, from_on
"""
HEAD = "SELECT position FROM log_head"
_CONTRACTS = 200

_Line = tuple[str, str, str | None]


class Lines:
    """Lines belong to contracts as their events say: from when, and until when."""

    name = "lines of contracts"

    def __init__(self, pool: Pool, *, keys: Keys, terms: Terms) -> None:
        self._pool = pool
        self._keys = keys
        self._terms = terms

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the lines of the next streams, 200 at most."""
        after = UUID(place.get("stream_id", str(UUID(int=0))))
        size = min(limit, _CONTRACTS)
        async with snapshot(self._pool) as connection:
            ids = [row["stream_id"] for row in await connection.fetch(STREAMS, after, size)]
            more = len(ids) == size
            held = await connection.fetch(HELD, LINE, after, ids[-1] if more else None)
            wanted = await self._wanted(connection, ids)
        found = [
            Drift(
                check=self.name,
                place=f"contract {owner}",
                what=_told(wanted.get(owner), present),
                advice="The log is right: mend the reservation before another contract takes it",
            )
            for owner, present in _differing(wanted, held)
        ]
        return Looked(found, len(ids), {"stream_id": str(ids[-1])} if more else None)

    async def _wanted(self, connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, _Line]:
        log = SnapshotLog(
            connection,
            identity=await identity_of(connection),
            until=await connection.fetchval(HEAD),
            keys=self._keys,
        )
        events = sorted(
            await log.load_all(ids),
            key=lambda each: (each.envelope.stream_id, each.envelope.version),
        )
        return {
            stream_id: line
            for stream_id, history in groupby(events, key=lambda each: each.envelope.stream_id)
            if (line := self._line(list(history))) is not None
        }

    def _line(self, history: Sequence[Recorded[Event]]) -> _Line | None:
        if not isinstance(history[0].event, ContractApplied):
            return None
        held = reservation_of(life_of(facts_of(history)), terms=self._terms)
        if held is None:
            return None
        until = None if held.until_on is None else held.until_on.isoformat()
        return held.value, held.from_on.isoformat(), until


def _differing(
    wanted: Mapping[UUID, _Line], held: Sequence[Row]
) -> list[tuple[UUID, tuple[_Line, ...]]]:
    present: dict[UUID, tuple[_Line, ...]] = {}
    for row in held:
        until = row["until_on"]
        line = (row["value"], str(row["from_on"]), None if until is None else str(until))
        present[row["owner"]] = (*present.get(row["owner"], ()), line)
    return [
        (owner, present.get(owner, ()))
        for owner in sorted({*wanted, *present})
        if present.get(owner, ()) != ((wanted[owner],) if owner in wanted else ())
    ]


def _told(wanted: _Line | None, present: Sequence[_Line]) -> str:
    reserved = "; ".join(_words(line) for line in present) or "none"
    by_events = "none" if wanted is None else _words(wanted)
    return f"reserved is {reserved}, and the events say {by_events}"


def _words(line: _Line) -> str:
    value, from_on, until_on = line
    return f"{value} from {from_on}" + (f" until before {until_on}" if until_on else "")
