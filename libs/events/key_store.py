"""Keys of personal fields in a PostgreSQL database of their own, wrapped by a master key."""

import asyncio
from collections.abc import Collection, Mapping
from secrets import token_bytes
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from uuid_utils.compat import uuid7

from libs.events.away import away_as_unavailable
from libs.events.keys import KEY_BYTES, Key, KeyOwner

CACHE_SECONDS = 60.0
"""So long at most a process goes on reading with a key that another one destroyed."""

_NONCE_BYTES = 12

_Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
_Name = TypeVar("_Name")


class _Cache(Generic[_Name]):
    """Keys by a name, each for `CACHE_SECONDS` from when it was read."""

    def __init__(self) -> None:
        self._kept: dict[_Name, tuple[float, Key]] = {}

    def find(self, names: Collection[_Name]) -> dict[_Name, Key]:
        """What is kept and not too old; older entries go."""
        now = asyncio.get_running_loop().time()
        while self._kept and (oldest := next(iter(self._kept.items())))[1][0] < now:
            del self._kept[oldest[0]]
        return {name: self._kept[name][1] for name in names if name in self._kept}

    def keep(self, keys: Mapping[_Name, Key]) -> None:
        """Keep keys just read; entries stand in the order in which they end."""
        ends = asyncio.get_running_loop().time() + CACHE_SECONDS
        for name, key in keys.items():
            self._kept.pop(name, None)
            self._kept[name] = (ends, key)

    def drop(self, name: _Name) -> None:
        """Forget one now."""
        self._kept.pop(name, None)


class PostgresKeys:
    """Keys in a database; a process that destroys one forgets it at once, others in a minute.

    `master` is 32 bytes. A key wrapped by another master key raises cryptography's InvalidTag.
    """

    def __init__(self, pool: _Pool, *, master: bytes) -> None:
        self._pool = pool
        self._master = AESGCM(master)
        self._by_id: _Cache[UUID] = _Cache()
        self._by_owner: _Cache[KeyOwner] = _Cache()

    async def get(self, key_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The secrets of the keys that exist."""
        found = self._by_id.find(key_ids)
        if missing := [key_id for key_id in key_ids if key_id not in found]:
            with away_as_unavailable():
                rows = await self._pool.fetch(FIND_KEYS, missing)
            read = {row["key_id"]: self._unwrap(row) for row in rows}
            self._by_id.keep(read)
            found |= read
        return {key_id: key.secret for key_id, key in found.items()}

    async def make(self, owners: Collection[KeyOwner]) -> Mapping[KeyOwner, Key | None]:
        """The key of each owner; of several who make one at once, all get the first."""
        found: dict[KeyOwner, Key | None] = {**self._by_owner.find(owners)}
        if missing := sorted(owner for owner in owners if owner not in found):
            read = await self._find(missing)
            if absent := [owner for owner in missing if owner not in read]:
                await self._insert(absent)
                read |= await self._find(absent)
            self._by_owner.keep({owner: key for owner, key in read.items() if key is not None})
            found |= read
        return found

    async def destroy(self, owners: Collection[KeyOwner]) -> None:
        """Destroy the keys; what was never made can't be made any more either."""
        known = await self._find(owners)
        if absent := sorted(owner for owner in owners if owner not in known):
            await self._insert(absent)
        with away_as_unavailable():
            ids = await self._pool.fetch(DESTROY_KEYS, *_columns(sorted(owners)))
        for owner in owners:
            self._by_owner.drop(owner)
        for row in ids:
            self._by_id.drop(row["key_id"])

    async def _find(self, owners: Collection[KeyOwner]) -> dict[KeyOwner, Key | None]:
        with away_as_unavailable():
            rows = await self._pool.fetch(FIND_OWNERS, *_columns(owners))
        return {
            KeyOwner(row["subject"], row["retention"]): (
                None if row["wrapped"] is None else self._unwrap(row)
            )
            for row in rows
        }

    async def _insert(self, owners: Collection[KeyOwner]) -> None:
        keys = [Key(uuid7(), token_bytes(KEY_BYTES)) for _ in owners]
        ids = [key.key_id for key in keys]
        with away_as_unavailable():
            await self._pool.execute(
                INSERT_KEYS, ids, *_columns(owners), [self._wrap(key) for key in keys]
            )

    def _wrap(self, key: Key) -> bytes:
        nonce = token_bytes(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key.secret, key.key_id.bytes)

    def _unwrap(self, row: asyncpg.Record) -> Key:
        wrapped: bytes = row["wrapped"]
        key_id: UUID = row["key_id"]
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        return Key(key_id, self._master.decrypt(nonce, sealed, key_id.bytes))


FIND_KEYS = """
SELECT key_id, wrapped FROM data_key WHERE key_id = ANY($1::uuid[]) AND wrapped IS NOT NULL
"""

FIND_OWNERS = """
SELECT k.key_id, k.subject, k.retention, k.wrapped
FROM data_key k
JOIN unnest($1::uuid[], $2::text[]) AS asked (subject, retention)
    ON k.subject = asked.subject AND k.retention = asked.retention
"""

# Owners come sorted, so that two who insert the same wait for one another and never in a circle.
INSERT_KEYS = """
INSERT INTO data_key (key_id, subject, retention, wrapped)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[])
ON CONFLICT ON CONSTRAINT data_key_owner DO NOTHING
"""

DESTROY_KEYS = """
UPDATE data_key k
SET wrapped = NULL, destroyed_at = now()
FROM unnest($1::uuid[], $2::text[]) AS asked (subject, retention)
WHERE k.subject = asked.subject AND k.retention = asked.retention AND k.wrapped IS NOT NULL
RETURNING k.key_id
"""


def _columns(owners: Collection[KeyOwner]) -> tuple[list[UUID], list[str]]:
    return [owner.subject for owner in owners], [owner.retention for owner in owners]
