"""Which parties were forgotten, so that the destruction of their keys can be repeated."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.keys import KeyOwner
from libs.events.vocabulary.contracts import PartyForgotten

NAME = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenParty:
    """The keys that one event destroys."""

    position: int
    owners: tuple[KeyOwner, ...]


_INSERT = "INSERT INTO forgotten_party (position, party_id, classes) VALUES ($1, $2, $3)"


async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
    """Keep who was forgotten."""
    for each in recorded:
        if isinstance(each.event, PartyForgotten):
            event = each.event
            await connection.execute(
                _INSERT, each.envelope.position, event.party_id, list(event.retention_classes)
            )


_AFTER = """
SELECT position, party_id, classes FROM forgotten_party
WHERE position > $1 ORDER BY position LIMIT $2
"""


async def after(pool: Pool, *, position: int, limit: int) -> list[ForgottenParty]:
    """Those forgotten after a position of the log, in order."""
    return [
        ForgottenParty(
            position=row["position"],
            owners=tuple(
                KeyOwner(UUID(int=row["party_id"].int), retention) for retention in row["classes"]
            ),
        )
        for row in await pool.fetch(_AFTER, position, limit)
    ]
