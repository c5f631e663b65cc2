from datetime import date, timedelta
from uuid import UUID

import pytest

from libs.dates.japan import japan_instant
from libs.events.vocabulary.monitoring import (
    DeviceRegistered,
    DeviceSwapped,
    FaultyDeviceOverdue,
    FaultyDeviceReturned,
)
from services.monitoring.domain.devices import Finding, NoSendBack
from services.monitoring.domain.site import (
    AfterTheEnd,
    AlreadyRecorded,
    DeviceNotAwaited,
    DeviceNotThere,
    EndBeforeStart,
    NotYetOverdue,
    SiteNotOpen,
)
from services.monitoring.use_cases import (
    claim_overdue_device,
    meet_deadlines,
    next_deadline,
    register_device,
    swap_device,
    take_back_device,
)
from tests.unit.monitoring.sites import (
    CONTRACT,
    CUSTOMER,
    NEW,
    OLD,
    THIRTY_DAYS,
    Play,
    a_command,
    a_device,
    a_replacement,
)

LAST_DAY = date(2025, 7, 8)


async def test_a_device_is_registered_once(site: Play) -> None:
    first = await site.registered()
    again = await site.registered()

    assert [type(each.event) for each in first.events] == [DeviceRegistered]
    assert again.events == ()


async def test_another_device_cannot_take_an_id_in_use(site: Play) -> None:
    await site.registered()

    with pytest.raises(AlreadyRecorded):
        await register_device(
            site.log, a_command(), device=a_device(introduced_on=date(2025, 5, 1))
        )


async def test_no_device_before_the_contract_is_approved(play: Play) -> None:
    with pytest.raises(SiteNotOpen):
        await play.registered()


async def test_no_device_after_the_contract_ended(site: Play) -> None:
    await site.terminated(date(2025, 9, 1))

    with pytest.raises(AfterTheEnd):
        await register_device(
            site.log, a_command(), device=a_device(introduced_on=date(2025, 9, 2))
        )


@pytest.mark.clause("WUTM-A1.T3-3.6.1")
@pytest.mark.clause("WUTM-A1.3.2.2.3")
@pytest.mark.clause("WUTM-A1.T3-3.N3.1")
@pytest.mark.clause("WUTM-A1.T3-3.N4")
@pytest.mark.clause("WUTM-A1.T3-3.N5.1")
async def test_a_swap_moves_ownership_at_shipment_and_counts_days_from_delivery(
    site: Play,
) -> None:
    appended = await site.swapped(cost=88_000)

    assert [each.event for each in appended.events] == [
        DeviceSwapped(
            contract_id=CONTRACT,
            customer_id=CUSTOMER,
            old_device_id=OLD,
            new_device_id=NEW,
            model="SSB5",
            serial="S-2",
            licensed=True,
            swapped_on=date(2025, 6, 9),
            ownership_moved_on=date(2025, 6, 6),
            due_back_on=LAST_DAY,
            replacement_cost=88_000,
        )
    ]


@pytest.mark.clause("WUTM-A1.T3-3.6.1")
async def test_a_device_is_swapped_once(site: Play) -> None:
    await site.swapped()

    with pytest.raises(DeviceNotThere) as refused:
        await swap_device(
            site.log,
            a_command(),
            old_device_id=OLD,
            new=a_replacement(),
            swapped_on=date(2025, 6, 10),
            terms_of=lambda _service, _on: THIRTY_DAYS,
        )
    assert refused.value.clause == "WUTM-A1.T3-3.6.1"


@pytest.mark.clause("WUTM-A1.T3-3.6.1", "WUTM-A1.T3-3.6.2")
@pytest.mark.parametrize(
    ("shipped_on", "delivered_on", "swapped_on"),
    [
        pytest.param(date(2025, 6, 9), date(2025, 6, 8), date(2025, 6, 9), id="arrives too early"),
        pytest.param(date(2025, 6, 6), date(2025, 6, 8), date(2025, 6, 7), id="not yet arrived"),
    ],
)
async def test_a_replacement_is_put_in_place_after_it_arrived(
    site: Play, shipped_on: date, delivered_on: date, swapped_on: date
) -> None:
    await site.registered()

    with pytest.raises(EndBeforeStart):
        await swap_device(
            site.log,
            a_command(),
            old_device_id=OLD,
            new=a_replacement(shipped_on=shipped_on, delivered_on=delivered_on),
            swapped_on=swapped_on,
            terms_of=lambda _service, _on: THIRTY_DAYS,
        )


async def test_a_service_without_send_back_swaps_nothing(site: Play) -> None:
    await site.registered()

    with pytest.raises(NoSendBack):
        await swap_device(
            site.log,
            a_command(),
            old_device_id=OLD,
            new=a_replacement(),
            swapped_on=date(2025, 6, 9),
            terms_of=lambda _service, _on: None,
        )


