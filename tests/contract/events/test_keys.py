"""What every keeper of keys does; run on the one in memory and on the one on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from libs.events.key_store import PostgresKeys
from libs.events.keys import Key, KeyOwner, Keys, MemoryKeys
from libs.events.migrate import KEY_MIGRATIONS, migrate
from tests.conftest import MakeDatabase

ADA = KeyOwner(UUID(int=1), "contact")
ADAS_INVOICES = KeyOwner(UUID(int=1), "invoice")
BOB = KeyOwner(UUID(int=2), "contact")
MASTER = bytes(range(32))

OfOneDatabase = Callable[[], Keys]


@pytest.fixture(params=["memory", "postgres"])
async def another(
    request: pytest.FixtureRequest, database: MakeDatabase
) -> AsyncIterator[OfOneDatabase]:
    """Gives keepers, as of several processes, of one and the same set of keys."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            only = MemoryKeys()
            yield lambda: only
        else:
            dsn = await database()
            await migrate(dsn, [KEY_MIGRATIONS])
            pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1))
            yield lambda: PostgresKeys(pool, master=MASTER)


async def made(keys: Keys, owner: KeyOwner) -> Key:
    key = (await keys.make([owner]))[owner]
    assert key is not None
    return key


async def test_an_owner_keeps_one_key_for_each_class(another: OfOneDatabase) -> None:
    keys = another()
    first = await keys.make([ADA, ADAS_INVOICES, BOB])
    assert len({key.secret for key in first.values() if key is not None}) == 3
    assert await keys.make([BOB, ADA, ADAS_INVOICES]) == first
    assert await another().make([ADA, BOB, ADAS_INVOICES]) == first


async def test_secrets_are_found_by_the_ids_of_their_keys(another: OfOneDatabase) -> None:
    key, other = await made(another(), ADA), await made(another(), BOB)
    found = await another().get([key.key_id, other.key_id, UUID(int=99)])
    assert found == {key.key_id: key.secret, other.key_id: other.secret}
    assert await another().get([]) == {}


async def test_all_who_make_a_key_at_once_get_the_same(another: OfOneDatabase) -> None:
    made_at_once = await asyncio.gather(
        *(another().make([ADA, BOB] if number % 2 else [BOB, ADA]) for number in range(20))
    )
    assert all(keys == made_at_once[0] for keys in made_at_once)


async def test_a_destroyed_key_is_gone_and_not_made_again(another: OfOneDatabase) -> None:
    keys = another()
    key, kept = await made(keys, ADA), await made(keys, ADAS_INVOICES)
    assert key.key_id in await keys.get([key.key_id])
    await keys.destroy([ADA])
    await keys.destroy([ADA])
    for keeper in (keys, another()):
        assert await keeper.get([key.key_id, kept.key_id]) == {kept.key_id: kept.secret}
        assert await keeper.make([ADA]) == {ADA: None}


async def test_an_owner_without_a_key_can_be_forgotten(another: OfOneDatabase) -> None:
    await another().destroy([ADA])
    assert await another().make([ADA]) == {ADA: None}


async def test_the_database_holds_no_secret_in_the_clear(database: MakeDatabase) -> None:
    dsn = await database()
    await migrate(dsn, [KEY_MIGRATIONS])
    async with asyncpg.create_pool(dsn, min_size=1) as pool:
        key = await made(PostgresKeys(pool, master=MASTER), ADA)
        wrapped = await pool.fetchval("SELECT wrapped FROM data_key")
    assert key.secret not in wrapped
