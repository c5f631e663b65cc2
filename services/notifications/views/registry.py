"""The views of notifications, and what its reader of topics keeps, with the tables of each."""

from libs.events.database import Connection
from libs.events.shadow import View
from libs.events.shadow_reader import Kept
from services.notifications.views import known, notices


def views() -> tuple[View, ...]:
    """All that follow the own log."""
    return (View(notices.NAME, ("notice",), notices.fill),)


def kept(reader: str, *, topics: tuple[str, ...]) -> Kept:
    """What is known of customers, contracts and invoices, and the occasions to tell them of."""
    tables = ("recipient", "known_contract", "known_invoice", "occasion")

    async def carry(connection: Connection) -> None:
        await carry_over(connection, reader)

    return Kept(reader=reader, topics=topics, tables=tables, effect=known.keep, carry=carry)


HOLD_OCCASIONS = "LOCK TABLE public.occasion IN SHARE MODE"
CARRY_OVER = """
UPDATE occasion SET queued = carried.queued, trouble = carried.trouble
FROM (
    SELECT rebuilt.event_id, coalesce(live.queued, parked.event_id IS NULL) AS queued, live.trouble
    FROM occasion AS rebuilt
    LEFT JOIN public.occasion AS live ON live.event_id = rebuilt.event_id
    LEFT JOIN public.parked_event AS parked
        ON parked.consumer = $1 AND parked.event_id = rebuilt.event_id
) AS carried
WHERE occasion.event_id = carried.event_id
    AND (occasion.queued, occasion.trouble) IS DISTINCT FROM (carried.queued, carried.trouble)
"""


async def carry_over(connection: Connection, reader: str) -> None:
    """Note on the rebuilt occasions what the composer noted on the live ones.

    One that had been taken and has no live row counts as dealt with, so that nobody is told of old
    things; the reconciler says where a notice was never queued. One that was parked is still to be
    told of. The composer waits until the transaction ends.
    """
    await connection.execute(HOLD_OCCASIONS)
    await connection.execute(CARRY_OVER, reader)
