"""What making a topic again asks of the database."""

from collections.abc import Mapping, Sequence

from libs.events.database import Connection, Row
from libs.events.kafka import Identity

IDENTITY = "SELECT context, log_epoch FROM log_identity"


async def find_identity(connection: Connection) -> Identity:
    """Whose log the database holds, and which."""
    row = await connection.fetchrow(IDENTITY)
    assert row is not None, "the database holds no log"
    return Identity(context=row["context"], log_epoch=row["log_epoch"])


ROWS = """
SELECT position, stream_id, version, partition, sequence, event_id, type, recorded_at,
       correlation_id, causation_id, actor, traceparent, data
FROM event WHERE partition = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3
"""


async def find_rows(
    connection: Connection, partition: int, *, since: int, count: int
) -> Sequence[Row]:
    """Rows of a partition by sequence, from the one at `since`."""
    return await connection.fetch(ROWS, partition, since, count)


FROM_ZERO = "UPDATE relay_cursor SET position = 0, leader_epoch = leader_epoch + 1"


async def send_from_zero(connection: Connection) -> None:
    """Have the whole log be sent; who led before leads no more."""
    await connection.execute(FROM_ZERO)


SEND_AFTER = """
UPDATE relay_cursor SET leader_epoch = leader_epoch + 1, position = coalesce((
    SELECT min(next.position) - 1
    FROM unnest($1::smallint[], $2::bigint[]) AS stands (partition, sequence)
    CROSS JOIN LATERAL (
        SELECT position FROM event
        WHERE event.partition = stands.partition AND event.sequence > stands.sequence
        ORDER BY event.sequence LIMIT 1
    ) AS next
), (SELECT position FROM log_head))
"""


async def send_after(connection: Connection, *, ends: Mapping[int, int]) -> None:
    """Have everything be sent from the first event on that stands beyond these sequences."""
    await connection.execute(SEND_AFTER, list(ends), list(ends.values()))


SENT = "SELECT position FROM relay_cursor"


async def sent(connection: Connection) -> int:
    """The position up to which everything stands in the topic."""
    return int(await connection.fetchval(SENT))
