"""The reactor: what an event leads to stands in the log once, with the cursor, and with its cause."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from libs.events.consumer import Consumer
from libs.events.envelope import Event, Recorded
from libs.events.log import Reservation, Riders
from libs.events.reaction import React, Reaction
from libs.events.reactor import Reactor
from libs.events.relay import Relay
from libs.events.vocabulary.billing import PaymentReversed
from libs.events.vocabulary.contracts import ServiceStarted
from tests.conftest import MakeDatabase
from tests.support.way import CASE, Place, a_log, append_starts, running, until

PAIR = UUID(int=900)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def reversed_because(event: Recorded[ServiceStarted]) -> PaymentReversed:
    return PaymentReversed(
        account_id=event.event.contract_id,
        payment_id=event.envelope.event_id,
        reversed_on=event.event.started_on,
        reason=str(event.envelope.version),
    )


def on_second_versions(event: Recorded[Event]) -> Sequence[Reaction]:
    """Every second event of a stream leads to two streams at once; the others to nothing."""
    if not isinstance(event.event, ServiceStarted) or event.envelope.version != 2:
        return ()
    decided = reversed_because(Recorded(event.envelope, event.event))
    return [
        Reaction(stream_id=event.envelope.stream_id, decision=lambda _: [decided]),
        Reaction(stream_id=PAIR, decision=lambda _: [decided]),
    ]


def a_consumer(
    target: Place, *, react: React, topic: str, bootstrap: str, rehearsal: bool = False
) -> Consumer:
    reactor = Reactor(
        "reactions",
        react=react,
        log=target.log,
        pool=target.pool,
        keys=target.keys,
        rehearsal=rehearsal,
    )
    return Consumer(
        reactor, topics=[topic], group=f"{topic}-reactions", bootstrap=bootstrap, pool=target.pool
    )


async def taken(target: Place) -> int:
    return int(await target.pool.fetchval("SELECT coalesce(sum(sequence), 0) FROM consumer_cursor"))


async def test_reactions_to_an_event_are_appended_together_with_their_cause(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, react=on_second_versions, topic=topic, bootstrap=kafka_bootstrap)

    async def all_taken() -> bool:
        return await taken(target) == 30

    async with running(relay.run), running(consumer.run):
        await append_starts(source.log, streams=10, versions=3)
        await until(all_taken)
    events = await target.log.read(0, limit=100)
    assert len(events) == 20
    for one, pair in zip(events[::2], events[1::2], strict=True):
        assert {one.envelope.stream_id, pair.envelope.stream_id} > {PAIR}
        assert one.envelope.causation_id == pair.envelope.causation_id
        assert one.envelope.recorded_at == pair.envelope.recorded_at
        assert one.envelope.correlation_id == CASE.correlation_id
        assert one.envelope.actor == "system:billing"
    causes = {event.envelope.event_id for event in await source.log.read(0, limit=100)}
    assert {event.envelope.causation_id for event in events} < causes


async def test_a_reaction_continues_the_trace_of_its_cause(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, react=on_second_versions, topic=topic, bootstrap=kafka_bootstrap)

    async def all_taken() -> bool:
        return await taken(target) == 2

    cause = replace(CASE, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    async with running(relay.run), running(consumer.run):
        await append_starts(source.log, streams=1, versions=2, cause=cause)
        await until(all_taken)
    events = await target.log.read(0, limit=100)
    assert [(event.envelope.traceparent or "").split("-")[1] for event in events] == [TRACE] * 2


async def test_told_to_stop_it_leaves_what_was_fetched_and_nothing_is_lost_or_doubled(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    stop = asyncio.Event()

    def react(event: Recorded[Event]) -> Sequence[Reaction]:
        """Each event leads to one; the first time, the process is told to stop meanwhile."""
        assert isinstance(event.event, ServiceStarted)
        decided = reversed_because(Recorded(event.envelope, event.event))

        def decision(_: Sequence[Recorded[Event]]) -> Sequence[Event]:
            stop.set()
            return [decided]

        return [Reaction(stream_id=event.envelope.event_id, decision=decision)]

    async def sent() -> bool:
        return bool(await source.pool.fetchval("SELECT position FROM relay_cursor") == 300)

    async def all_taken() -> bool:
        return await taken(target) == 300

    await append_starts(source.log, streams=1, versions=300)
    async with running(Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic).run):
        await until(sent)
    consumer = a_consumer(target, react=react, topic=topic, bootstrap=kafka_bootstrap)
    await consumer.run(stop)
    assert 0 < await target.log.position() == await taken(target) <= 50
    async with running(consumer.run):
        await until(all_taken)
    found = [event.envelope.causation_id for event in await target.log.read(0, limit=1000)]
    assert found == [event.envelope.event_id for event in await source.log.read(0, limit=1000)]


async def test_two_reactors_that_hold_one_partition_append_once(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    # Two groups, so that Kafka gives every partition to both, as in a pause longer than the group
    # bears.
    both = [
        Consumer(
            Reactor(
                "reactions",
                react=on_second_versions,
                log=target.log,
                pool=target.pool,
                keys=target.keys,
            ),
            topics=[topic],
            group=f"{topic}-{number}",
            bootstrap=kafka_bootstrap,
            pool=target.pool,
        )
        for number in range(2)
    ]

    async def all_taken() -> bool:
        return await taken(target) == 120

    async with running(relay.run), running(both[0].run), running(both[1].run):
        await append_starts(source.log, streams=40, versions=3)
        await until(all_taken)
    events = await target.log.read(0, limit=1000)
    assert len(events) == 80
    assert len({event.envelope.causation_id for event in events}) == 40


async def test_a_reaction_without_events_still_stores_its_riders(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    def reserve(event: Recorded[Event]) -> Sequence[Reaction]:
        assert isinstance(event.event, ServiceStarted)
        held = Reservation(
            kind="contract",
            value=str(event.envelope.stream_id),
            owner=event.envelope.stream_id,
            from_on=event.event.started_on,
        )
        return [
            Reaction(
                stream_id=event.envelope.stream_id,
                decision=lambda _: [],
                riders=Riders(reserve=(held,)),
            )
        ]

    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, react=reserve, topic=topic, bootstrap=kafka_bootstrap)

    async def all_taken() -> bool:
        return await taken(target) == 3

    async with running(relay.run), running(consumer.run):
        await append_starts(source.log, streams=3, versions=1)
        await until(all_taken)
    assert await target.pool.fetchval("SELECT count(*) FROM reservation") == 3


async def test_a_reaction_decides_again_when_someone_else_was_first(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    def count(event: Recorded[Event]) -> Sequence[Reaction]:
        assert isinstance(event.event, ServiceStarted)
        started = Recorded(event.envelope, event.event)

        def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
            reason = str(len(history) + 1)
            return [reversed_because(started).model_copy(update={"reason": reason})]

        return [Reaction(stream_id=PAIR, decision=decision)]

    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, react=count, topic=topic, bootstrap=kafka_bootstrap)

    async def all_taken() -> bool:
        return await taken(target) == 50

    async with running(relay.run), running(consumer.run):
        await asyncio.gather(append_starts(source.log, streams=50, versions=1), until(all_taken))
    history = await target.log.load(PAIR)
    counted = [one.event.reason for one in history if isinstance(one.event, PaymentReversed)]
    assert counted == [str(number) for number in range(1, 51)]


async def test_in_a_rehearsal_what_follows_is_recorded_at_the_time_of_its_cause(
    source: Place, database: MakeDatabase, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with a_log(await database(), "billing", rehearsal=True) as target:
        consumer = a_consumer(
            target,
            react=on_second_versions,
            topic=topic,
            bootstrap=kafka_bootstrap,
            rehearsal=True,
        )

        async def all_taken() -> bool:
            return await taken(target) == 2

        async with running(relay.run), running(consumer.run):
            await append_starts(source.log, streams=1, versions=2)
            await until(all_taken)
        _, cause = await source.log.read(0, limit=10)
        for event in await target.log.read(0, limit=10):
            assert event.envelope.recorded_at == cause.envelope.recorded_at
