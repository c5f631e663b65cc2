"""How far each view has come in its context's own log; moved only with the view's rows."""

from libs.events.database import Connection, Pool
from libs.events.log import CursorTaken

LEVEL = "SELECT position FROM view_cursor WHERE view = $1"


async def level(pool: Pool, view: str) -> int:
    """The position to which a view has come; 0 for one that never ran."""
    return int(await pool.fetchval(LEVEL, view) or 0)


BEGIN_VIEW = """
INSERT INTO view_cursor (view, position) VALUES ($1, 0)
ON CONFLICT ON CONSTRAINT view_cursor_once DO NOTHING
"""


async def begin_view(connection: Connection, view: str) -> int:
    """Where a view stands; a new one begins at 0."""
    await connection.execute(BEGIN_VIEW, view)
    return int(await connection.fetchval(LEVEL, view))


MOVE_VIEW = "UPDATE view_cursor SET position = $3 WHERE view = $1 AND position = $2 RETURNING view"


async def move_view(connection: Connection, view: str, *, after: int, position: int) -> None:
    """Move a view's cursor from where it was found; raises `CursorTaken` if it is elsewhere."""
    if await connection.fetchval(MOVE_VIEW, view, after, position) is None:
        raise CursorTaken(f"the view {view} does not stand at {after}")
