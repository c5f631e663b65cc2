"""A reader built again takes what it took before, decides nothing twice, and parks without a clash."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from libs.dates.clock import SystemClock
from libs.events import parking, recovering, rewinding
from libs.events.complete import state
from libs.events.consumer import Consumer
from libs.events.database import transaction
from libs.events.envelope import Event, Recorded
from libs.events.heard import Hearer, incomplete
from libs.events.parking import ParkedStream
from libs.events.projector import Projector
from libs.events.reaction import NotYetSeen, Reaction
from libs.events.reactor import Reactor
from libs.events.resending import send_again
from libs.events.vocabulary.billing import AccountOpened
from tests.support.way import Place, append_starts, running, until

READER = "openers"

LOSE_THE_END = """
DELETE FROM event WHERE position > 3;
UPDATE log_head SET position = 3;
UPDATE partition_head SET sequence = coalesce(
    (SELECT max(sequence) FROM event WHERE event.partition = partition_head.partition), 0)
"""


def react(recorded: Recorded[Event]) -> Sequence[Reaction]:
    """Opens an account at every event, however many were opened before."""
    account_id = recorded.envelope.stream_id

    def decision(_: Sequence[Recorded[Event]]) -> Sequence[Event]:
        event = AccountOpened(
            account_id=account_id,
            customer_id=account_id,
            contract_ids=(account_id,),
            opened_on=date(2026, 4, 1),
        )
        return (event,)

    return (Reaction(stream_id=account_id, decision=decision),)


def openers(target: Place, *, topic: str, bootstrap: str) -> Consumer:
    reactor = Reactor(READER, react=react, log=target.log, pool=target.pool, keys=target.keys)
    return Consumer(
        reactor, topics=[topic], group=f"{topic}-{READER}", bootstrap=bootstrap, pool=target.pool
    )


async def taken(target: Place, *, events: int, consumer: str = READER) -> None:
    """Return when a reader's cursors count so many events."""

    async def all_taken() -> bool:
        found = await target.pool.fetchval(
            "SELECT sum(sequence) FROM consumer_cursor WHERE consumer = $1", consumer
        )
        return bool((found or 0) >= events)

    await until(all_taken)


async def test_events_taken_again_are_not_decided_again(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=5, versions=2)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with running(openers(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await taken(target, events=10)
    assert await target.log.position() == 10
    # As after a restore: the log was completed, the cursors are those of the backup.
    await target.pool.execute("DELETE FROM consumer_cursor WHERE partition % 2 = 0")
    await target.pool.execute("UPDATE consumer_cursor SET sequence = 1, kafka_offset = NULL")
    await append_starts(source.log, streams=5, versions=1, after=2)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with running(openers(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await taken(target, events=15)
    rows = await target.pool.fetch("SELECT causation_id FROM event")
    assert len(rows) == len({row["causation_id"] for row in rows}) == 15


async def test_after_a_new_epoch_a_reader_that_decides_goes_on_where_the_logs_parted(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=5)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with running(openers(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await taken(target, events=5)
    known = source.log.log_epoch
    await source.pool.execute(LOSE_THE_END)
    async with transaction(source.pool) as connection:
        await recovering.begin_epoch(connection)
        present, common = await recovering.common_with(connection, known)
        assert await recovering.common_with(connection, present) == (present, None)
        unknown = await recovering.common_with(connection, UUID(int=1))
    assert unknown == (present, None)
    assert common is not None
    assert sum(common) == 3
    await append_starts(source.log, streams=1, versions=1, after=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    await rewinding.go_back(
        target.pool, READER, topic=topic, known=known, present=present, common=common
    )
    async with running(openers(target, topic=topic, bootstrap=kafka_bootstrap).run):
        await taken(target, events=4)
    # Five of the old log, two of them on events that are no more, and one of the new.
    assert await target.log.position() == 6
    orphans = await rewinding.resting_on_nothing(
        target.pool,
        sources=[source.pool],
        since=(await source.log.load(UUID(int=1)))[2].envelope.recorded_at,
    )
    assert [row["position"] for row in orphans] == [4, 5]


async def test_parked_events_of_a_log_that_is_no_more_do_not_stand_in_the_way(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    async def fails(_: object, batch: Sequence[Recorded[Event]]) -> None:
        if batch:
            raise NotYetSeen("nothing is there yet")

    def reader() -> Consumer:
        return Consumer(
            Projector("refusers", effect=fails, pool=target.pool, keys=target.keys),
            topics=[topic],
            group=f"{topic}-refusers",
            bootstrap=kafka_bootstrap,
            pool=target.pool,
        )

    await append_starts(source.log, streams=1, versions=5)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    async with running(reader().run):
        await taken(target, events=5, consumer="refusers")
    known = source.log.log_epoch
    await source.pool.execute(LOSE_THE_END)
    async with transaction(source.pool) as connection:
        present = await recovering.begin_epoch(connection)
        _, common = await recovering.common_with(connection, known)
    assert common is not None
    await append_starts(source.log, streams=1, versions=1, after=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)
    stream = ParkedStream(consumer="refusers", topic=topic, stream_id=UUID(int=1))
    async with transaction(target.pool) as connection:
        first = await parking.skip(connection, stream, because="try", by="tanaka")

    await rewinding.go_back(
        target.pool, "refusers", topic=topic, known=known, present=present, common=common
    )
    async with running(reader().run):
        await taken(target, events=4, consumer="refusers")
    assert await parked_sequences(target) == [2, 3, 4]
    assert first == (await source.log.load(UUID(int=1)))[0].envelope.event_id


async def parked_sequences(target: Place) -> list[int]:
    """The sequences of what is parked, in order."""
    rows = await target.pool.fetch("SELECT sequence FROM parked_event ORDER BY sequence")
    return [row["sequence"] for row in rows]


async def complete(target: Place, *, topic: str, until: datetime) -> bool:
    """Whether the reader is said to have all that a topic's log recorded before a time."""
    return not await incomplete(target.pool, READER, topics=[topic], until=until)


async def test_a_reader_set_back_is_complete_up_to_no_time_until_it_has_taken_all_again(
    source: Place, target: Place, topic: str, kafka_bootstrap: str
) -> None:
    """A run that asks for all of a day must wait for what was forgotten to be taken again."""
    await append_starts(source.log, streams=1, versions=3)
    await send_again(source.dsn, topic=topic, bootstrap=kafka_bootstrap)

    async def keep(_: object, __: Sequence[Recorded[Event]]) -> None:
        """It keeps nothing, and takes all."""

    def reader() -> Consumer:
        return Consumer(
            Projector(READER, effect=keep, pool=target.pool, keys=target.keys),
            topics=[topic],
            group=f"{topic}-{READER}",
            bootstrap=kafka_bootstrap,
            pool=target.pool,
        )

    async def hears() -> None:
        hearer = Hearer(
            reader=READER,
            topics=[topic],
            bootstrap=kafka_bootstrap,
            pool=target.pool,
            prefix="",
        )
        hearer.hear(said.model_dump_json().encode())
        await hearer.confirm()

    said = await state(source.pool, topic=topic, clock=SystemClock())
    async with running(reader().run):
        await taken(target, events=3)
    await hears()
    assert await complete(target, topic=topic, until=said.complete_until)

    common = [0] * len(said.sequences)
    epoch = source.log.log_epoch
    await rewinding.go_back(
        target.pool, READER, topic=topic, known=epoch, present=epoch, common=common
    )
    assert not await complete(target, topic=topic, until=said.complete_until)
