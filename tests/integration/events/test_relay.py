"""The relay: everything in the log stands in the topic, in order, whatever happens to it."""

from libs.events.relay import Relay
from tests.support.way import Place, all_of, append_starts, new_ones, running, until


async def sent(place: Place) -> bool:
    """Whether the relay's cursor stands at the log's head."""
    return bool(
        await place.pool.fetchval(
            "SELECT relay_cursor.position = log_head.position FROM relay_cursor, log_head"
        )
    )


async def test_each_event_of_the_log_stands_in_the_topic_once_and_in_order(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    await append_starts(source.log, streams=40, versions=5)
    async with running(relay.run):
        await until(lambda: sent(source))
    found = await all_of(topic, bootstrap=kafka_bootstrap)
    assert new_ones(found) == found
    assert {message.envelope for message in found} == {
        event.envelope for event in await source.log.read(0, limit=1000)
    }
