"""A reaction that is missing is told, and one that rests on nothing; what led to nothing is not."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from libs.events import recovering
from libs.events.consumer import Consumer
from libs.events.envelope import Event, Recorded
from libs.events.log import StreamAppend
from libs.events.reaction import NotYetSeen, React, Reaction
from libs.events.reactor import Reactor
from libs.events.reconcile import Check, whole_round
from libs.events.reconcile_reactions import Causes, reacted
from libs.events.relay import Relay
from libs.events.taking_again import NotToTakeAgain, Stand, take_again
from libs.events.vocabulary.billing import PaymentReversed
from tests.support.parked import parked_events
from tests.support.way import CASE, Place, append_starts, running, until

ONE = UUID(int=1)
DECIDED = PaymentReversed(
    account_id=ONE, payment_id=UUID(int=9), reversed_on=date(2026, 4, 1), reason="decided"
)


def in_turn(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """The first event begins, the second would if nothing had, the third ends what was begun."""

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        match recorded.envelope.version:
            case 1:
                return [DECIDED]
            case 2:
                return () if history else [DECIDED]
            case _:
                return [DECIDED] if history else ()

    return [Reaction(stream_id=ONE, decision=decision)]


def on_what_is_there(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """An event leads to something where something stands already."""
    return [
        Reaction(
            stream_id=recorded.envelope.stream_id,
            decision=lambda history: [DECIDED] if history else (),
        )
    ]


def waiting_for_it(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """An event leads to something as soon as something stands there."""

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        if not history:
            raise NotYetSeen("nothing is there yet")
        return [DECIDED]

    return [Reaction(stream_id=recorded.envelope.stream_id, decision=decision)]


def begun_by_each(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """Every event leads to something on its own stream."""
    return [Reaction(stream_id=recorded.envelope.stream_id, decision=lambda _: [DECIDED])]


def a_reader(target: Place, *, react: React, topic: str, bootstrap: str) -> tuple[Consumer, Check]:
    """A reader that decides, and what looks at its reactions."""
    consumer = Consumer(
        Reactor("reader", react=react, log=target.log, pool=target.pool, keys=target.keys),
        topics=[topic],
        group=f"{topic}-reader",
        bootstrap=bootstrap,
        pool=target.pool,
    )
    (check,) = reacted(
        consumer="reader",
        topics=[topic],
        react=react,
        pool=target.pool,
        bootstrap=bootstrap,
        keys=target.keys,
    )
    return consumer, check


async def react_to_all(
    source: Place, target: Place, *, react: React, topic: str, bootstrap: str
) -> Check:
    """Run relay and reactor until everything of the source was taken; what looks at it then."""
    consumer, check = a_reader(target, react=react, topic=topic, bootstrap=bootstrap)

    async def taken() -> bool:
        found = await target.pool.fetchval("SELECT sum(sequence) FROM consumer_cursor")
        return bool(found == await source.log.position())

    relay = Relay(dsn=source.dsn, bootstrap=bootstrap, topic=topic)
    async with running(relay.run), running(consumer.run):
        await until(taken)
    return check


async def told(check: Check) -> list[str]:
    """What does not agree, by its place."""
    return [drift.place for drift in (await whole_round(check, limit=100)).drift]


async def take_out(target: Place, *, because_of: Recorded[Event]) -> None:
    """Somebody deletes a reaction."""
    gone = await target.pool.execute(
        "DELETE FROM event WHERE causation_id = $1", because_of.envelope.event_id
    )
    assert gone == "DELETE 1"


async def test_an_event_that_asked_for_a_reaction_and_has_none_is_told(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=3)
    check = await react_to_all(
        source, target, react=in_turn, topic=topic, bootstrap=kafka_bootstrap
    )
    assert len(await target.log.load(ONE)) == 2
    found = await whole_round(check, limit=100)
    assert (found.looked, found.drift) == (3, ())

    first, second, third = await source.log.load(ONE)
    await target.pool.execute("CREATE TABLE as_it_was AS SELECT * FROM event")
    place = f"{topic}/{first.envelope.partition}, sequence "
    await take_out(target, because_of=third)
    (drift,) = (await whole_round(check, limit=100)).drift
    assert drift.check == f"reader of {topic}"
    assert drift.place == f"{place}3"
    assert drift.what == (
        f"{third.event.type} {third.envelope.event_id}: it asks for a reaction on stream {ONE},"
        " and the log has none"
    )
    await target.pool.execute(
        "INSERT INTO skipped_event VALUES ('reader', $1, $2, 3, $3, $4, 'a', 'b', 'c')",
        topic,
        third.envelope.partition,
        ONE,
        third.envelope.event_id,
    )
    assert await told(check) == [], "an operator gave it up"

    await take_out(target, because_of=first)
    assert await told(check) == [f"{place}1", f"{place}2"]
    assert second.envelope.version == 2
    await target.pool.execute("DELETE FROM skipped_event")
    await target.pool.execute(
        "INSERT INTO event SELECT * FROM as_it_was WHERE causation_id = $1",
        third.envelope.event_id,
    )
    assert await told(check) == [f"{place}1", f"{place}2"], "what a later event led to is no excuse"


async def test_what_was_taken_before_the_code_reacted_to_it_is_decided_on_when_taken_again(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=2, versions=1)
    old, other = await source.log.read(0, limit=10)
    await react_to_all(source, target, react=lambda _: (), topic=topic, bootstrap=kafka_bootstrap)
    reader, check = a_reader(target, react=begun_by_each, topic=topic, bootstrap=kafka_bootstrap)
    assert len(await told(check)) == 2
    stand = Stand(topic, old.envelope.partition, old.envelope.sequence)
    later = Stand(topic, other.envelope.partition, other.envelope.sequence)

    async def again(*stands: Stand) -> None:
        ids = await take_again(target.pool, "reader", stands=stands, bootstrap=kafka_bootstrap)
        assert len(ids) == len(stands)

    async def none_parked() -> bool:
        return await parked_events(target.pool) == []

    await again(stand)
    with pytest.raises(NotToTakeAgain, match="is parked"):
        await again(later, stand)
    assert [each.event_id for each in await parked_events(target.pool)] == [old.envelope.event_id]
    async with running(reader.run):
        await until(none_parked)
        assert len(await told(check)) == 1
        await again(stand, later)
        await until(none_parked)
    assert await told(check) == []
    found = await target.log.read(0, limit=10)
    assert [each.envelope.causation_id for each in found] == [
        old.envelope.event_id,
        other.envelope.event_id,
    ], "and the first not twice"

    with pytest.raises(NotToTakeAgain, match="has taken no event"):
        await again(stand._replace(sequence=9))
    await target.pool.execute(
        "INSERT INTO skipped_event VALUES ('reader', $1, $2, $3, $4, $5, 'a', 'b', 'tanaka')",
        *stand,
        old.envelope.stream_id,
        old.envelope.event_id,
    )
    with pytest.raises(NotToTakeAgain, match="tanaka gave"):
        await again(stand)


async def test_what_stood_there_well_before_was_there(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    own = StreamAppend(stream_id=ONE, events=[DECIDED], expected=0)
    await target.log.append(own, cause=CASE)
    await append_starts(source.log, streams=1, versions=1)
    check = await react_to_all(
        source, target, react=on_what_is_there, topic=topic, bootstrap=kafka_bootstrap
    )
    (cause,) = await source.log.load(ONE)
    assert await told(check) == []
    await take_out(target, because_of=cause)
    assert await told(check) == [], "by these clocks it may have come later"
    await target.pool.execute("UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    assert len(await told(check)) == 1
    await target.pool.execute("UPDATE log_identity SET rehearsal = true")
    assert await told(check) == [], "in a rehearsal times are not when it happened"


async def test_a_history_with_which_it_would_have_been_parked_explains_nothing(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    own = StreamAppend(stream_id=ONE, events=[DECIDED], expected=0)
    await target.log.append(own, cause=CASE)
    await append_starts(source.log, streams=1, versions=1)
    check = await react_to_all(
        source, target, react=waiting_for_it, topic=topic, bootstrap=kafka_bootstrap
    )
    (cause,) = await source.log.load(ONE)
    assert await told(check) == []
    await take_out(target, because_of=cause)
    assert len(await told(check)) == 1


@pytest.mark.parametrize("limit", [pytest.param(1, id="one by one"), pytest.param(9, id="at once")])
async def test_a_reaction_that_rests_on_no_event_is_told_unless_a_fork_explains_it(
    source: Place, target: Place, topic: str, kafka_bootstrap: str, limit: int
) -> None:
    await append_starts(source.log, streams=1, versions=3)
    await react_to_all(source, target, react=in_turn, topic=topic, bootstrap=kafka_bootstrap)
    check = Causes(pool=target.pool, sources=[source.pool])
    found = await whole_round(check, limit=limit)
    assert (found.looked, found.drift) == (2, ())

    *_, third = await source.log.load(ONE)
    await source.pool.execute("DELETE FROM event WHERE position = 3")
    (drift,) = (await whole_round(check, limit=limit)).drift
    assert drift.place == "position 2"
    assert drift.what.startswith("billing.payment-reversed.v1 ")
    assert drift.what.endswith(f" rests on event {third.envelope.event_id}, which no log has")

    await source.pool.execute("UPDATE log_head SET position = 2")
    connection = await asyncpg.connect(source.dsn)
    await recovering.begin_epoch(connection)
    await connection.close()
    assert await told(check) == [], "lost with the end of the log, and listed then"
    await target.pool.execute("UPDATE event SET recorded_at = clock_timestamp() + interval '1 min'")
    assert await told(check) == ["position 2"]
