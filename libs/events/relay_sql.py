"""What a relay asks of the database: who leads, what to send, how far it has sent."""

from collections.abc import Sequence
from typing import NamedTuple

from libs.events.database import Connection, Row
from libs.events.kafka import Identity

LOCK = 0x59414B4B414E  # one leader per database; the number is ours alone

_ROWS = 3_000
_BYTES = 8 * 1024 * 1024


class LogNotMade(Exception):
    """The database holds no log yet: migrate it first."""


class Leader(NamedTuple):
    """What a leader knows when it begins: where to go on, its epoch, and whose log it sends."""

    position: int
    epoch: int
    identity: Identity


class LeadershipLost(Exception):
    """Another leader has taken over, and goes on from the cursor."""


TRY_LOCK = "SELECT pg_try_advisory_lock($1)"


async def try_lock(connection: Connection) -> bool:
    """Be the only leader of this database for as long as the connection lives, if none is."""
    return bool(await connection.fetchval(TRY_LOCK, LOCK))


BECOME_LEADER = """
UPDATE relay_cursor SET leader_epoch = leader_epoch + 1
FROM log_identity
RETURNING position, leader_epoch, context, log_epoch
"""


async def become_leader(connection: Connection) -> Leader:
    """Begin a new epoch of leadership, which ends that of any leader before."""
    row = await connection.fetchrow(BECOME_LEADER)
    if row is None:
        raise LogNotMade
    identity = Identity(context=row["context"], log_epoch=row["log_epoch"])
    return Leader(row["position"], row["leader_epoch"], identity)


READ_ROWS = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
       correlation_id, causation_id, actor, traceparent, data
FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS before
    FROM (SELECT * FROM event WHERE position > $1 ORDER BY position LIMIT $2) AS next
) AS measured
WHERE before < $3
ORDER BY position
"""


async def read_rows(connection: Connection, after: int) -> Sequence[Row]:
    """The next rows by position: at most 3,000, and not much over 8 MiB."""
    return await connection.fetch(READ_ROWS, after, _ROWS, _BYTES)


MOVE_CURSOR = "UPDATE relay_cursor SET position = $1 WHERE leader_epoch = $2 RETURNING position"


async def move_cursor(connection: Connection, position: int, *, epoch: int) -> None:
    """Everything up to `position` stands in the topic; raises `LeadershipLost`."""
    if await connection.fetchval(MOVE_CURSOR, position, epoch) is None:
        raise LeadershipLost


IS_THERE = "SELECT 1"


async def is_there(connection: Connection) -> None:
    """Ask something, so that the server sees that we live."""
    await connection.execute(IS_THERE)


HEAD = "SELECT position FROM log_head"


async def head(connection: Connection) -> int:
    """The position of the log's last event."""
    return int(await connection.fetchval(HEAD) or 0)
