"""The log of a context beside the facts that billing keeps of it: each there once, none besides."""

from libs.events.cursors import load_cursors
from libs.events.database import Pool
from libs.events.keys import Keys
from libs.events.log_sql import FIND_POSITION
from libs.events.reconcile import Drift, Looked, Place
from libs.events.reconcile_topic import SET_ASIDE
from libs.events.snapshot import SnapshotLog, identity_of, snapshot
from services.billing.facts import subject_of
from services.billing.reconciling import wrong_facts
from services.billing.views.timelines import FACTS

KEPT = """
SELECT position, event_id, type, recorded_at FROM fact
WHERE context = $1 AND log_epoch = $2 AND position > $3
    AND ($4::bigint IS NULL OR position <= $4)
ORDER BY position
"""

OF_OTHER_LOGS = """
SELECT log_epoch, count(*) AS facts FROM fact WHERE context = $1 AND log_epoch <> $2
GROUP BY log_epoch ORDER BY log_epoch
"""


class FactsOfLog:
    """Billing has every event of a context's log that charges rest on, once and as it is there.

    The facts are looked at before the log, so a fact's event is always in the log by then.
    """

    def __init__(
        self, context: str, *, source: Pool, billing: Pool, keys: Keys, topic: str
    ) -> None:
        self.name = f"facts of the log of {context}"
        self._context = context
        self._source = source
        self._billing = billing
        self._keys = keys
        self._topic = topic

    async def look(self, place: Place, *, limit: int) -> Looked:
        """Look at the next positions of the context's log."""
        after: int = place.get("after", 0)
        async with snapshot(self._billing) as here, snapshot(self._source) as there:
            cursors = {
                at.partition: cursor.sequence
                for at, cursor in (await load_cursors(here, FACTS)).items()
                if at.topic == self._topic
            }
            identity = await identity_of(there)
            head = await there.fetchval(FIND_POSITION)
            log = SnapshotLog(there, identity=identity, until=head, keys=self._keys)
            events = await log.read(after, limit=limit)
            last = events[-1].envelope.position if len(events) == limit else None
            strange = (
                await here.fetch(OF_OTHER_LOGS, self._context, identity.log_epoch)
                if not after
                else ()
            )
            kept = await here.fetch(KEPT, self._context, identity.log_epoch, after, last)
            taken = [
                each
                for each in events
                if each.envelope.sequence <= cursors.get(each.envelope.partition, 0)
            ]
            aside = {
                (partition, row["sequence"])
                for partition in cursors
                for row in await here.fetch(
                    SET_ASIDE,
                    FACTS,
                    self._topic,
                    partition,
                    [e.envelope.sequence for e in taken if e.envelope.partition == partition],
                )
            }
            wrong = await wrong_facts(
                here,
                [e for e in taken if (e.envelope.partition, e.envelope.sequence) not in aside],
            )
        found = [
            self._drift(
                f"position {each.envelope.position}", f"{each.event.type} {event_id}: {what}"
            )
            for each in taken
            for event_id in (str(each.envelope.event_id),)
            if (what := wrong.get(event_id)) is not None
        ]
        facts = {e.envelope.event_id for e in events if subject_of(e.event) is not None}
        found += [
            self._drift(
                f"position {row['position']}",
                f"{row['type']} {row['event_id']}: no such event is there",
            )
            for row in kept
            if row["event_id"] not in facts
        ]
        found += [
            self._drift(
                f"log {row['log_epoch']}", f"{row['facts']} facts are of a log that is no more"
            )
            for row in strange
        ]
        return Looked(found, len(events), None if last is None else {"after": last})

    def _drift(self, where: str, what: str) -> Drift:
        return Drift(
            check=self.name,
            place=f"{self._context}, {where}",
            what=what,
            advice=f"The log of {self._context} is right: rebuild the facts of billing",
        )
