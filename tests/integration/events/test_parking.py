"""A stream that fails is parked from the failing event on; others go on."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import pytest

from libs.events import parking
from libs.events.batch import Reader
from libs.events.consumer import Consumer
from libs.events.database import Connection, transaction
from libs.events.envelope import Event, Recorded
from libs.events.keys import Key, KeyOwner, Keys
from libs.events.log import LogUnavailable, StreamAppend
from libs.events.parking import ParkedStream
from libs.events.projector import Projector
from libs.events.reaction import NotYetSeen, Reaction
from libs.events.reactor import Reactor
from libs.events.relay import Relay
from libs.events.vocabulary.billing import PaymentReversed
from libs.events.vocabulary.contracts import CustomerRegistered, ServiceStarted
from libs.refusal.refusal import NotFound, Refusal
from tests.support.parked import parked_events
from tests.support.way import CASE, Place, append_starts, notes, running, take_notes, until

ONE = UUID(int=1)
ALL = [(UUID(int=stream), version) for version in (1, 2, 3) for stream in (1, 2, 3)]


class NotToday(Refusal):
    code = "not-today"
    title = "Not today"


@dataclass(slots=True)
class Mood:
    """What readers of these tests do with the second event of stream 1."""

    error: Exception | None
    tried: list[int] = field(default_factory=list)

    def check(self, event: Recorded[Event]) -> None:
        at = event.envelope
        if at.stream_id != ONE:
            return
        self.tried.append(at.version)
        if at.version == 2 and self.error is not None:
            raise self.error


def a_projector(target: Place, mood: Mood, *, keys: Keys | None = None) -> Projector:
    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        await take_notes(connection, batch)
        for event in batch:
            mood.check(event)

    return Projector("reader", effect=effect, pool=target.pool, keys=keys or target.keys)


def a_reactor(target: Place, mood: Mood) -> Reactor:
    """Decides a reversed payment for every start, on a stream of the contract's own."""

    def react(event: Recorded[Event]) -> Sequence[Reaction]:
        if not isinstance(event.event, ServiceStarted):
            return ()
        started = event.event

        def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
            mood.check(event)
            return [
                PaymentReversed(
                    account_id=started.contract_id,
                    payment_id=event.envelope.event_id,
                    reversed_on=started.started_on,
                    reason=str(event.envelope.version),
                )
            ]

        return [Reaction(stream_id=event.envelope.stream_id, decision=decision)]

    return Reactor("reader", react=react, log=target.log, pool=target.pool, keys=target.keys)


MAKERS: dict[str, Callable[[Place, Mood], Reader]] = {
    "projector": a_projector,
    "reactor": a_reactor,
}


