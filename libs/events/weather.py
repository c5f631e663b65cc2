"""The weather: what fails outside of us and passes, so that trying again is right."""

import asyncio
import random
from collections.abc import Iterator
from itertools import count

import asyncpg
from aiokafka.errors import KafkaError

from libs.events.log import LogUnavailable

_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 5.0

_PASSING: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    # the driver, when it is used again before it has understood that its connection was cut
    asyncpg.InternalClientError,
)


class NotWell(Exception):
    """A part of a process does not do its work; the text is one sentence for its operator."""


def is_weather(error: BaseException) -> bool:
    """Whether an error comes from a server or the way to it, not from what we asked."""
    if isinstance(error, asyncpg.InterfaceError):
        # The driver's word for a connection that is gone; its word for a wrong value is one too,
        # and that one is a ValueError.
        return not isinstance(error, ValueError)
    return isinstance(error, _PASSING)


def may_be_its_own(error: BaseException) -> bool:
    """Whether what looks like weather may as well be the doing of the code that raised it.

    A `TimeoutError`, any other `OSError`, or a statement that was cancelled may be an effect's own
    when its connection still answers. What the server says of itself (no room, a lock, a deadlock,
    a shutdown) is not, nor a log that is not available.
    """
    if isinstance(error, LogUnavailable):
        return False
    return isinstance(error, OSError | KafkaError | asyncpg.QueryCanceledError)


def pauses() -> Iterator[float]:
    """Seconds to wait before each next attempt: doubling to 5 s, none in step with another."""
    for attempt in count():
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(attempt, 10))
        yield longest * random.uniform(0.5, 1)  # noqa: S311 - spreads attempts, guards nothing


async def pause(seconds: float, *, stop: asyncio.Event) -> None:
    """Wait so long, or until told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
