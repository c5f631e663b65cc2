"""What asyncpg says when the database is away or too busy, as the one word of the log's port."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from libs.events.log import LogUnavailable

BAD_WEATHER = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.TransactionTimeoutError,
    asyncpg.InterfaceError,
    # asyncpg's word when the server's farewell and our next statement cross on their way
    asyncpg.InternalClientError,
)


def is_away(error: BaseException) -> bool:
    """Whether the server or the way to it failed, not what we asked.

    asyncpg also says InterfaceError for a value that does not fit, which is a ValueError too.
    """
    return isinstance(error, BAD_WEATHER) and not isinstance(error, ValueError)


@contextmanager
def away_as_unavailable() -> Iterator[None]:
    """Raise `LogUnavailable` for a database that is away."""
    try:
        yield
    except Exception as error:
        if is_away(error) and not isinstance(error, LogUnavailable):
            raise LogUnavailable(str(error)) from error
        raise
