"""What an effect raises by itself parks its stream, though it has a name of the weather's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from libs.events.batch import Reader
from libs.events.consumer import Consumer
from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.log import LogUnavailable
from libs.events.parking import ParkedStream
from libs.events.projector import Projector
from libs.events.reaction import Reaction
from libs.events.reactor import Reactor
from libs.events.relay import Relay
from libs.events.weather import is_weather, may_be_its_own
from tests.support.parked import parked_events
from tests.support.way import Place, append_starts, notes, running, take_notes, until

ONE = UUID(int=1)


@asynccontextmanager
async def at_work(reader: Reader, *, topic: str, kafka: str, target: Place) -> AsyncIterator[None]:
    consumer = Consumer(
        reader, topics=[topic], group=f"{topic}-reader", bootstrap=kafka, pool=target.pool
    )
    async with running(consumer.run):
        yield


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(TimeoutError("too slow"), id="a time-out"),
        pytest.param(FileNotFoundError("no template"), id="a file"),
    ],
)
async def test_an_effect_that_times_out_by_itself_is_tried_five_times_and_parks(
    source: Place, target: Place, topic: str, kafka_bootstrap: str, failing: Exception
) -> None:
    alone = 0

    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        nonlocal alone
        await take_notes(connection, batch)
        if any((e.envelope.stream_id, e.envelope.version) == (ONE, 2) for e in batch):
            alone += len(batch) == 1
            raise failing

    reader = Projector("reader", effect=effect, pool=target.pool, keys=target.keys)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=3, versions=3)
    async with (
        running(relay.run),
        at_work(reader, topic=topic, kafka=kafka_bootstrap, target=target),
    ):

        async def all_taken() -> bool:
            parked = await parked_events(target.pool)
            return len(await notes(target.pool)) + len(parked) == 9

        await until(all_taken)
        tried = alone
        stream = ParkedStream(consumer="reader", topic=topic, stream_id=ONE)
        assert not await reader.retry(stream)
    assert tried == 5
    assert alone == 6, "what is parked already is tried once at a time"
    first, behind = await parked_events(target.pool)
    assert (first.stream_id, first.waiting, first.attempts) == (ONE, False, 2)
    assert first.reason.startswith(f"{type(failing).__name__} in effect")
    assert first.tried_at is not None
    assert behind.reason == "behind"


async def test_a_decision_that_times_out_parks_at_once_as_it_asks_no_server(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    def decision(_: Sequence[Recorded[Event]]) -> Sequence[Event]:
        raise TimeoutError

    def react(event: Recorded[Event]) -> Sequence[Reaction]:
        return [Reaction(stream_id=event.envelope.stream_id, decision=decision)]

    reader = Reactor("reader", react=react, log=target.log, pool=target.pool, keys=target.keys)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=1, versions=1)
    async with (
        running(relay.run),
        at_work(reader, topic=topic, kafka=kafka_bootstrap, target=target),
    ):

        async def parked() -> bool:
            return bool(await parked_events(target.pool))

        await until(parked)
    (found,) = await parked_events(target.pool)
    assert found.reason.startswith("TimeoutError in decision")


@pytest.mark.parametrize(
    ("error", "own"),
    [
        pytest.param(TimeoutError(), True, id="a time-out"),
        pytest.param(asyncpg.QueryCanceledError(), True, id="a cancelled statement"),
        pytest.param(LogUnavailable(), False, id="the log is away"),
        pytest.param(asyncpg.DiskFullError(), False, id="no room"),
        pytest.param(asyncpg.DeadlockDetectedError(), False, id="a deadlock"),
        pytest.param(asyncpg.LockNotAvailableError(), False, id="a lock"),
        pytest.param(asyncpg.AdminShutdownError(), False, id="a shutdown"),
    ],
)
def test_what_a_server_says_of_itself_is_nobodys_own(error: Exception, *, own: bool) -> None:
    assert is_weather(error)
    assert may_be_its_own(error) is own


async def test_many_parked_events_of_a_stream_are_held_some_at_a_time(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    largest = 0
    well = False

    async def effect(connection: Connection, batch: Sequence[Recorded[Event]]) -> None:
        nonlocal largest
        if not well:
            raise ValueError
        largest = max(largest, len(batch))
        await take_notes(connection, batch)

    reader = Projector("reader", effect=effect, pool=target.pool, keys=target.keys)
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=1, versions=450)
    async with (
        running(relay.run),
        at_work(reader, topic=topic, kafka=kafka_bootstrap, target=target),
    ):

        async def all_parked() -> bool:
            return len(await parked_events(target.pool)) == 450

        await until(all_parked)
    well = True
    assert await reader.retry(ParkedStream(consumer="reader", topic=topic, stream_id=ONE))
    assert await parked_events(target.pool) == []
    assert [version for _, version in await notes(target.pool)] == list(range(1, 451))
    assert largest == 200
