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


PATIENCE_SECONDS = 30.0
"""How long a statement may go without an answer before the way to the server is taken as lost."""


TRANSACTION_SECONDS = 60.0
"""How long a transaction may take before the server ends it, whatever its process is doing."""


def open_pool(
    dsn: str,
    *,
    min_size: int,
    max_size: int,
    patience_seconds: float = PATIENCE_SECONDS,
    transaction_seconds: float = TRANSACTION_SECONDS,
) -> Pool:
    """A pool, to be entered, whose connections are given up when a statement is not answered.

    A server's end that is gone without a farewell would else keep whoever asks waiting for ever.
    What lies idle for so long is given up too, so that of a lost way no dead connections are left
    to be found out one after the other. And the server ends a transaction that takes longer than
    `transaction_seconds`: a process that is paused in one holds up whoever takes over its work.
    """
    return asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        command_timeout=patience_seconds,
        max_inactive_connection_lifetime=patience_seconds,
        # Not the limit on idling in a transaction: that one does not see a process that is paused
        # after the parsing of a statement and before its execution.
        server_settings={"transaction_timeout": f"{transaction_seconds * 1000:.0f}ms"},
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool in a transaction, committed at the end."""
    async with pool.acquire() as borrowed, borrowed.transaction():
        # what the pool lends behaves like a connection
        yield cast("Connection", borrowed)
