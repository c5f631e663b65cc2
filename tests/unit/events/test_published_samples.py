"""Samples of published versions stay as they are, and everybody reads them for ever."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
import typer

from cli.commands import samples, schema
from cli.processes import CannotStart
from libs.events import sampling
from libs.events.envelope import Envelope, Event, Recorded
from libs.events.keys import MemoryKeys
from libs.events.registry import EVENTS, context_of
from libs.events.sampling import (
    SAMPLES,
    broken_samples,
    load_sample,
    publish_samples,
    read_published,
    read_samples,
)
from libs.events.wire import Stored, Wire, shape_of
from services.billing.domain.fold import fold
from services.billing.domain.timeline import Fact
from services.billing.facts import subject_of
from services.billing.reactions import react as billing_reacts
from services.contracts.domain.facts import facts_of, life_of
from services.contracts.reactions import react as contracts_react
from services.contracts.use_cases import customer_of
from services.monitoring.reactions import react as monitoring_reacts
from services.notifications.reactions import occasion_of

ALL = [pytest.param(name, fields, id=name) for name, fields in read_samples()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the samples, to be tampered with."""
    return Path(shutil.copytree(SAMPLES, tmp_path / "samples"))


def test_every_sample_is_published_and_none_was_changed_removed_or_outgrown() -> None:
    assert broken_samples() == []
    names = {name for name, _ in read_samples()}
    assert names == set(read_published()), "`./yk samples --publish` does so"


def test_a_published_sample_that_is_changed_or_removed_is_told(folder: Path) -> None:
    (folder / "contracts.service-started.v1.json").unlink()
    changed = folder / "contracts.contract-approved.v1.json"
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert broken_samples(folder) == [
        "the sample of contracts.contract-approved.v1 was changed",
        "the sample of contracts.service-started.v1 was removed",
    ]
    assert publish_samples(folder) == []
    assert len(broken_samples(folder)) == 2, "publishing again covers nothing up"


def test_a_change_of_the_vocabulary_that_breaks_an_old_sample_is_told(folder: Path) -> None:
    class Narrower(Event):
        type: str = "contracts.service-started.v1"
        contract_id: UUID
        renamed_on: str

    now: dict[str, type[Event]] = {**EVENTS, "contracts.service-started.v1": Narrower}
    (words,) = broken_samples(folder, events=now)
    assert "contracts.service-started.v1 can't be read any more" in words
    without = {name: kind for name, kind in EVENTS.items() if not name.endswith("started.v1")}
    assert broken_samples(folder, events=without) != []


def test_the_commands_refuse_broken_samples(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "contracts.service-started.v1.json").unlink()
    monkeypatch.setattr(schema, "broken_samples", lambda: broken_samples(folder))
    monkeypatch.setattr(samples, "broken_samples", lambda: broken_samples(folder))
    with pytest.raises(CannotStart, match="was removed"):
        schema.run()
    with pytest.raises(typer.Exit):
        samples.run(check=True)
    assert sampling.missing_samples() == []


@pytest.mark.parametrize(("name", "fields"), ALL)
async def test_stored_bytes_of_a_sample_are_read_as_the_sample(
    name: str, fields: Mapping[str, Any]
) -> None:
    """As a reader of the log or the topic meets them, personal fields under a destroyed key."""
    event = load_sample(name, dict(fields))
    personal = dict.fromkeys(shape_of(type(event)).personal)
    data = orjson.dumps({**fields, **personal})
    stored = Stored(name, UUID(int=1), data)
    (read,) = await Wire().decode([stored], keys=MemoryKeys())
    assert read == event.model_copy(update=personal)


@pytest.mark.parametrize(("name", "fields"), ALL)
def test_every_fold_and_every_reader_takes_a_sample(name: str, fields: Mapping[str, Any]) -> None:
    recorded = Recorded(_envelope(context_of(name)), load_sample(name, dict(fields)))
    life_of(facts_of([recorded]))
    customer_of([recorded])
    if subject_of(recorded.event) is not None:
        fold([Fact.of(recorded)])
    for react in (billing_reacts, contracts_react, monitoring_reacts):
        assert len({reaction.stream_id for reaction in react(recorded)}) == len(react(recorded))
    occasion_of(recorded.event)


def _envelope(context: str) -> Envelope:
    return Envelope(
        event_id=UUID(int=1),
        context=context,
        log_epoch=UUID(int=2),
        stream_id=UUID(int=3),
        version=1,
        position=1,
        partition=0,
        sequence=1,
        recorded_at=datetime(2026, 4, 1, tzinfo=UTC),
        correlation_id=UUID(int=4),
        causation_id=None,
        actor="operator-1",
        traceparent=None,
    )
