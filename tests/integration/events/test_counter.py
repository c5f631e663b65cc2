"""The independent counter complains of whatever is wrong, and of nothing else."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.integration.events.stage import READERS, MakeStage, Stage, bystanders
from tests.support import counter
from tests.support.counter import Call, Effect, Found, complaints
from tests.support.way import a_topic

VIEW = "follower"
# Numbers that a rolled-back transaction took are missing, so none may be named.
TWICE = "INSERT INTO note SELECT * FROM note ORDER BY seen LIMIT 1"
ONCE_LESS = "DELETE FROM note WHERE seen = (SELECT min(seen) FROM note)"


@pytest.fixture
async def stage(make_stage: MakeStage) -> Stage:
    """A stage on which all is well, at rest."""
    found = await make_stage()
    async with bystanders(found, kinds={"relay", *READERS}):
        async with bystanders(found, kinds={"caller"}):
            await found.moves(by=40)
        await found.rests()
    return found


def without_an_event(found: Found) -> Found:
    return replace(found, log=[*found.log[:5], *found.log[6:]])


def without_the_last_event(found: Found) -> Found:
    return replace(found, log=found.log[:-1])


def with_a_clock_that_went_back(found: Found) -> Found:
    early = found.log[7]._replace(recorded_at=found.log[0].recorded_at.replace(year=2000))
    return replace(found, log=[*found.log[:7], early, *found.log[8:]])


def with_a_position_given_twice(found: Found) -> Found:
    return replace(found, log=[*found.log, found.log[-1]])


def with_an_event_nobody_asked_for(found: Found) -> Found:
    strange = found.log[-1]._replace(actor="nobody")
    return replace(found, log=[*found.log[:-1], strange])


def with_a_refusal_that_stands(found: Found) -> Found:
    call = next(call for call in found.calls if call.outcome == "acknowledged")
    calls = [one for one in found.calls if one != call]
    return replace(found, calls=[*calls, Call(call.name, "refused")])


def with_a_call_half_standing(found: Found) -> Found:
    """The outcome was not told, so only the half gives it away."""
    call = next(call for call in found.calls if call.outcome == "acknowledged")
    calls = [one for one in found.calls if one.name != call.name]
    stands = [(one.stream_id, one.version) for one in found.log if one.actor == call.name]
    more = (*stands, (UUID(int=5), 1))
    return replace(found, calls=[*calls, Call(call.name, "asked", more)])


def with_an_acknowledged_call_that_is_not_there(found: Found) -> Found:
    lost = ((UUID(int=5), 1),)
    more = (Call("lost", "asked", lost), Call("lost", "acknowledged"))
    return replace(found, calls=[*found.calls, *more])


def without_a_record(found: Found) -> Found:
    return replace(found, topic=[*found.topic[:3], *found.topic[4:]])


def without_the_last_record(found: Found) -> Found:
    return replace(found, topic=found.topic[:-1])


def with_two_records_swapped(found: Found) -> Found:
    at = _two_of_one_partition(found)
    topic = list(found.topic)
    topic[at], topic[at + 1] = topic[at + 1], topic[at]
    return replace(found, topic=topic)


def with_another_value_in_a_record(found: Found) -> Found:
    return replace(found, topic=[found.topic[0]._replace(data=b"{}"), *found.topic[1:]])


def with_a_record_of_no_event(found: Found) -> Found:
    return replace(found, topic=[*found.topic, found.topic[-1]._replace(sequence=10_000)])


def without_an_effect(found: Found) -> Found:
    return _with_effects(found, lambda effects: effects[1:])


def with_an_effect_twice(found: Found) -> Found:
    return _with_effects(found, lambda effects: [*effects, effects[-1]])


def with_two_effects_swapped(found: Found) -> Found:
    def swapped(effects: list[Effect]) -> list[Effect]:
        at = next(at for at, effect in enumerate(effects) if effect.version == 2)
        before = next(
            before
            for before, effect in enumerate(effects)
            if effect.stream_id == effects[at].stream_id
        )
        effects[at], effects[before] = effects[before], effects[at]
        return effects

    return _with_effects(found, swapped)


def _with_effects(found: Found, change: Callable[[list[Effect]], list[Effect]]) -> Found:
    return replace(found, effects={**found.effects, VIEW: change(list(found.effects[VIEW]))})


def _two_of_one_partition(found: Found) -> int:
    return next(
        at
        for at, (one, other) in enumerate(pairwise(found.topic))
        if one.partition == other.partition
    )


DOCTORED: list[tuple[Callable[[Found], Found], str]] = [
    (without_an_event, "log: positions: 7 after 5"),
    (without_the_last_event, "log: its head says"),
    (with_a_clock_that_went_back, "log: time runs backwards at position 8"),
    (with_a_position_given_twice, "log: positions:"),
    (with_an_event_nobody_asked_for, "which nobody asked for"),
    (with_a_refusal_that_stands, "refused, and"),
    (with_a_call_half_standing, "stands in part"),
    (with_an_acknowledged_call_that_is_not_there, "acknowledged, and of 1 events 0 stand"),
    (without_a_record, "is missing"),
    (without_the_last_record, "is missing"),
    (with_two_records_swapped, "stands there before"),
    (with_another_value_in_a_record, "is not what the log holds"),
    (with_a_record_of_no_event, "stands in no log"),
    (without_an_effect, "had none"),
    (with_an_effect_twice, "had one too many"),
    (with_two_effects_swapped, "after"),
]


async def test_it_complains_of_whatever_was_doctored_and_of_nothing_else(stage: Stage) -> None:
    found = await stage.is_well()
    for doctor, words in DOCTORED:
        wrong = complaints(doctor(found))
        assert any(words in complaint for complaint in wrong), (doctor.__name__, wrong)
    again = replace(found, topic=[*found.topic, found.topic[-1]])
    assert complaints(again) == []  # a record sent twice is passed over


async def test_it_sees_what_was_done_to_the_real_log_and_effects(stage: Stage) -> None:
    await stage.is_well()
    source, target = await asyncpg.connect(stage.source), await asyncpg.connect(stage.target)
    try:
        await target.execute(TWICE)
        (wrong,) = complaints(await stage.count())
        assert wrong.startswith("effects of projector: position ")
        assert wrong.endswith(" had one too many")
        await target.execute(ONCE_LESS)
        await target.execute("DELETE FROM event WHERE position = 4")
        first, second = complaints(await stage.count())
        assert first.startswith("effects of projector")
        assert second.startswith("effects of reactor")
        assert first.endswith("had none")
        assert second.endswith("had none")
        await source.execute("DELETE FROM event WHERE position = 4")
        assert "log: positions: 5 after 3" in complaints(await stage.count())
    finally:
        await source.close()
        await target.close()


async def test_it_sees_a_record_that_was_left_out_of_a_real_topic(
    stage: Stage, kafka_bootstrap: str
) -> None:
    holed = await a_topic(kafka_bootstrap, prefix=f"{stage.topic}-holed-")
    left_out = await _copy_without_one(stage.topic, holed, bootstrap=kafka_bootstrap)
    wrong = complaints(await replace(stage, topic=holed).count())
    assert len(wrong) > 0
    assert wrong[-1].startswith(f"topic: partition {left_out}")


def test_it_takes_nothing_from_the_library_it_counts_for() -> None:
    text = Path(counter.__file__).read_text()
    assert "libs" not in text
    assert "tests." not in text


async def _copy_without_one(source: str, target: str, *, bootstrap: str) -> int:
    """Copy all records but the first of a partition that has several; gives that partition."""
    parts = [TopicPartition(source, number) for number in range(12)]
    async with (
        AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(bootstrap_servers=bootstrap) as producer,
    ):
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts)
        hole = next(part for part in parts if ends[part] > 1)
        for part in parts:
            consumer.seek(part, int(part == hole))
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    await producer.send_and_wait(
                        target,
                        record.value,
                        key=record.key,
                        partition=part.partition,
                        headers=list(record.headers),
                    )
    return int(hole.partition)
