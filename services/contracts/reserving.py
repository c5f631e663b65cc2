"""Which values belong to a contract, derived again from its events.

Reservations ride with appends; where a log was completed from its topic they are missing.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from libs.events.database import Connection
from libs.events.log import Log, Reservation
from services.contracts.domain.contract import application_of, ended_on
from services.contracts.domain.facts import Life, facts_of, life_of
from services.contracts.domain.terms import Terms
from services.contracts.use_cases import LINE

FORGET = "DELETE FROM reservation WHERE owner = $1"
RESERVE = """
INSERT INTO reservation (kind, value, owner, from_on, until_on) VALUES ($1, $2, $3, $4, $5)
"""


def reservation_of(life: Life, *, terms: Terms) -> Reservation | None:
    """The line that a contract holds, to the day before its end; None where it holds none.

    Clauses: WUTM-6.1 (one contract a line).
    """
    application = application_of(life.now)
    if application is None or application.content.line_id is None:
        return None
    line = terms.at(application.service, application.applied_on).line
    if line is None or line.one_contract is None:
        return None
    end = ended_on(life.now)
    return Reservation(
        kind=LINE,
        value=application.content.line_id,
        owner=application.contract_id,
        from_on=application.applied_on,
        until_on=None if end is None else max(end, application.applied_on + timedelta(days=1)),
    )


async def reserve_again(
    connection: Connection, stream_ids: Iterable[UUID], *, log: Log, terms: Terms
) -> int:
    """Hold what these streams hold as their events tell, and nothing else; how many hold some."""
    held = 0
    for stream_id in stream_ids:
        found = reservation_of(life_of(facts_of(await log.load(stream_id))), terms=terms)
        await connection.execute(FORGET, stream_id)
        if found is not None:
            held += 1
            await connection.execute(
                RESERVE, found.kind, found.value, found.owner, found.from_on, found.until_on
            )
    return held
