"""Connections to the database of a log, as the type checker knows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import asyncpg

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool


class Row(Protocol):
    """A row, as the driver gives it: a value by the name of its column."""

    def __getitem__(self, name: str, /) -> Any: ...


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool in a transaction, committed at the end."""
    async with pool.acquire() as borrowed, borrowed.transaction():
        # what the pool lends behaves like a connection
        yield cast("Connection", borrowed)
