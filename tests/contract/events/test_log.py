"""What every log does; run on the one in memory and on the one on PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from libs.dates.clock import FixedClock
from libs.events.corrections import corrected
from libs.events.envelope import Cause, Event, Recorded
from libs.events.keys import KeyOwner, MemoryKeys
from libs.events.log import (
    NO_RIDERS,
    Appended,
    CursorMove,
    CursorTaken,
    Idempotency,
    Log,
    NotParked,
    Release,
    Reservation,
    Riders,
    StreamAppend,
    Unpark,
)
from libs.events.refusals import EventTooLarge, KeyReused, Reserved, Stale
from libs.events.vocabulary.billing import PaymentReversed
from libs.events.vocabulary.contracts import (
    Content,
    ContractApplied,
    ContractApproved,
    ContractFactCorrected,
    CustomerRegistered,
    ServiceStarted,
)

from .conftest import MakeLog

ONE = UUID(int=1)
OTHER = UUID(int=2)
CUSTOMER = UUID(int=7)
CASE = Cause(correlation_id=UUID(int=100), actor="operator-1", traceparent="00-aa-bb-01")


def a_start(on: date = date(2026, 4, 1)) -> ServiceStarted:
    return ServiceStarted(contract_id=ONE, started_on=on)


def an_application() -> ContractApplied:
    return ContractApplied(
        contract_id=ONE,
        service="MYSEC",
        customer_id=CUSTOMER,
        terms_version=date(2019, 10, 1),
        applied_on=date(2026, 3, 1),
        content=Content(packs={10: 2, 1: 3}, options=("mac",), wished_start_on=date(2026, 4, 1)),
        consents=("terms",),
    )


def a_customer(name: str | None = "株式会社さくら") -> CustomerRegistered:
    return CustomerRegistered(
        customer_id=CUSTOMER,
        registered_on=date(2026, 3, 1),
        corporate=True,
        payment_method="invoice",
        name=name,
        billing_name="経理部",
    )


def to(stream_id: UUID, *events: Event, expected: int = 0) -> StreamAppend:
    return StreamAppend(stream_id=stream_id, events=events, expected=expected)


def a_key(fingerprint: str = "wish", key: str = "k1") -> Riders:
    return Riders(
        idempotency=Idempotency(
            scope="partner",
            key=key,
            fingerprint=fingerprint,
            answer=lambda appended: f"at {appended.position}".encode(),
        )
    )


def held(
    owner: UUID,
    *,
    from_on: date = date(2026, 4, 1),
    until_on: date | None = None,
    value: str = "line-1",
) -> Riders:
    wish = Reservation(kind="line", value=value, owner=owner, from_on=from_on, until_on=until_on)
    return Riders(reserve=(wish,))


def moved(to_sequence: int, *, after: int | None = None, epoch: int = 9) -> Riders:
    move = CursorMove(
        consumer="reactions",
        topic="billing",
        partition=3,
        sequence=to_sequence,
        log_epoch=UUID(int=epoch),
        after=after,
    )
    return Riders(cursors=(move,))


async def test_events_come_back_as_they_went_in_with_their_place_and_cause(log: Log) -> None:
    appended = await log.append(to(ONE, an_application(), a_start()), cause=CASE)
    loaded = await log.load(ONE)
    assert loaded == appended.events
    assert [recorded.event for recorded in loaded] == [an_application(), a_start()]
    assert appended.versions == {ONE: 2}
    assert appended.position == 2
    first, second = (recorded.envelope for recorded in loaded)
    assert (first.version, first.position, second.version, second.position) == (1, 1, 2, 2)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.partition == second.partition
    assert first.event_id != second.event_id
    assert first.context == "contracts"
    assert (first.correlation_id, first.actor) == (CASE.correlation_id, CASE.actor)
    assert (first.causation_id, first.traceparent) == (None, CASE.traceparent)


async def test_a_stream_may_have_another_cause_than_what_is_appended_with_it(log: Log) -> None:
    other = Cause(correlation_id=UUID(int=101), actor="operator-2", causation_id=UUID(int=5))
    one = StreamAppend(stream_id=ONE, events=[a_start()], expected=0)
    two = StreamAppend(stream_id=UUID(int=2), events=[a_start()], expected=0, cause=other)
    appended = await log.append(one, two, cause=CASE)
    assert (*await log.load(ONE), *await log.load(UUID(int=2))) == appended.events
    first, second = (recorded.envelope for recorded in appended.events)
    assert (first.correlation_id, first.causation_id) == (CASE.correlation_id, None)
    assert (second.correlation_id, second.causation_id) == (UUID(int=101), UUID(int=5))
    assert (second.actor, second.traceparent) == ("operator-2", None)


async def test_an_unknown_stream_is_empty(log: Log) -> None:
    assert await log.load(ONE) == ()
    assert await log.position() == 0


async def test_what_was_loaded_can_be_appended_to_another_stream(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE)
    (first,) = await log.load(ONE)
    copy = ServiceStarted(contract_id=first.envelope.stream_id, started_on=date(2026, 5, 1))
    await log.append(to(OTHER, copy), cause=CASE)
    assert [recorded.event for recorded in await log.load(OTHER)] == [copy]


@pytest.mark.parametrize("expected", [0, 2], ids=["too low", "too high"])
async def test_another_version_than_expected_is_stale(log: Log, expected: int) -> None:
    await log.append(to(ONE, a_start()), cause=CASE)
    with pytest.raises(Stale):
        await log.append(to(ONE, a_start(), expected=expected), cause=CASE)
    assert await log.position() == 1


async def test_all_streams_or_none(log: Log) -> None:
    await log.append(to(OTHER, a_start()), cause=CASE)
    with pytest.raises(Stale):
        await log.append(to(ONE, a_start()), to(OTHER, a_start()), cause=CASE)
    assert await log.load(ONE) == ()
    appended = await log.append(
        to(ONE, a_start()), to(OTHER, a_start(), a_start(), expected=1), cause=CASE
    )
    assert appended.versions == {ONE: 1, OTHER: 3}
    assert [recorded.envelope.stream_id for recorded in appended.events] == [ONE, OTHER, OTHER]


async def test_of_two_writers_with_one_version_one_wins_and_the_other_is_stale(log: Log) -> None:
    outcomes = await asyncio.gather(
        *(log.append(to(ONE, a_start()), cause=CASE) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Appended) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 19
    assert len(await log.load(ONE)) == 1


async def test_losers_leave_no_gap(log: Log) -> None:
    appends = [
        log.append(to(UUID(int=number % 7), *[a_start()] * (1 + number % 3)), cause=CASE)
        for number in range(100)
    ]
    outcomes = await asyncio.gather(*appends, return_exceptions=True)
    assert sum(isinstance(outcome, Appended) for outcome in outcomes) == 7
    events = await log.read(0, limit=1000)
    assert [recorded.envelope.position for recorded in events] == list(range(1, len(events) + 1))
    by_partition: dict[int, list[int]] = {}
    for recorded in events:
        by_partition.setdefault(recorded.envelope.partition, []).append(recorded.envelope.sequence)
    for sequences in by_partition.values():
        assert sequences == list(range(1, len(sequences) + 1))


async def test_a_decision_sees_the_stream_and_is_appended_to_it(log: Log) -> None:
    await log.append(to(ONE, an_application()), cause=CASE)

    def start(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        assert [recorded.event for recorded in events] == [an_application()]
        return (a_start(),)

    appended = await log.decide(ONE, start, cause=CASE)
    assert appended.versions == {ONE: 2}


async def test_decisions_at_once_all_stand_in_turn(log: Log) -> None:
    def next_day(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        return (a_start(date(2026, 4, 1) + timedelta(days=len(events))),)

    await asyncio.gather(*(log.decide(ONE, next_day, cause=CASE) for _ in range(30)))
    days = [recorded.event.takes_effect_on for recorded in await log.load(ONE)]
    assert days == [date(2026, 4, 1) + timedelta(days=day) for day in range(30)]


async def test_a_decision_on_a_version_that_is_old_is_not_asked(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE)
    asked: list[int] = []

    def ask(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        asked.append(len(events))
        return ()

    with pytest.raises(Stale):
        await log.decide(ONE, ask, cause=CASE, expected=0)
    assert asked == []
    await log.decide(ONE, ask, cause=CASE, expected=1)
    assert asked == [1]


async def test_a_refusing_decision_changes_nothing_and_keeps_no_answer(log: Log) -> None:
    def refuse(events: Sequence[Recorded[Event]]) -> Sequence[Event]:
        raise Reserved("no")

    with pytest.raises(Reserved):
        await log.decide(ONE, refuse, cause=CASE, riders=a_key())
    appended = await log.decide(ONE, lambda _: (a_start(),), cause=CASE, riders=a_key())
    assert appended.replayed is None


async def test_a_repeat_gets_the_first_answer_and_appends_nothing(log: Log) -> None:
    first = await log.append(to(ONE, a_start()), cause=CASE, riders=a_key())
    again = await log.append(to(ONE, a_start()), cause=CASE, riders=a_key())
    assert (first.replayed, again.replayed) == (None, b"at 1")
    assert again.events == ()
    assert await log.position() == 1


async def test_a_repeated_decision_is_looked_up_before_the_version_is_checked(log: Log) -> None:
    await log.decide(ONE, lambda _: (a_start(),), cause=CASE, riders=a_key(), expected=0)
    again = await log.decide(ONE, lambda _: (a_start(),), cause=CASE, riders=a_key(), expected=0)
    assert again.replayed == b"at 1"
    assert len(await log.load(ONE)) == 1


async def test_a_decision_of_no_events_keeps_its_answer(log: Log) -> None:
    first = await log.decide(ONE, lambda _: (), cause=CASE, riders=a_key())
    assert (first.versions, first.position, first.events) == ({ONE: 0}, 0, ())
    again = await log.decide(ONE, lambda _: (a_start(),), cause=CASE, riders=a_key())
    assert again.replayed == b"at 0"
    assert await log.load(ONE) == ()


async def test_concurrent_repeats_have_one_effect_and_one_answer(log: Log) -> None:
    outcomes = await asyncio.gather(
        *(log.append(to(ONE, a_start()), cause=CASE, riders=a_key()) for _ in range(12)),
        *(
            log.decide(ONE, lambda _: (a_start(),), cause=CASE, riders=a_key(), expected=0)
            for _ in range(12)
        ),
    )
    assert [outcome.replayed for outcome in outcomes].count(None) == 1
    assert {outcome.replayed for outcome in outcomes} == {None, b"at 1"}
    assert len(await log.load(ONE)) == 1


async def test_a_key_for_another_wish_is_refused(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=a_key())
    with pytest.raises(KeyReused):
        await log.append(to(OTHER, a_start()), cause=CASE, riders=a_key("another wish"))
    with pytest.raises(KeyReused):
        await log.decide(OTHER, lambda _: (), cause=CASE, riders=a_key("another wish"))
    await log.append(to(OTHER, a_start()), cause=CASE, riders=a_key("another wish", key="k2"))


async def test_an_answer_that_cannot_be_made_fails_its_own_append_alone(log: Log) -> None:
    def fail(_: Appended) -> bytes:
        raise LookupError

    bad = Riders(idempotency=Idempotency(scope="s", key="k", fingerprint="f", answer=fail))
    outcomes = await asyncio.gather(
        log.append(to(ONE, a_start()), cause=CASE),
        log.append(to(UUID(int=3), a_start()), cause=CASE, riders=bad),
        log.append(to(OTHER, a_start()), cause=CASE),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Appended, LookupError, Appended]
    assert await log.position() == 2


async def test_text_that_the_log_cannot_hold_fails_its_own_append_alone(log: Log) -> None:
    outcomes = await asyncio.gather(
        log.append(to(ONE, a_start()), cause=CASE),
        log.append(
            to(UUID(int=3), a_start()),
            cause=Cause(correlation_id=UUID(int=1), actor="nul\0"),
        ),
        log.append(to(OTHER, a_start()), cause=CASE),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], ValueError)
    assert await log.position() == 2


async def test_a_value_belongs_to_one_owner(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=held(ONE))
    with pytest.raises(Reserved):
        await log.append(to(OTHER, a_start()), cause=CASE, riders=held(OTHER))
    assert await log.load(OTHER) == ()
    await log.append(to(OTHER, a_start()), cause=CASE, riders=held(OTHER, value="line-2"))
    await log.append(to(ONE, a_start(), expected=1), cause=CASE, riders=held(ONE))


@pytest.mark.parametrize(
    ("from_on", "until_on", "free"),
    [
        pytest.param(date(2026, 3, 1), date(2026, 4, 1), True, id="ends the day before"),
        pytest.param(date(2026, 3, 1), date(2026, 4, 2), False, id="its last day is the first"),
        pytest.param(date(2026, 4, 30), date(2026, 6, 1), False, id="begins on the last day"),
        pytest.param(date(2026, 5, 1), None, True, id="begins the day after"),
        pytest.param(date(2026, 3, 1), None, False, id="begins before and stays"),
        pytest.param(date(2026, 4, 10), date(2026, 4, 11), False, id="within"),
    ],
)
async def test_a_value_can_be_handed_on_from_day_to_day(
    log: Log, from_on: date, until_on: date | None, *, free: bool
) -> None:
    april = held(ONE, from_on=date(2026, 4, 1), until_on=date(2026, 5, 1))
    await log.append(to(ONE, a_start()), cause=CASE, riders=april)
    wish = held(OTHER, from_on=from_on, until_on=until_on)
    if free:
        await log.append(to(OTHER, a_start()), cause=CASE, riders=wish)
    else:
        with pytest.raises(Reserved):
            await log.append(to(OTHER, a_start()), cause=CASE, riders=wish)


async def test_a_released_value_is_free(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=held(ONE))
    release = Riders(release=(Release("line", "line-1", ONE),))
    await log.append(to(ONE, a_start(), expected=1), cause=CASE, riders=release)
    await log.append(to(OTHER, a_start()), cause=CASE, riders=held(OTHER))


async def test_a_release_leaves_what_others_hold_on_other_days(log: Log) -> None:
    april = held(ONE, from_on=date(2026, 4, 1), until_on=date(2026, 5, 1))
    await log.append(to(ONE, a_start()), cause=CASE, riders=april)
    may = held(OTHER, from_on=date(2026, 5, 1))
    await log.append(to(OTHER, a_start()), cause=CASE, riders=may)
    release = Riders(release=(Release("line", "line-1", ONE),))
    await log.append(to(ONE, a_start(), expected=1), cause=CASE, riders=release)
    third = UUID(int=3)
    with pytest.raises(Reserved):
        await log.append(
            to(third, a_start()), cause=CASE, riders=held(third, from_on=date(2026, 5, 1))
        )
    early = held(third, from_on=date(2026, 4, 1), until_on=date(2026, 5, 1))
    await log.append(to(third, a_start()), cause=CASE, riders=early)


async def test_a_value_that_belongs_to_someone_is_not_told_in_the_refusal(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=held(ONE, value="taro@example.jp"))
    wish = held(OTHER, value="taro@example.jp")
    with pytest.raises(Reserved) as refused:
        await log.append(to(OTHER, a_start()), cause=CASE, riders=wish)
    assert "taro" not in str(refused.value)


async def test_of_two_who_want_a_value_at_once_one_gets_it(log: Log) -> None:
    streams = [UUID(int=number) for number in range(1, 9)]
    outcomes = await asyncio.gather(
        *(log.append(to(s, a_start()), cause=CASE, riders=held(s)) for s in streams),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Reserved) for outcome in outcomes) == 7
    assert await log.position() == 1


async def test_a_reservation_of_no_day_is_a_mistake(log: Log) -> None:
    wish = held(ONE, from_on=date(2026, 4, 1), until_on=date(2026, 4, 1))
    with pytest.raises(ValueError, match="day"):
        await log.append(to(ONE, a_start()), cause=CASE, riders=wish)


async def test_a_cursor_moves_forward_only_and_with_its_events(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=moved(5, after=0))
    await log.append(cause=CASE, riders=moved(6, after=5))
    for refused in (moved(6), moved(4), moved(8, after=5), moved(9, epoch=10)):
        with pytest.raises(CursorTaken):
            await log.append(to(ONE, a_start(), expected=1), cause=CASE, riders=refused)
    assert len(await log.load(ONE)) == 1
    await log.append(cause=CASE, riders=moved(9))


async def test_of_two_consumers_at_one_place_one_has_its_effect(log: Log) -> None:
    outcomes = await asyncio.gather(
        log.append(to(ONE, a_start()), cause=CASE, riders=moved(3, after=0)),
        log.append(to(OTHER, a_start()), cause=CASE, riders=moved(5, after=0)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Appended, CursorTaken]
    assert await log.load(OTHER) == ()


async def test_a_repeat_still_moves_the_cursor_of_its_reader(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE, riders=a_key())
    again = Riders(idempotency=a_key().idempotency, cursors=moved(5, after=0).cursors)
    repeated = await log.append(to(ONE, a_start()), cause=CASE, riders=again)
    assert repeated.replayed == b"at 1"
    with pytest.raises(CursorTaken):
        await log.append(cause=CASE, riders=moved(5, after=0))
    await log.append(cause=CASE, riders=moved(6, after=5))
    assert await log.position() == 1


async def test_what_is_not_parked_cannot_be_unparked(log: Log) -> None:
    riders = Riders(unpark=(Unpark("reactions", UUID(int=55)),))
    with pytest.raises(NotParked):
        await log.append(to(ONE, a_start()), cause=CASE, riders=riders)
    assert await log.load(ONE) == ()


async def test_an_event_above_the_size_is_refused_with_all_it_came_with(log: Log) -> None:
    large = ServiceStarted(contract_id=ONE, started_on=date(2026, 4, 1))
    huge = ContractApproved(
        contract_id=ONE,
        customer_id=CUSTOMER,
        service="MYSEC",
        approved_on=date(2026, 4, 1),
        document_number="x" * (512 * 1024),
    )
    with pytest.raises(EventTooLarge):
        await log.append(to(ONE, large, huge), cause=CASE)
    assert await log.position() == 0


async def test_an_event_of_another_context_is_a_mistake(log: Log) -> None:
    foreign = PaymentReversed(
        payment_id=ONE, account_id=ONE, reversed_on=date(2026, 4, 1), reason="bounced"
    )
    with pytest.raises(ValueError, match=r"billing\.payment-reversed"):
        await log.append(to(ONE, foreign), cause=CASE)


async def test_recorded_times_never_run_backwards(log: Log, clock: FixedClock) -> None:
    noon = clock.at
    await log.append(to(ONE, a_start()), cause=CASE)
    clock.at = noon - timedelta(hours=1)
    await log.append(to(OTHER, a_start()), cause=CASE)
    clock.at = noon + timedelta(hours=1)
    await log.append(to(OTHER, a_start(), expected=1), cause=CASE)
    times = [recorded.envelope.recorded_at for recorded in await log.read(0, limit=10)]
    assert times == [noon, noon, noon + timedelta(hours=1)]


@pytest.mark.parametrize("actor", ["nul\0", "x" * 1025], ids=["a NUL character", "too long"])
async def test_an_actor_that_no_record_can_carry_is_a_mistake(log: Log, actor: str) -> None:
    with pytest.raises(ValueError, match="actor"):
        await log.append(to(ONE, a_start()), cause=Cause(correlation_id=ONE, actor=actor))


async def test_a_time_without_a_zone_is_a_mistake_and_leaves_no_gap(make_log: MakeLog) -> None:
    log = await make_log(rehearsal=True)
    naive = Cause(correlation_id=ONE, actor="a", now=datetime(2026, 1, 1, 9, 0))
    outcomes = await asyncio.gather(
        log.append(to(ONE, a_start()), cause=naive),
        log.append(to(OTHER, a_start()), cause=CASE),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [ValueError, Appended]
    assert [one.envelope.position for one in await log.read(0, limit=9)] == [1]


async def test_a_cause_sets_no_time_outside_of_rehearsal(log: Log) -> None:
    early = Cause(correlation_id=ONE, actor="a", now=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="rehearsal"):
        await log.append(to(ONE, a_start()), cause=early)


async def test_in_rehearsal_the_cause_sets_the_time_stream_by_stream(make_log: MakeLog) -> None:
    log = await make_log(rehearsal=True)

    def at(day: int) -> Cause:
        return Cause(correlation_id=ONE, actor="a", now=datetime(2026, 1, day, 9, 0, tzinfo=UTC))

    await log.append(to(ONE, a_start()), cause=at(20))
    await log.append(to(OTHER, a_start()), cause=at(10))
    await log.append(to(ONE, a_start(), expected=1), cause=at(5))
    await log.append(to(OTHER, a_start(), expected=1), cause=at(12))
    days = [recorded.envelope.recorded_at.day for recorded in await log.read(0, limit=10)]
    assert days == [20, 10, 20, 12]


async def test_the_log_is_read_by_position_and_until_a_time(log: Log, clock: FixedClock) -> None:
    for number in range(1, 6):
        clock.at += timedelta(minutes=1)
        await log.append(to(UUID(int=number), a_start()), cause=CASE)

    async def read(after: int, *, limit: int = 10, until: datetime | None = None) -> list[int]:
        events = await log.read(after, limit=limit, until=until)
        return [recorded.envelope.position for recorded in events]

    assert await read(0) == [1, 2, 3, 4, 5]
    assert await read(3) == [4, 5]
    assert await read(1, limit=2) == [2, 3]
    assert await read(5) == []
    assert await read(0, until=clock.at) == [1, 2, 3, 4]
    assert await read(2, until=clock.at - timedelta(minutes=1)) == [3]
    assert await read(4, until=clock.at) == []
    assert await log.position() == 5


async def test_in_rehearsal_what_was_recorded_early_is_found_wherever_it_stands(
    make_log: MakeLog,
) -> None:
    log = await make_log(rehearsal=True)
    for number, day in enumerate((20, 10, 30, 5), start=1):
        now = datetime(2026, 1, day, 9, 0, tzinfo=UTC)
        cause = Cause(correlation_id=ONE, actor="a", now=now)
        await log.append(to(UUID(int=number), a_start()), cause=cause)
    early = await log.read(0, limit=10, until=datetime(2026, 1, 20, tzinfo=UTC))
    assert [recorded.envelope.position for recorded in early] == [2, 4]


async def test_personal_fields_read_as_none_when_their_key_is_destroyed(
    log: Log, keys: MemoryKeys
) -> None:
    appended = await log.append(to(CUSTOMER, a_customer()), cause=CASE)
    assert appended.events[0].event == a_customer()
    assert (await log.load(CUSTOMER))[0].event == a_customer()
    await keys.destroy([KeyOwner(CUSTOMER, "contact")])
    (left,) = await log.load(CUSTOMER)
    assert left.event == a_customer(name=None)
    assert (await log.read(0, limit=1))[0].event == a_customer(name=None)


async def test_what_was_forgotten_stays_forgotten(log: Log, keys: MemoryKeys) -> None:
    await keys.destroy([KeyOwner(CUSTOMER, "contact")])
    await log.append(to(CUSTOMER, a_customer()), cause=CASE)
    assert (await log.load(CUSTOMER))[0].event == a_customer(name=None)


async def test_a_correction_is_read_back_and_applies(log: Log) -> None:
    appended = await log.append(to(ONE, a_start()), cause=CASE)
    correction = ContractFactCorrected(
        contract_id=ONE,
        corrects=appended.events[0].envelope.event_id,
        values={"started_on": date(2026, 4, 2)},
        reason="a slip",
    )
    await log.append(to(ONE, correction, expected=1), cause=CASE)
    loaded = await log.load(ONE)
    assert loaded[1].event == correction.model_copy(update={"values": {"started_on": "2026-04-02"}})
    assert [recorded.event for recorded in corrected(loaded)] == [a_start(date(2026, 4, 2))]


async def test_no_events_and_no_riders_tell_the_position(log: Log) -> None:
    await log.append(to(ONE, a_start()), cause=CASE)
    assert (await log.append(cause=CASE, riders=NO_RIDERS)).position == 1
