"""Bare COPY of rows that the log has written, into a table like its own: the limit of appending."""

import time
from typing import NamedTuple, Self

from libs.events.database import Pool

_LIKE = "CREATE TABLE copied (LIKE event INCLUDING ALL)"
_HEAD = "SELECT position FROM log_head"
_ROWS = "SELECT * FROM event WHERE position > $1 ORDER BY position LIMIT $2"
_MOST_ROWS = 30_000


class Copied(NamedTuple):
    """How many rows were copied, in what time by the clock and of this process's processor."""

    rows: int
    seconds: float
    cpu: float


class Copying:
    """A table beside the log's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def prepare(cls, pool: Pool) -> Self:
        """Make the table, with all indexes and constraints of the log's."""
        await pool.execute(_LIKE)
        return cls(pool)

    async def head(self) -> int:
        """The position of the log's last event."""
        return int(await self._pool.fetchval(_HEAD))

    async def copy(self, *, after: int, at_once: int) -> Copied:
        """Copy the rows after a position, at most 30,000, a transaction for each so many."""
        rows = [tuple(row) for row in await self._pool.fetch(_ROWS, after, _MOST_ROWS)]
        async with self._pool.acquire() as connection:
            cpu, began = time.process_time(), time.perf_counter()
            for start in range(0, len(rows), at_once):
                await connection.copy_records_to_table(
                    "copied", records=rows[start : start + at_once]
                )
            return Copied(len(rows), time.perf_counter() - began, time.process_time() - cpu)
