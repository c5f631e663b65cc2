"""Which partition of its context's topic a stream belongs to: Kafka's default for keyed records."""

from functools import lru_cache
from struct import unpack_from
from uuid import UUID

PARTITIONS = 12
"""Of every topic, for ever: another number would send a stream's later events elsewhere."""

_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995
_WORD = 0xFFFFFFFF


def key_bytes(stream_id: UUID) -> bytes:
    """The record key of a stream's events."""
    return str(stream_id).encode()


@lru_cache(maxsize=65536)
def partition_of(stream_id: UUID, *, partitions: int = PARTITIONS) -> int:
    """The partition in which Kafka's clients put the records of this stream."""
    return (murmur2(key_bytes(stream_id)) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """The 32-bit MurmurHash2 as Kafka's clients seed it, as an unsigned number."""
    mixed = _SEED ^ len(key)
    whole = len(key) & ~3
    for word in unpack_from(f"<{whole >> 2}I", key):
        scattered = word * _FACTOR & _WORD
        mixed = mixed * _FACTOR & _WORD ^ (scattered ^ scattered >> 24) * _FACTOR & _WORD
    if rest := key[whole:]:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * _FACTOR & _WORD
    mixed = (mixed ^ mixed >> 13) * _FACTOR & _WORD
    return mixed ^ mixed >> 15
