"""The consumer: each event has its effect once and in order, and a loss is seen."""

from libs.events.consumer import Consumer
from libs.events.projector import Projector
from libs.events.relay import Relay
from tests.support.way import (
    Place,
    append_starts,
    is_once_and_in_order,
    notes,
    running,
    take_notes,
    until,
)


def a_consumer(target: Place, *, topic: str, bootstrap: str) -> Consumer:
    projector = Projector("notes", effect=take_notes, pool=target.pool, keys=target.keys)
    return Consumer(
        projector, topics=[topic], group=f"{topic}-notes", bootstrap=bootstrap, pool=target.pool
    )


async def test_each_event_has_its_effect_once_and_in_the_order_of_its_stream(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    consumer = a_consumer(target, topic=topic, bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=40, versions=5)
    async with running(relay.run), running(consumer.run):
        await until(lambda: has_notes(target, count=200))
    assert is_once_and_in_order(await notes(target.pool), streams=40, versions=5)


async def has_notes(place: Place, *, count: int) -> bool:
    return len(await notes(place.pool)) >= count
