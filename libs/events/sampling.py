"""Stored examples of every event: `samples/<type>.json` holds its fields before encryption.

A sample is never edited once its event is published: each must load for ever, by the steps that
lead from its version to the present one. A draft for a new event takes plausible values by the
names and types of its fields; whoever adds the event looks at it and mends it.
"""

import hashlib
import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID, uuid5

import orjson
from pydantic import BaseModel

from libs.events.envelope import Event
from libs.events.registry import EVENTS
from libs.events.upcast import STEPS, Fields, Step, upcast

SAMPLES = Path(__file__).parent / "samples"

PUBLISHED = "published.txt"
"""Beside the samples: the digest of each that is published, so that none changes unseen."""

_IDS = UUID("5f6cf1c2-4f3e-4c55-9d0e-6c7d3b1f0a11")

_BY_NAME: Mapping[str, Any] = {
    "actual_cost": 18000,
    "address": "東京都千代田区丸の内1-1-1",
    "adjusts": None,
    "amount": 3600,
    "answer": "250 2.0.0 Ok: queued as 4B1C2",
    "approved_on": "2026-03-05",
    "applied_on": "2026-03-02",
    "arithmetic": "1,800 円 x 2",
    "attempts": 5,
    "base": 3600,
    "billed": 9000,
    "billing_address": "東京都千代田区丸の内1-1-1 経理部",
    "billing_day": 1,
    "billing_name": "株式会社さくら商事 経理部",
    "body": "お申し込みを承諾しました。",
    "cause": "maintenance",
    "changed_on": "2026-06-15",
    "clause": "NSEC-6.2a",
    "clauses": ["NSEC-14.4"],
    "closing_on": "2026-04-30",
    "code": "licence",
    "consents": ["terms"],
    "context": "contracts",
    "contracts": 1,
    "correct": 10000,
    "corporate": True,
    "corporate_number": "1234567890123",
    "days": 30,
    "days_late": 3,
    "desired_on": "2026-09-30",
    "device": "Z3",
    "distance_metres": 42000,
    "document_number": "2026-000123",
    "due_back_on": "2026-05-26",
    "due_on": "2026-05-31",
    "due_policy": "end-of-next-month",
    "email": "keiri@sakura.example",
    "evaded": 5000,
    "failures": {},
    "from_at": "2026-05-10T09:30:00+09:00",
    "from_on": "2026-04-01",
    "ground": "unpaid",
    "hash": "0d7c2f5b9a1e4836b0c7d2e5f8a1934c6b2d7e0f5a8c1b3d4e6f7a9082b5c4d1",
    "incident": "2026-05-10-line",
    "interest": 145,
    "issued_on": "2026-05-01",
    "key": "licence:2026-04-01",
    "known_at": "2026-05-10T10:00:00+09:00",
    "known_on": "2026-04-30",
    "initial_fee": None,
    "last_hash": "0d7c2f5b9a1e4836b0c7d2e5f8a1934c6b2d7e0f5a8c1b3d4e6f7a9082b5c4d1",
    "line_id": "CAF0000000000",
    "minutes": 55,
    "model": "UTM-110",
    "month": "2026-04",
    "monthly_discount": None,
    "monthly_fee": None,
    "months": ["2026-04", "2026-05"],
    "name": "株式会社さくら商事",
    "names": "2026-04",
    "not_before_on": "2026-03-05",
    "number": 1,
    "open_amount": 3960,
    "option": "mac",
    "options": [],
    "original_on": "2026-02-01",
    "packs": {"10": 2},
    "partition": 3,
    "paid_on": "2026-06-05",
    "payable": 3960,
    "percent": 50,
    "phone": "03-0000-0000",
    "plan": None,
    "postage": 110,
    "previous_hash": "6e1f0a9b8c7d2435f6e7d8c9b0a1423354657687980a1b2c3d4e5f60718293a4",
    "qualified_invoice_postage": 110,
    "quantity": 2,
    "rate": 10,
    "rate_permille": 145,
    "reason": "a slip of the pen",
    "received_on": "2026-05-29",
    "replacement_cost": 98000,
    "retention_classes": ["contact"],
    "rule": "contract-approved",
    "serial": "S0012345",
    "service": "MYSEC",
    "special_prices": {},
    "start_day": 16,
    "started_on": "2026-04-01",
    "subject_line": "お申し込み承諾のお知らせ",
    "subtotal": 3600,
    "surcharge": 6000,
    "tax": 360,
    "tax_rate": 10,
    "terms_version": "2019-10-01",
    "terms_versions": ["MYSEC 2019-10-01"],
    "to_at": "2026-05-11T11:30:00+09:00",
    "to_on": "2026-04-30",
    "total": 3960,
    "unapplied": 0,
    "until_on": "2026-10-01",
    "urgent_reason": None,
    "values": {"started_on": "2026-04-02"},
    "wished_start_on": "2026-04-01",
}

