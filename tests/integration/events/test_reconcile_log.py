"""A log that was tampered with is found out by itself and by its topic, and told in words."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from libs.events.log import StreamAppend
from libs.events.reconcile import Check, Looked, whole_round
from libs.events.reconcile_log import log_checks
from libs.events.reconcile_topic import Sent
from libs.events.reconciling import Reconciler, list_drift, outcomes
from libs.events.relay import Relay
from tests.support.way import CASE, Place, a_start, append_starts, running, until


async def words(checks: Sequence[Check], *, limit: int = 4) -> list[str]:
    """What does not agree, looked at in pieces of four."""
    return [
        f"{drift.place}: {drift.what}"
        for check in checks
        for drift in (await whole_round(check, limit=limit)).drift
    ]


async def test_a_log_as_it_was_written_agrees_with_itself(source: Place) -> None:
    assert await words(log_checks(source.pool)) == []
    await append_starts(source.log, streams=3, versions=5)
    assert await words(log_checks(source.pool)) == []
    looked = [(await whole_round(check, limit=4)).looked for check in log_checks(source.pool)]
    assert looked == [15, 15, 15]


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        pytest.param(
            "UPDATE event SET version = 9 WHERE position = 12",
            [
                "stream 00000000-0000-0000-0000-000000000003: version 5 follows on version 3",
                "stream 00000000-0000-0000-0000-000000000003: version 9 follows on version 5",
                (
                    "stream 00000000-0000-0000-0000-000000000003: version 9 stands before version 5"
                    " in the log"
                ),
            ],
            id="a version",
        ),
        pytest.param(
            "UPDATE log_head SET position = 17",
            ["log_head: says that the last event is at 17, and it is at 15"],
            id="the head",
        ),
        pytest.param(
            "UPDATE event SET recorded_at = recorded_at - interval '1 day' WHERE position = 7",
            ["position 7: was recorded before the event before it"],
            id="a recorded time",
        ),
        pytest.param(
            "UPDATE relay_cursor SET position = 99",
            ["relay_cursor: says that events up to 99 were sent, and the log ends at 15"],
            id="the relay's cursor",
        ),
    ],
)
async def test_what_was_changed_in_a_log_is_told(
    source: Place, tampering: str, told: list[str]
) -> None:
    await append_starts(source.log, streams=3, versions=5)
    await source.pool.execute(tampering)
    assert await words(log_checks(source.pool)) == told


async def test_an_event_that_was_deleted_is_missed_everywhere(source: Place) -> None:
    await append_starts(source.log, streams=3, versions=5)
    gone = await source.pool.fetchrow(
        "DELETE FROM event WHERE stream_id = $1 AND version = 2 RETURNING partition, sequence,"
        " position",
        UUID(int=1),
    )
    assert gone is not None
    found = await words(log_checks(source.pool))
    assert f"position {gone['position']}: {gone['position']} is missing from the log" in found
    partition, sequence = gone["partition"], gone["sequence"]
    assert any(
        line.startswith(f"partition {partition}, sequence ")
        and line.endswith(f"{sequence} is missing before it")
        for line in found
    )
    assert f"stream {UUID(int=1)}: version 3 follows on version 1" in found
    assert len(found) == 3


async def sent(source: Place) -> bool:
    cursor = await source.pool.fetchval("SELECT position FROM relay_cursor")
    return bool(cursor == await source.log.position())


async def test_a_topic_is_compared_with_its_log_byte_by_byte(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    check = Sent(pool=source.pool, topic=topic, bootstrap=kafka_bootstrap)
    await append_starts(source.log, streams=4, versions=3)
    assert await words([check]) == [], "what was not sent yet is no drift"
    async with running(Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic).run):
        await until(lambda: sent(source))
    assert await words([check]) == []
    assert (await whole_round(check, limit=4)).looked == 12

    changed = await source.pool.fetchrow(
        "UPDATE event SET data = '{}' WHERE position = 5 RETURNING partition, sequence"
    )
    assert changed is not None
    assert await words([check]) == [
        (
            f"{topic}/{changed['partition']}: sequence {changed['sequence']} has other data than"
            " the log"
        )
    ]
    await source.pool.execute("UPDATE event SET actor = 'someone' WHERE position = 5")
    await source.pool.execute(
        "UPDATE event SET data = e.data FROM event e WHERE event.position = 5 AND e.position = 1"
    )
    (told,) = await words([check])
    assert told.startswith(f"{topic}/{changed['partition']}: sequence {changed['sequence']} has")


async def test_events_that_were_marked_sent_and_are_not_in_the_topic_are_told(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    await append_starts(source.log, streams=1, versions=3)
    await source.pool.execute("UPDATE relay_cursor SET position = 3")
    (told,) = await words([Sent(pool=source.pool, topic=topic, bootstrap=kafka_bootstrap)])
    assert told.endswith("ends with sequence 0, and events up to 3 were sent")


async def test_nothing_is_drift_only_because_it_is_on_its_way(
    source: Place, topic: str, kafka_bootstrap: str
) -> None:
    checks: list[Check] = [
        *log_checks(source.pool),
        Sent(pool=source.pool, topic=topic, bootstrap=kafka_bootstrap),
    ]

    async def traffic(stop: asyncio.Event) -> None:
        version = 0
        while not stop.is_set():
            await source.log.append(
                *(
                    StreamAppend(stream_id=UUID(int=n), events=[a_start(n)], expected=version)
                    for n in range(1, 9)
                ),
                cause=CASE,
            )
            version += 1

    relay = Relay(dsn=source.dsn, bootstrap=kafka_bootstrap, topic=topic)
    async with running(relay.run), running(traffic):
        for _ in range(3):
            assert await words(checks, limit=50_000) == []
    assert await source.log.position() > 0


async def test_a_worker_keeps_what_it_finds_until_the_place_agrees_again(source: Place) -> None:
    (positions, *_) = log_checks(source.pool)
    reconciler = Reconciler([positions], pool=source.pool, every_seconds=60)
    await append_starts(source.log, streams=1, versions=3)
    await source.pool.execute("UPDATE log_head SET position = 4")
    assert await reconciler.advance(positions)
    (outcome,) = await outcomes(source.pool)
    assert (outcome.check, outcome.looked, outcome.drift) == ("log positions", 3, 1)
    assert outcome.finished_at is not None
    (kept,) = await list_drift(source.pool, after=None, limit=10)
    assert kept.what == "says that the last event is at 4, and it is at 3"
    await source.pool.execute("UPDATE log_head SET position = 3")
    assert await reconciler.advance(positions)
    (again,) = await outcomes(source.pool)
    assert again.drift == 0
    assert await list_drift(source.pool, after=None, limit=10) == []


async def test_a_worker_goes_on_where_the_look_before_ended(source: Place) -> None:
    (positions, *_) = log_checks(source.pool)
    reconciler = Reconciler([positions], pool=source.pool, every_seconds=60)
    await append_starts(source.log, streams=1, versions=1_100)
    assert await reconciler.advance(positions)
    (half,) = await outcomes(source.pool)
    assert half.finished_at is None
    assert await reconciler.advance(positions)
    (whole,) = await outcomes(source.pool)
    assert whole.finished_at is not None
    assert whole.looked == 1_100


class Looking:
    """A check that asks, while it looks, what the reconciler holds in the database."""

    name = "looking"

    def __init__(self, place: Place) -> None:
        self._place = place
        self.held: list[int] = []

    async def look(self, place: dict[str, object], *, limit: int) -> Looked:
        assert (place, limit) == ({}, 1_000)
        self.held.append(await self._place.pool.fetchval(IN_TRANSACTION))
        return Looked([], 1, None)


IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend'
"""


async def test_nothing_is_held_in_the_database_while_a_check_looks(source: Place) -> None:
    check = Looking(source)
    reconciler = Reconciler([check], pool=source.pool, every_seconds=60)
    assert await reconciler.advance(check)
    assert check.held == [0]


class Meeting:
    """A check at which two workers look at once: none ends before both have begun."""

    name = "meeting"

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)

    async def look(self, place: dict[str, object], *, limit: int) -> Looked:
        assert limit == 1_000
        await self._both.wait()
        return Looked([], 1, None if place else {"after": 1})


async def test_of_two_workers_that_look_at_one_piece_one_is_heard(source: Place) -> None:
    check = Meeting()
    workers = [Reconciler([check], pool=source.pool, every_seconds=60) for _ in range(2)]
    for looked, ended in ((0, False), (2, True)):
        went = await asyncio.gather(*(worker.advance(check) for worker in workers))
        assert sorted(went) == [False, True]
        (outcome,) = await outcomes(source.pool)
        assert (outcome.looked, outcome.finished_at is not None) == (looked, ended)
