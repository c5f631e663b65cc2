"""Whether all is at rest is told by how each service stands."""

from libs.events.consumer import Consumer
from libs.events.follow import Follower
from libs.events.projector import Projector
from libs.events.relay import Relay
from libs.events.rest import Standing, at_rest, standing
from tests.support.way import Place, append_starts, running, take_notes, until


async def test_what_is_not_sent_taken_or_shown_is_told_and_then_nothing_is(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    view = Follower("starts", log=source.log, pool=source.pool, effect=take_notes)
    projector = Projector("notes", effect=take_notes, pool=target.pool, keys=target.keys)
    consumer = Consumer(
        projector,
        topics=[topic],
        group=f"{topic}-notes",
        bootstrap=kafka_bootstrap,
        pool=target.pool,
    )

    async def standings() -> dict[str, Standing]:
        return {
            "contracts": await standing(source.pool, topic=topic, readers={}, views=("starts",)),
            "billing": await standing(
                target.pool, topic="billing", readers={"notes": (topic,)}, views=()
            ),
        }

    async def rests() -> bool:
        return at_rest(await standings()) == []

    assert await rests()
    await append_starts(source.log, streams=3, versions=2)
    assert at_rest(await standings()) == [
        "contracts: 6 events are not sent",
        "contracts: the view starts is 6 events behind",
        f"billing: notes is 6 events behind in {topic}",
    ]
    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with running(relay.run), running(consumer.run), running(view.run):
        await until(rests)
    found = (await standings())["billing"]
    assert Standing.model_validate_json(found.model_dump_json()) == found
