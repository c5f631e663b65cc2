"""A view made anew as an operator makes it: beside the live one, and switched."""

from libs.events.database import Pool
from libs.events.log import Log
from libs.events.shadow import View, beside


async def made_anew(view: View, *, log: Log, pool: Pool, dsn: str) -> int:
    """Build a view beside the live one and put it in its place; at which position."""
    async with beside(view, log=log, pool=pool, dsn=dsn) as shadow:
        await shadow.begin()
        position = await shadow.switch()
        await shadow.drop()
    return position