async def taken(target: Place) -> list[tuple[UUID, int]]:
    """What had an effect, in order: rows of the projector, or events of the reactor."""
    events = await target.log.read(0, limit=1000)
    reacted = [
        (event.envelope.stream_id, int(event.event.reason))
        for event in events
        if isinstance(event.event, PaymentReversed)
    ]
    return reacted or await notes(target.pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Three streams of three events in a topic, and a reader that can't take one of them."""

    target: Place
    mood: Mood
    reader: Reader
    topic: str
    bootstrap: str

    @property
    def stream(self) -> ParkedStream:
        return ParkedStream(consumer="reader", topic=self.topic, stream_id=ONE)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        consumer = Consumer(
            self.reader,
            topics=[self.topic],
            group=f"{self.topic}-reader",
            bootstrap=self.bootstrap,
            pool=self.target.pool,
        )
        async with running(consumer.run):
            yield

    async def rest(self, *, count: int) -> None:
        """Wait until everything of the topic was taken or parked."""

        async def all_taken() -> bool:
            parked = await parked_events(self.target.pool)
            return len(await taken(self.target)) + len(parked) == count

        await until(all_taken)


@pytest.fixture(params=sorted(MAKERS))
async def scene(
    request: pytest.FixtureRequest, source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> AsyncIterator[Scene]:
    mood = Mood(error=NotToday("it is Sunday"))
    reader = MAKERS[request.param](target, mood)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with running(relay.run):
        await append_starts(source.log, streams=3, versions=3)
        yield Scene(target=target, mood=mood, reader=reader, topic=topic, bootstrap=kafka_bootstrap)


def of_one(found: Sequence[tuple[UUID, int]]) -> list[int]:
    return [version for stream, version in found if stream == ONE]


async def test_a_failing_stream_is_parked_from_the_failing_event_on_and_others_go_on(
    scene: Scene,
) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
    found = await taken(scene.target)
    assert sorted(found) == sorted(set(ALL) - {(ONE, 2), (ONE, 3)})
    first, second = await parked_events(scene.target.pool)
    assert (first.stream_id, first.reason, first.waiting) == (
        ONE,
        "NotToday: it is Sunday",
        False,
    )
    assert (second.stream_id, second.reason) == (ONE, "behind")
    assert await parking.counts(scene.target.pool) == {"reader": (0, 1)}


async def test_an_error_that_may_quote_an_event_is_told_by_kind_and_place_only(
    scene: Scene,
) -> None:
    scene.mood.error = ValueError("taro@example.jp is no name")
    async with scene.at_work():
        await scene.rest(count=9)
    first, _ = await parked_events(scene.target.pool)
    assert first.reason.startswith("ValueError in check (integration/events/test_parking.py:")


async def test_a_retry_takes_the_parked_events_in_order_and_unparks_them(scene: Scene) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
        assert not await scene.reader.retry(scene.stream)
        first, _ = await parked_events(scene.target.pool)
        assert first.attempts == 2
        scene.mood.error = None
        assert await scene.reader.retry(scene.stream)
    found = await taken(scene.target)
    assert sorted(found) == sorted(ALL)
    assert of_one(found) == [1, 2, 3]
    assert await parked_events(scene.target.pool) == []


async def test_a_retry_that_is_asked_for_is_made_by_the_worker(scene: Scene) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
        scene.mood.error = None
        await parking.ask_retry(scene.target.pool, scene.stream)

        async def none_parked() -> bool:
            return await parked_events(scene.target.pool) == []

        await until(none_parked)
    assert of_one(await taken(scene.target)) == [1, 2, 3]
    with pytest.raises(NotFound):
        await parking.ask_retry(scene.target.pool, scene.stream)


async def test_a_skipped_event_is_given_up_with_a_reason_and_what_is_behind_goes_on(
    scene: Scene,
) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
        async with transaction(scene.target.pool) as connection:
            await parking.skip(connection, scene.stream, because="entered twice", by="operator-1")
        await scene.rest(count=8)

        async def none_parked() -> bool:
            return await parked_events(scene.target.pool) == []

        await until(none_parked)
    assert of_one(await taken(scene.target)) == [1, 3]
    skipped = await scene.target.pool.fetchrow("SELECT * FROM skipped_event")
    assert skipped is not None
    assert (skipped["skipped_because"], skipped["skipped_by"]) == ("entered twice", "operator-1")
    assert skipped["parked_because"] == "NotToday: it is Sunday"


async def test_what_waits_for_something_not_yet_seen_is_tried_again_until_it_has_come(
    scene: Scene,
) -> None:
    scene.mood.error = NotYetSeen("no account for this contract yet")
    async with scene.at_work():
        await scene.rest(count=9)
        first, _ = await parked_events(scene.target.pool)
        assert first.waiting
        assert await parking.counts(scene.target.pool) == {"reader": (1, 0)}

        async def tried_again() -> bool:
            return scene.mood.tried.count(2) > 2

        await until(tried_again)
        scene.mood.error = None

        async def all_taken() -> bool:
            return len(await taken(scene.target)) == 9

        await until(all_taken)
    assert of_one(await taken(scene.target)) == [1, 2, 3]


async def test_bad_weather_parks_nothing(scene: Scene) -> None:
    scene.mood.error = LogUnavailable("the database is away")
    async with scene.at_work():

        async def tried_again() -> bool:
            return scene.mood.tried.count(2) > 2

        await until(tried_again)
        assert await parked_events(scene.target.pool) == []
        scene.mood.error = None

        async def all_taken() -> bool:
            return len(await taken(scene.target)) == 9

        await until(all_taken)
    assert of_one(await taken(scene.target)) == [1, 2, 3]


async def test_an_event_that_comes_later_queues_behind_its_parked_stream(
    scene: Scene, source: Place
) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
        await append_starts(source.log, streams=3, versions=1, after=3)
        await scene.rest(count=12)
        found = await taken(scene.target)
        assert of_one(found) == [1]
        assert len(found) == 9
        parked = await parked_events(scene.target.pool)
        assert [one.reason for one in parked] == ["NotToday: it is Sunday", "behind", "behind"]
        scene.mood.error = None
        assert await scene.reader.retry(scene.stream)
    assert of_one(await taken(scene.target)) == [1, 2, 3, 4]


async def test_what_queued_behind_an_event_that_is_gone_is_taken_without_being_asked_for(
    scene: Scene,
) -> None:
    async with scene.at_work():
        await scene.rest(count=9)
    # As when a retry elsewhere takes the first event while a later one is queued behind it.
    await scene.target.pool.execute("DELETE FROM parked_event WHERE attempts > 0")
    async with scene.at_work():
        await scene.rest(count=8)

        async def none_parked() -> bool:
            return await parked_events(scene.target.pool) == []

        await until(none_parked)
    assert of_one(await taken(scene.target)) == [1, 3]


@dataclass(slots=True)
class SlowKeys:
    """Keys that take so long that an operator gives up what is parked first before they come."""

    keys: Keys
    target: Place
    stream: ParkedStream
    asked: int = 0

    async def get(self, key_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
        self.asked += 1
        if self.asked == 1:
            async with transaction(self.target.pool) as connection:
                await connection.execute("SET LOCAL lock_timeout = '2s'")
                await parking.skip(connection, self.stream, because="a double", by="operator-1")
        return await self.keys.get(key_ids)

    async def make(self, owners: Collection[KeyOwner]) -> Mapping[KeyOwner, Key | None]:
        return await self.keys.make(owners)

    async def destroy(self, owners: Collection[KeyOwner]) -> None:
        await self.keys.destroy(owners)


def a_registration() -> CustomerRegistered:
    return CustomerRegistered(
        customer_id=ONE,
        registered_on=date(2026, 4, 1),
        corporate=True,
        payment_method="invoice",
        name="株式会社みどり",
    )


async def test_who_gives_an_event_up_need_not_wait_for_the_keys_of_a_retry(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    mood = Mood(error=NotToday("it is Sunday"))
    scene = Scene(
        target=target,
        mood=mood,
        reader=a_projector(target, mood, keys=source.keys),
        topic=topic,
        bootstrap=kafka_bootstrap,
    )
    await source.log.append(
        *(
            StreamAppend(stream_id=ONE, events=[a_registration()], expected=version)
            for version in range(3)
        ),
        cause=CASE,
    )
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with running(relay.run), scene.at_work():
        await scene.rest(count=3)
    mood.error = None
    keys = SlowKeys(source.keys, target, scene.stream)
    assert await a_projector(target, mood, keys=keys).retry(scene.stream)
    assert keys.asked == 2
    assert of_one(await taken(target)) == [1, 3]
    assert await parked_events(target.pool) == []
