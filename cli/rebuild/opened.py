"""A service's log, views and readers, opened as its own processes open them."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

import asyncpg

from cli.processes import CannotStart
from libs.events.database import Connection, Pool
from libs.events.log import Log
from libs.events.rewinding import Reader
from libs.events.shadow import View

ReserveAgain = Callable[[Connection, Iterable[UUID]], Awaitable[int]]
"""Derives the reservations of streams again; how many of them hold something."""

Named = TypeVar("Named", View, Reader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What can be built again of a service."""

    dsn: str
    pool: Pool
    log: Log
    views: tuple[View, ...]
    readers: tuple[Reader, ...]
    reserve_again: ReserveAgain | None = None

    def view(self, name: str) -> View:
        """The view of that name; raises CannotStart."""
        return _named(self.views, name, kind="view")

    def reader(self, name: str) -> Reader:
        """The reader of that name; raises CannotStart."""
        return _named(self.readers, name, kind="reader")


def _named(those: Iterable[Named], name: str, *, kind: str) -> Named:
    found = {one.name: one for one in those}
    if name not in found:
        raise CannotStart(f"There is no {kind} {name} there; there is: {', '.join(found)}.")
    return found[name]


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
            readers=(Reader(reactions.READER, None),),
            reserve_again=reserve,
        )


@asynccontextmanager
async def _billing() -> AsyncIterator[Opened]:
    from services.billing import main
    from services.billing.settings import Settings
    from services.billing.views import registry
    from services.billing.views.timelines import FACTS

    settings = Settings()
    async with main.build(settings) as built:
        yield Opened(
            dsn=settings.database_url.get_secret_value(),
            pool=built.pool,
            log=built.log,
            views=registry.views(built.billing),
            readers=(
                Reader(FACTS, registry.discard_foreign_facts),
                Reader(main.ACCOUNTS, None),
            ),
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
            readers=(Reader(main.READER, None),),
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
            readers=(Reader(main.READER, registry.discard_known),),
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
