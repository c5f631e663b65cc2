from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from libs.dates.japan import japan_instant
from libs.events.log import Appended
from libs.events.vocabulary.monitoring import OutageRecorded, RepairMade, VisitMade
from services.monitoring.domain.outages import NotYetKnown
from services.monitoring.domain.site import (
    AfterTheEnd,
    AlreadyRecorded,
    BeforeTheSite,
    EndBeforeStart,
    SiteNotOpen,
)
from services.monitoring.use_cases import record_outage, record_repair, record_visit
from tests.unit.monitoring.sites import CONTRACT, CUSTOMER, OPENED_ON, Play, a_command

OUTAGE = UUID(int=50)
FROM_AT = japan_instant(date(2025, 6, 3), 10)


async def an_outage(
    play: Play,
    *,
    now: datetime,
    from_at: datetime = FROM_AT,
    to_at: datetime = FROM_AT + timedelta(hours=26),
    known_at: datetime = FROM_AT,
) -> Appended:
    return await record_outage(
        play.log,
        a_command(),
        outage_id=OUTAGE,
        from_at=from_at,
        to_at=to_at,
        known_at=known_at,
        fault="third_party",
        now=now,
    )


@pytest.mark.clause("WUTM-A1.2.1")
async def test_an_outage_is_recorded_with_what_a_credit_asks_for(site: Play, now: datetime) -> None:
    appended = await an_outage(site, now=now)

    assert [each.event for each in appended.events] == [
        OutageRecorded(
            outage_id=OUTAGE,
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            from_at=FROM_AT,
            to_at=FROM_AT + timedelta(hours=26),
            known_at=FROM_AT,
            fault="third_party",
        )
    ]


async def test_the_same_outage_again_changes_nothing(site: Play, now: datetime) -> None:
    await an_outage(site, now=now)

    assert (await an_outage(site, now=now)).events == ()


async def test_another_outage_cannot_take_an_id_in_use(site: Play, now: datetime) -> None:
    await an_outage(site, now=now)

    with pytest.raises(AlreadyRecorded):
        await an_outage(site, now=now, to_at=FROM_AT + timedelta(hours=27))


async def test_an_outage_cannot_end_before_it_began(site: Play, now: datetime) -> None:
    with pytest.raises(EndBeforeStart):
        await an_outage(site, now=now, to_at=FROM_AT - timedelta(seconds=1))


async def test_an_outage_may_be_of_no_length(site: Play, now: datetime) -> None:
    assert (await an_outage(site, now=now, to_at=FROM_AT)).events


async def test_no_outage_before_the_site_existed(site: Play, now: datetime) -> None:
    await an_outage(site, now=now, from_at=japan_instant(OPENED_ON))

    with pytest.raises(BeforeTheSite):
        await an_outage(site, now=now, from_at=japan_instant(OPENED_ON) - timedelta(seconds=1))


async def test_what_is_recorded_is_known_by_now(site: Play) -> None:
    with pytest.raises(NotYetKnown):
        await an_outage(site, now=FROM_AT - timedelta(seconds=1))
    assert (await an_outage(site, now=FROM_AT)).events


async def test_no_outage_of_an_unknown_contract(play: Play, now: datetime) -> None:
    with pytest.raises(SiteNotOpen):
        await an_outage(play, now=now)


async def test_an_outage_known_after_the_end_is_recorded_when_it_began_before(
    site: Play, now: datetime
) -> None:
    await site.terminated(date(2025, 6, 3))
    assert (await an_outage(site, now=now)).events

    with pytest.raises(AfterTheEnd):
        await an_outage(
            site,
            now=now,
            from_at=japan_instant(date(2025, 6, 4)),
            to_at=japan_instant(date(2025, 6, 5)),
        )


async def test_visits_and_repairs_are_recorded(site: Play) -> None:
    visit = await record_visit(
        site.log,
        a_command(),
        visited_on=date(2025, 6, 4),
        distance_metres=120_000,
        minutes=150,
        remote_island=False,
        surcharge=8_000,
    )
    repair = await record_repair(
        site.log, a_command(), made_at=FROM_AT, urgent=True, actual_cost=30_000
    )

    assert [type(each.event) for each in visit.events + repair.events] == [VisitMade, RepairMade]
