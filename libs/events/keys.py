"""The keys of personal fields: one for each person (or company) and retention class.

Destroying a key forgets: the fields under it read as None from then on, in every log and topic.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import NamedTuple, Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

KEY_BYTES = 32


class KeyOwner(NamedTuple):
    """Whose key: the person or company, and how long the data must be kept."""

    subject: UUID
    retention: str


class Key(NamedTuple):
    """A key: its id stands beside what it encrypted, the secret never does."""

    key_id: UUID
    secret: bytes


class Keys(Protocol):
    """Makes, finds and destroys keys. Raises `OSError` kin when they are out of reach."""

    async def get(self, key_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The secrets of these keys; a key that was destroyed, or never was, is left out."""
        ...

    async def make(self, owners: Collection[KeyOwner]) -> Mapping[KeyOwner, Key | None]:
        """The key of each owner, made now where there is none; None where it was destroyed.

        What was forgotten stays forgotten: no second key is made after a destroyed one.
        """
        ...

    async def destroy(self, owners: Collection[KeyOwner]) -> None:
        """Destroy these keys for good; again changes nothing, and one never made can't be."""
        ...


@dataclass(slots=True)
class MemoryKeys:
    """Keys in memory, for offline play and tests."""

    _keys: dict[KeyOwner, Key | None] = field(default_factory=dict)
    _secrets: dict[UUID, bytes] = field(default_factory=dict)

    async def get(self, key_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        """The secrets of the keys that exist."""
        return {key_id: self._secrets[key_id] for key_id in key_ids if key_id in self._secrets}

    async def make(self, owners: Collection[KeyOwner]) -> Mapping[KeyOwner, Key | None]:
        """The key of each owner, made where there is none."""
        for owner in owners:
            if owner not in self._keys:
                key = Key(uuid7(), token_bytes(KEY_BYTES))
                self._keys[owner] = key
                self._secrets[key.key_id] = key.secret
        return {owner: self._keys[owner] for owner in owners}

    async def destroy(self, owners: Collection[KeyOwner]) -> None:
        """Destroy the keys, also of owners that had none yet."""
        for owner in owners:
            key = self._keys.get(owner)
            if key is not None:
                del self._secrets[key.key_id]
            self._keys[owner] = None
