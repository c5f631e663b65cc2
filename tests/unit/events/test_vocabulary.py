"""Every event is declared as events must be, and its samples load for ever."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from pydantic import BaseModel

from libs.events.envelope import Event, Personal
from libs.events.registry import (
    CONTEXTS,
    EVENTS,
    MODULES,
    by_type,
    context_of,
    declared_in,
    type_of,
)
from libs.events.sampling import (
    load_sample,
    missing_samples,
    read_samples,
    write_missing_samples,
)
from libs.events.upcast import STEPS
from libs.events.wire import encode, shape_of

DECLARED = [pytest.param(declared, id=name) for name, declared in EVENTS.items()]
SAMPLES = [pytest.param(name, fields, id=name) for name, fields in read_samples()]

_TYPE = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*")


def allows(annotation: Any, wished: tuple[type, ...]) -> bool:
    inner = get_args(annotation)
    return annotation in wished or any(allows(one, wished) for one in inner)


def inner_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    waiting: list[Any] = [field.annotation for field in model.model_fields.values()]
    while waiting:
        annotation = waiting.pop()
        waiting.extend(get_args(annotation))
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
            waiting.extend(field.annotation for field in annotation.model_fields.values())


def test_contexts_are_those_that_publish() -> None:
    assert CONTEXTS == ("contracts", "billing", "monitoring", "notifications")


@pytest.mark.parametrize("module", MODULES, ids=CONTEXTS)
def test_a_type_names_the_context_of_its_module(module: Any) -> None:
    context = module.__name__.rpartition(".")[2]
    for declared in declared_in(module):
        assert context_of(type_of(declared)) == context


@pytest.mark.parametrize("module", MODULES, ids=CONTEXTS)
def test_every_event_belongs_to_the_closed_union_of_a_stream(module: Any) -> None:
    unions = [item for name, item in vars(module).items() if name.endswith("Event")]
    members = {member for union in unions for member in get_args(union) or (union,)}
    assert set(declared_in(module)) <= members


def test_two_events_of_one_type_are_a_mistake() -> None:
    first = next(iter(EVENTS.values()))
    twin = type("Twin", (first,), {})
    with pytest.raises(ValueError, match=re.escape(type_of(first))):
        by_type([first, twin])


@pytest.mark.parametrize("declared", DECLARED)
def test_an_event_is_declared_as_events_must_be(declared: type[Event]) -> None:
    fields = declared.model_fields
    assert _TYPE.fullmatch(type_of(declared))
    assert get_args(fields["type"].annotation) == (type_of(declared),)
    if declared.effective is not None:
        assert allows(fields[declared.effective].annotation, (date, datetime))
    for name, field in fields.items():
        if name.endswith("_on"):
            assert allows(field.annotation, (date,)), name
        if name.endswith("_at"):
            assert allows(field.annotation, (datetime,)), name


@pytest.mark.parametrize("declared", DECLARED)
def test_personal_fields_can_be_forgotten_and_have_an_owner(declared: type[Event]) -> None:
    personal = shape_of(declared).personal
    for name in personal:
        assert allows(declared.model_fields[name].annotation, (type(None),))
    if personal:
        assert declared.subject is not None
        assert declared.model_fields[declared.subject].annotation is UUID
    marks = [
        mark
        for model in inner_models(declared)
        for field in model.model_fields.values()
        for mark in field.metadata
        if isinstance(mark, Personal)
    ]
    assert marks == [], "only an event's own fields are encrypted"


def test_every_event_has_a_sample() -> None:
    assert missing_samples() == [], "`./yk samples` drafts them"


@pytest.mark.parametrize(("name", "fields"), SAMPLES)
def test_a_sample_loads_and_none_of_its_values_is_lost(
    name: str, fields: Mapping[str, Any]
) -> None:
    event = load_sample(name, dict(fields))
    if name in STEPS:
        return
    stored = orjson.loads(
        event.model_copy(update=dict.fromkeys(shape_of(type(event)).personal)).model_dump_json()
    )
    for field, value in fields.items():
        if field not in shape_of(type(event)).personal:
            assert stored[field] == value


@pytest.mark.parametrize(("name", "fields"), SAMPLES)
def test_what_is_encoded_is_the_sample_again(name: str, fields: Mapping[str, Any]) -> None:
    event = load_sample(name, dict(fields))
    if shape_of(type(event)).personal or name in STEPS:
        return
    encoded = orjson.loads(encode(event, event_id=UUID(int=1), keys={}))
    assert {field: encoded[field] for field in fields} == fields


def test_a_draft_is_made_for_every_event_and_loads(tmp_path: Any) -> None:
    written = write_missing_samples(tmp_path)
    assert len(written) == len(EVENTS)
    for name, fields in read_samples(tmp_path):
        assert load_sample(name, fields).type == name
    assert write_missing_samples(tmp_path) == []