_BY_TYPE: Mapping[Any, Any] = {
    bool: False,
    int: 1,
    str: "text",
    date: "2026-05-12",
    datetime: "2026-05-12T14:00:00+09:00",
    Any: None,
}


def missing_samples(
    folder: Path = SAMPLES, *, events: Mapping[str, type[Event]] = EVENTS
) -> list[str]:
    """The types that have no sample."""
    return [name for name in events if not _file(folder, name).is_file()]


def write_missing_samples(folder: Path = SAMPLES) -> list[Path]:
    """Draft a sample for each event that has none; gives the files written."""
    files = []
    for name in missing_samples(folder):
        file = _file(folder, name)
        text = orjson.dumps(_draft_model(EVENTS[name]), option=orjson.OPT_INDENT_2)
        file.write_bytes(text + b"\n")
        files.append(file)
    return files


def read_samples(folder: Path = SAMPLES) -> Iterator[tuple[str, Fields]]:
    """Every sample's type and fields, by name of the file."""
    for file in sorted(folder.glob("*.json")):
        yield file.name.removesuffix(".json"), orjson.loads(file.read_bytes())


def load_sample(
    type_name: str,
    fields: Fields,
    *,
    events: Mapping[str, type[Event]] = EVENTS,
    steps: Mapping[str, Step] = STEPS,
) -> Event:
    """The event of a sample as it reads today.

    Raises KeyError when its type leads to none, ValueError when its fields don't fit.
    """
    name, fields = upcast(type_name, fields, steps=steps)
    return events[name].model_validate_json(orjson.dumps(fields))


def publish_samples(folder: Path = SAMPLES) -> list[str]:
    """Enter every sample that is not published yet; gives their types. Entries never change."""
    published = read_published(folder)
    new = {name: digest for name, digest in _digests(folder).items() if name not in published}
    lines = sorted(f"{name} {digest}\n" for name, digest in (published | new).items())
    (folder / PUBLISHED).write_text("".join(lines), encoding="utf-8")
    return sorted(new)


def read_published(folder: Path = SAMPLES) -> dict[str, str]:
    """The SHA-256 of each published sample, by type."""
    file = folder / PUBLISHED
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, digest = line.split()
        found[name] = digest
    return found


def broken_samples(
    folder: Path = SAMPLES,
    *,
    events: Mapping[str, type[Event]] = EVENTS,
    steps: Mapping[str, Step] = STEPS,
) -> list[str]:
    """What was done to published samples that must not be, in words; nothing when all is well.

    A published sample is never removed or changed, and reads for ever by today's vocabulary.
    """
    present, found = _digests(folder), []
    for name, digest in sorted(read_published(folder).items()):
        if name not in present:
            found.append(f"the sample of {name} was removed")
        elif present[name] != digest:
            found.append(f"the sample of {name} was changed")
    for name, fields in read_samples(folder):
        try:
            load_sample(name, fields, events=events, steps=steps)
        except (KeyError, ValueError) as error:
            found.append(f"the sample of {name} can't be read any more: {type(error).__name__}")
    return found


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.name.removesuffix(".json"): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*.json"))
    }


def _file(folder: Path, type_name: str) -> Path:
    return folder / f"{type_name}.json"


def _draft_model(model: type[BaseModel]) -> Fields:
    return {
        name: _draft(name, field.annotation)
        for name, field in model.model_fields.items()
        if name != "type"
    }


def _draft(name: str, annotation: Any) -> Any:
    shape = get_origin(annotation)
    inner = get_args(annotation)
    if annotation is UUID:
        return str(uuid5(_IDS, name))
    if shape in {Annotated, Union, types.UnionType}:
        return _draft(name, inner[0])
    if shape is tuple and _is_composed(inner[0]):
        return [_draft(name.removesuffix("s"), inner[0])]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _draft_model(annotation)
    if name in _BY_NAME and shape is not Literal:
        return _BY_NAME[name]
    return _by_type(annotation)


def _is_composed(annotation: Any) -> bool:
    return annotation is UUID or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )


def _by_type(annotation: Any) -> Any:
    shape = get_origin(annotation)
    if shape is Literal:
        return get_args(annotation)[0]
    if shape is tuple:
        return [_by_type(get_args(annotation)[0])]
    if shape is dict:
        return {}
    return _BY_TYPE[annotation]
