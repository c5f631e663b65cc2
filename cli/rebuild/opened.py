"""A service's log, views and readers, opened as its own processes open them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from cli.processes import CannotStart
from libs.events.database import Connection, Pool
from libs.events.keys import Keys
from libs.events.log import Log
from libs.events.shadow import View
from libs.events.shadow_reader import Kept

ReserveAgain = Callable[[Connection, Iterable[UUID]], Awaitable[int]]
"""Derives the reservations of streams again; how many of them hold something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What can be built again of a service: `keeping` readers keep rows, `deciding` ones none."""

    dsn: str
    pool: Pool
    log: Log
    keys: Keys
    views: tuple[View, ...]
    deciding: tuple[str, ...] = ()
    keeping: tuple[Kept, ...] = ()
    reserve_again: ReserveAgain | None = None

    @property
    def readers(self) -> tuple[str, ...]:
        """The names of all readers of topics."""
        return (*(kept.reader for kept in self.keeping), *self.deciding)

    def view(self, name: str) -> View:
        """The view of that name; raises CannotStart."""
        found = {one.name: one for one in self.views}
        if name not in found:
            raise _no_such("view", name, there=found)
        return found[name]

    def kept(self, reader: str) -> Kept | None:
        """What a reader keeps; None for one that decides. Raises CannotStart for an unknown one."""
        if reader not in self.readers:
            raise _no_such("reader", reader, there=self.readers)
        return next((kept for kept in self.keeping if kept.reader == reader), None)


def _no_such(kind: str, name: str, *, there: Iterable[str]) -> CannotStart:
    return CannotStart(f"There is no {kind} {name} there; there is: {', '.join(there)}.")


@asynccontextmanager
async def _contracts() -> AsyncIterator[Opened]:
    from services.contracts import main, reactions
    from services.contracts.reserving import reserve_again
    from services.contracts.settings import Settings
    from services.contracts.views import registry

    settings = Settings()
    async with main.build(settings) as service:

        async def reserve(connection: Connection, stream_ids: Iterable[UUID]) -> int:
            return await reserve_again(connection, stream_ids, log=service.log, terms=service.terms)

        yield Opened(
            dsn=settings.database_url.get_secret_value(),
            pool=service.pool,
            log=service.log,
            views=registry.views(service.log, terms=service.terms),
            keys=service.keys,
            deciding=(reactions.READER,),
            reserve_again=reserve,
        )


@asynccontextmanager
async def _billing() -> AsyncIterator[Opened]:
    from services.billing import main
    from services.billing.settings import Settings
    from services.billing.views import registry

    settings = Settings()
    async with main.build(settings) as built:
        yield Opened(
            dsn=settings.database_url.get_secret_value(),
            pool=built.pool,
            log=built.log,
            views=registry.views(built.billing),
            keys=built.keys,
            deciding=(main.ACCOUNTS,),
            keeping=(registry.facts(tuple(built.topic(each) for each in main.FACTS_FROM)),),
        )


@asynccontextmanager
async def _monitoring() -> AsyncIterator[Opened]:
    from services.monitoring import main
    from services.monitoring.settings import Settings
    from services.monitoring.views import registry

    settings = Settings()
    async with main.build(settings) as built:
        yield Opened(
            dsn=settings.database_url.get_secret_value(),
            pool=built.pool,
            log=built.log,
            views=registry.views(built.log),
            keys=built.keys,
            deciding=(main.READER,),
        )


@asynccontextmanager
async def _notifications() -> AsyncIterator[Opened]:
    from services.notifications import main
    from services.notifications.settings import Settings
    from services.notifications.views import registry

    settings = Settings()
    async with main.build(settings) as built:
        yield Opened(
            dsn=settings.database_url.get_secret_value(),
            pool=built.pool,
            log=built.log,
            views=registry.views(),
            keys=built.keys,
            keeping=(
                registry.kept(main.READER, topics=tuple(built.topic(each) for each in main.READS)),
            ),
        )


_OPEN: dict[str, Callable[[], AbstractAsyncContextManager[Opened]]] = {
    "contracts": _contracts,
    "billing": _billing,
    "monitoring": _monitoring,
    "notifications": _notifications,
}


@asynccontextmanager
async def opened(service: str, *, environment: dict[str, str]) -> AsyncIterator[Opened]:
    """A service, told by `environment` where everything is, as its processes are."""
    async with AsyncExitStack() as stack:
        before = dict(os.environ)
        os.environ |= environment
        try:
            found = await stack.enter_async_context(_OPEN[service]())
        except asyncpg.UndefinedTableError as error:
            raise CannotStart(f"{service} has no log yet: ./yk up makes it.") from error
        finally:
            os.environ.clear()
            os.environ |= before
        # A pool of our own: the service's ends what takes longer than a service may take.
        pool = asyncpg.create_pool(found.dsn, min_size=0, max_size=4)
        yield replace(found, pool=await stack.enter_async_context(pool))