@pytest.mark.clause("WUTM-A1.T3-3.N5.2")
@pytest.mark.parametrize(
    ("finding", "cost", "claim", "claimed"),
    [
        pytest.param("normal", 88_000, 88_000, None, id="wear from normal use"),
        pytest.param("negligent", 88_000, None, 88_000, id="the whole when none is given"),
        pytest.param("excessive", 88_000, 20_000, 20_000, id="a part"),
        pytest.param("negligent", 88_000, 90_000, 88_000, id="never more than the price"),
        pytest.param("negligent", None, 5_000, 5_000, id="no price is known"),
    ],
)
async def test_damage_is_claimed_up_to_the_price(
    site: Play, finding: Finding, cost: int | None, claim: int | None, claimed: int | None
) -> None:
    await site.swapped()

    appended = await take_back_device(
        site.log,
        a_command(),
        device_id=OLD,
        returned_on=date(2025, 7, 1),
        finding=finding,
        replacement_cost=cost,
        claim=claim,
    )

    (returned,) = (each.event for each in appended.events)
    assert isinstance(returned, FaultyDeviceReturned)
    assert returned.claim == claimed


@pytest.mark.parametrize(
    ("device_id", "returned_on"),
    [
        pytest.param(NEW, date(2025, 7, 1), id="still in place"),
        pytest.param(UUID(int=77), date(2025, 7, 1), id="unknown"),
        pytest.param(OLD, date(2025, 6, 8), id="before the exchange"),
    ],
)
@pytest.mark.clause("WUTM-A1.T3-3.6.2")
async def test_only_a_replaced_device_comes_back(
    site: Play, device_id: UUID, returned_on: date
) -> None:
    await site.swapped()

    with pytest.raises(DeviceNotAwaited):
        await take_back_device(
            site.log,
            a_command(),
            device_id=device_id,
            returned_on=returned_on,
            finding="normal",
        )


@pytest.mark.clause("WUTM-A1.T3-3.N5.1")
async def test_a_device_is_overdue_from_the_day_after_the_limit(site: Play) -> None:
    await site.swapped()

    with pytest.raises(NotYetOverdue):
        await claim_overdue_device(
            site.log,
            a_command(),
            device_id=OLD,
            overdue_on=LAST_DAY,
            replacement_cost=88_000,
        )
    appended = await claim_overdue_device(
        site.log,
        a_command(),
        device_id=OLD,
        overdue_on=LAST_DAY + timedelta(days=1),
        replacement_cost=88_000,
    )
    assert [type(each.event) for each in appended.events] == [FaultyDeviceOverdue]


async def test_the_price_of_a_device_is_claimed_once(site: Play) -> None:
    await site.swapped(cost=88_000)
    await meet_deadlines(site.log, a_command(), until=japan_instant(date(2025, 8, 1)))

    with pytest.raises(AlreadyRecorded):
        await claim_overdue_device(
            site.log,
            a_command(),
            device_id=OLD,
            overdue_on=date(2025, 8, 1),
            replacement_cost=88_000,
        )
    back = await take_back_device(
        site.log,
        a_command(),
        device_id=OLD,
        returned_on=date(2025, 8, 2),
        finding="negligent",
    )
    (returned,) = (each.event for each in back.events)
    assert isinstance(returned, FaultyDeviceReturned)
    assert returned.claim is None


async def test_a_claim_without_a_device_is_taken_as_stated(site: Play) -> None:
    appended = await claim_overdue_device(
        site.log,
        a_command(),
        device_id=None,
        overdue_on=date(2025, 5, 1),
        replacement_cost=88_000,
    )

    assert [type(each.event) for each in appended.events] == [FaultyDeviceOverdue]


@pytest.mark.clause("WUTM-A1.T3-3.N5.1")
async def test_a_stated_price_falls_due_at_midnight_after_the_limit(site: Play) -> None:
    await site.swapped(cost=88_000)
    due_at = japan_instant(LAST_DAY + timedelta(days=1))

    early = await meet_deadlines(site.log, a_command(), until=due_at - timedelta(seconds=1))
    assert early.events == ()
    assert await next_deadline(site.log, CONTRACT) == due_at

    late = await meet_deadlines(site.log, a_command(), until=due_at + timedelta(days=20))
    assert [each.event for each in late.events] == [
        FaultyDeviceOverdue(
            contract_id=CONTRACT,
            device_id=OLD,
            overdue_on=date(2025, 7, 9),
            replacement_cost=88_000,
        )
    ]
    assert await next_deadline(site.log, CONTRACT) is None


async def test_nothing_falls_due_without_a_price_or_after_the_return(site: Play) -> None:
    await site.swapped()
    assert await next_deadline(site.log, CONTRACT) is None


async def test_a_device_that_came_back_is_not_overdue(site: Play) -> None:
    await site.swapped(cost=88_000)
    await take_back_device(
        site.log, a_command(), device_id=OLD, returned_on=LAST_DAY, finding="normal"
    )

    late = await meet_deadlines(site.log, a_command(), until=japan_instant(date(2026, 1, 1)))
    assert late.events == ()
