"""Events as bytes: JSON of the event's fields, the type beside it, personal fields encrypted.

A personal field is stored as `{"enc": base64 of nonce and ciphertext, "key": id of its key}`,
AES-256-GCM, bound to the event's id and the field's name so that it can't be moved.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from secrets import token_bytes
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel

from libs.events.envelope import Event, Personal
from libs.events.keys import Key, KeyOwner, Keys
from libs.events.refusals import EventTooLarge
from libs.events.registry import EVENTS
from libs.events.upcast import STEPS, Fields, Step, upcast

MAX_EVENT_BYTES = 512 * 1024
_NONCE_BYTES = 12


class Stored(NamedTuple):
    """An event as it is stored and sent."""

    type: str
    event_id: UUID
    data: bytes


class Shape(NamedTuple):
    """The stored fields of an event class in order, and the retention of the personal ones."""

    fields: tuple[str, ...]
    personal: Mapping[str, str]


@cache
def shape_of(declared: type[Event]) -> Shape:
    """The shape of an event class."""
    fields = declared.model_fields
    return Shape(
        tuple(name for name in fields if name != "type"),
        {
            name: mark.retention
            for name, field in fields.items()
            for mark in field.metadata
            if isinstance(mark, Personal)
        },
    )


def key_owners(event: Event) -> tuple[KeyOwner, ...]:
    """Whose keys the personal fields of an event need; fields that are None need none."""
    personal = shape_of(type(event)).personal
    if not personal or event.subject is None:
        return ()
    subject = getattr(event, event.subject)
    return tuple(
        dict.fromkeys(
            KeyOwner(subject, retention)
            for name, retention in personal.items()
            if getattr(event, name) is not None
        )
    )


def encode(event: Event, *, event_id: UUID, keys: Mapping[KeyOwner, Key | None]) -> bytes:
    """The bytes that are stored and sent; equal events give equal bytes but for encryption.

    `keys` holds the event's `key_owners`; a personal field whose key was destroyed is stored as
    null. Raises `EventTooLarge` above 512 KiB.
    """
    shape = shape_of(type(event))
    values = event.__dict__
    fields = {name: values[name] for name in shape.fields}
    if shape.personal and event.subject is not None:
        subject = values[event.subject]
        for name, retention in shape.personal.items():
            if fields[name] is not None:
                key = keys[KeyOwner(subject, retention)]
                fields[name] = key and _seal(fields[name], key=key, bound=_bound(event_id, name))
    data = dump(fields)
    if len(data) > MAX_EVENT_BYTES:
        detail = f"{event.type} takes {len(data)} bytes, at most {MAX_EVENT_BYTES} are stored"
        raise EventTooLarge(detail)
    return data


def as_told(event: Event, *, without: Iterable[str] = ()) -> bytes:
    """An event as JSON for a view that keeps it: type, and the fields that its log has of it.

    A field that the type gained after the event was recorded is left out, so the bytes are the same
    whenever the view is made.
    """
    told = event.model_copy(update={"type": event.type})
    return told.model_dump_json(exclude_unset=True, exclude=set(without)).encode()


class Wire:
    """Reads stored events back by a closed vocabulary; a type outside it reads as None."""

    def __init__(
        self,
        events: Mapping[str, type[Event]] = EVENTS,
        *,
        steps: Mapping[str, Step] = STEPS,
    ) -> None:
        self._events = events
        self._steps = steps

    async def decode(self, stored: Sequence[Stored], *, keys: Keys) -> list[Event | None]:
        """The events in the same order: upcast, decrypted, None where the type is unknown.

        Raises ValueError (pydantic's ValidationError included) for data that is no such event.
        """
        secrets: Mapping[UUID, bytes] | None = None
        if any(self._is_personal(name) for name in {item.type for item in stored}):
            wanted = {key_id for item in stored for key_id in self._key_ids(item)}
            secrets = await keys.get(wanted) if wanted else {}
        return [self.decode_one(item, secrets=secrets or {}) for item in stored]

    def decode_one(self, stored: Stored, *, secrets: Mapping[UUID, bytes]) -> Event | None:
        """One event, with the secrets at hand; a personal field whose secret is missing is None."""
        declared = self._events.get(stored.type)
        if declared is not None and not shape_of(declared).personal:
            return declared.model_validate_json(stored.data)
        if declared is None and stored.type not in self._steps:
            return None
        name, fields = upcast(stored.type, orjson.loads(stored.data), steps=self._steps)
        declared = self._events[name]
        for personal in shape_of(declared).personal:
            if personal in fields:
                fields[personal] = _open(
                    fields[personal], secrets=secrets, bound=_bound(stored.event_id, personal)
                )
        return declared.model_validate_json(orjson.dumps(fields))

    def _is_personal(self, type_name: str) -> bool:
        declared = self._events.get(type_name)
        return type_name in self._steps or (
            declared is not None and bool(shape_of(declared).personal)
        )

    def _key_ids(self, stored: Stored) -> Iterable[UUID]:
        if not self._is_personal(stored.type):
            return ()
        name, fields = upcast(stored.type, orjson.loads(stored.data), steps=self._steps)
        sealed = (fields.get(personal) for personal in shape_of(self._events[name]).personal)
        return [UUID(value["key"]) for value in sealed if value is not None]


def dump(value: object) -> bytes:
    """JSON bytes of a value that may hold models, dates, instants and ids."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, UUID):  # asyncpg gives ids of a class of its own
        return str(value)
    raise TypeError(f"an event can't hold a {type(value).__name__}")


def _bound(event_id: UUID, field: str) -> bytes:
    return f"{event_id}/{field}".encode()


def _seal(value: object, *, key: Key, bound: bytes) -> Fields:
    nonce = token_bytes(_NONCE_BYTES)
    sealed = nonce + AESGCM(key.secret).encrypt(nonce, dump(value), bound)
    return {"enc": base64.b64encode(sealed).decode(), "key": str(key.key_id)}


def _open(stored: Fields | None, *, secrets: Mapping[UUID, bytes], bound: bytes) -> Any:
    secret = None if stored is None else secrets.get(UUID(stored["key"]))
    if stored is None or secret is None:
        return None
    sealed = base64.b64decode(stored["enc"])
    clear = AESGCM(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    return orjson.loads(clear)
