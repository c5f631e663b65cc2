from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.dates.japan import japan_instant
from libs.events.envelope import Event
from libs.events.vocabulary.contracts import ContractFactCorrected
from libs.events.vocabulary.monitoring import MonitoringFactCorrected, SiteClosed, SiteOpened
from services.monitoring.domain.facts import NotCorrectable, NothingToCorrect
from services.monitoring.domain.site import Closed, Open, Site
from services.monitoring.use_cases import correct_fact, record_outage, site_at
from tests.unit.monitoring.sites import CONTRACT, OLD, Play, a_command

OUTAGE = UUID(int=50)
FROM_AT = japan_instant(date(2025, 6, 3), 10)


async def recorded(play: Play, *, now: datetime) -> UUID:
    appended = await record_outage(
        play.log,
        a_command(),
        outage_id=OUTAGE,
        from_at=FROM_AT,
        to_at=FROM_AT + timedelta(hours=26),
        known_at=FROM_AT,
        fault="third_party",
        now=now,
    )
    return appended.events[0].envelope.event_id


async def correct(play: Play, fact: UUID, values: dict[str, Any] | None) -> tuple[Event, ...]:
    appended = await correct_fact(
        play.log, a_command(), corrects=fact, values=values, reason="misread"
    )
    return tuple(each.event for each in appended.events)


async def present(play: Play) -> Site:
    return (await site_at(play.log, CONTRACT))[0]


async def test_a_corrected_fact_holds_with_its_new_values(site: Play, now: datetime) -> None:
    fact = await recorded(site, now=now)

    await correct(site, fact, {"to_at": "2025-06-03T12:00:00+09:00", "fault": "customer"})

    content = await present(site)
    assert isinstance(content, Open)
    assert content.outages[OUTAGE].to_at == japan_instant(date(2025, 6, 3), 12)
    assert content.outages[OUTAGE].fault == "customer"


async def test_a_withdrawn_fact_is_gone_until_it_is_corrected_again(
    site: Play, now: datetime
) -> None:
    fact = await recorded(site, now=now)

    await correct(site, fact, None)
    content = await present(site)
    assert isinstance(content, Open)
    assert content.outages == {}

    await correct(site, fact, {"complete": False})
    content = await present(site)
    assert isinstance(content, Open)
    assert not content.outages[OUTAGE].complete


async def test_the_same_correction_again_changes_nothing(site: Play, now: datetime) -> None:
    fact = await recorded(site, now=now)

    assert await correct(site, fact, None) != ()
    assert await correct(site, fact, None) == ()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"to_at": "2025-06-03T09:59:00+09:00"}, id="ends before it began"),
        pytest.param({"from_at": "2025-03-31T23:59:00+09:00"}, id="before the site"),
        pytest.param({"to_at": "2025-06-03T12:00:00"}, id="no offset"),
        pytest.param({"fault": "nobody"}, id="no such fault"),
        pytest.param({"outage_id": str(OLD)}, id="an id"),
        pytest.param({"colour": "red"}, id="no such field"),
    ],
)
async def test_a_correction_to_something_impossible_is_refused(
    site: Play, now: datetime, values: dict[str, Any]
) -> None:
    fact = await recorded(site, now=now)
    before = await site.events()

    with pytest.raises(NotCorrectable):
        await correct(site, fact, values)
    assert await site.events() == before


async def test_a_fact_on_which_others_rest_is_not_withdrawn(site: Play) -> None:
    device = (await site.registered()).events[0].envelope.event_id
    await site.swapped()

    with pytest.raises(NotCorrectable):
        await correct(site, device, None)


async def test_an_unknown_fact_is_not_found(site: Play) -> None:
    with pytest.raises(NothingToCorrect):
        await correct(site, UUID(int=404), None)


async def test_a_site_opens_once_and_closes_once(site: Play) -> None:
    await site.approved()
    await site.terminated(date(2025, 9, 1))
    await site.terminated(date(2025, 10, 1))

    assert [type(each) for each in await site.events()] == [SiteOpened, SiteClosed]


async def test_an_end_without_a_site_is_nothing(play: Play) -> None:
    await play.terminated(date(2025, 9, 1))

    assert await play.events() == []


async def test_a_withdrawn_end_opens_the_site_again(site: Play) -> None:
    ended = await site.terminated(date(2025, 9, 1))
    assert isinstance(await present(site), Closed)

    await site.happens(
        ContractFactCorrected(
            contract_id=CONTRACT, corrects=ended, values=None, reason="wrong contract"
        )
    )

    assert isinstance(await present(site), Open)


async def test_a_corrected_approval_moves_the_opening(play: Play) -> None:
    approval = await play.approved()

    await play.happens(
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=approval,
            values={"approved_on": "2025-03-20", "document_number": "A-2"},
            reason="misread",
        )
    )

    content = await present(play)
    assert isinstance(content, Open)
    assert content.opened_on == date(2025, 3, 20)


async def test_a_correction_that_says_nothing_of_ours_changes_nothing(play: Play) -> None:
    approval = await play.approved()

    await play.happens(
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=approval,
            values={"document_number": "A-2"},
            reason="misread",
        )
    )

    assert not [each for each in await play.events() if isinstance(each, MonitoringFactCorrected)]
