"""Devices: registered, swapped by send-back, given back or claimed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from libs.dates.japan import japan_instant
from libs.dates.months import last_day_of_months
from libs.events.vocabulary.monitoring import (
    DeviceRegistered,
    DeviceSwapped,
    FaultyDeviceOverdue,
    FaultyDeviceReturned,
    SiteEvent,
)
from libs.refusal.refusal import Refusal
from services.monitoring.domain.site import (
    Awaited,
    Device,
    EndBeforeStart,
    Open,
    Site,
    Unopened,
    admit,
    opened,
)

Finding = Literal["normal", "excessive", "negligent"]
_ONE_DAY = timedelta(days=1)


class NoSendBack(Refusal):
    code = "no-send-back"
    title = "The service's terms know no replacement by send-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapTerms:
    """Replacement by send-back: until when the broken device is back.

    Within `return_days` of the delivery of the new one, or within whole `return_months` from the
    day after its shipment.
    """

    return_days: int | None = None
    return_months: int | None = None
    clause: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What the company sends, and when; `cost` is the re-procurement price of the old one."""

    device_id: UUID
    model: str
    serial: str
    shipped_on: date
    delivered_on: date
    cost: int | None = None


def register_device(site: Site, *, device: Device) -> tuple[SiteEvent, ...]:
    """A device stands at the site from `introduced_on`; the same again changes nothing.

    Raises `AlreadyRecorded` for an id that another device had, `AfterTheEnd`, `SiteNotOpen`.
    """
    content = opened(site)
    if content.standing.get(device.device_id) == device:
        return ()
    registered = DeviceRegistered(
        device_id=device.device_id,
        contract_id=content.contract_id,
        model=device.model,
        serial=device.serial,
        licensed=device.licensed,
        introduced_on=device.introduced_on,
    )
    admit(site, registered)
    return (registered,)


def swap_device(
    site: Site,
    *,
    old_device_id: UUID,
    new: Replacement,
    swapped_on: date,
    terms: SwapTerms | None,
) -> tuple[SiteEvent, ...]:
    """Replace a device found at fault; the new one is sent first, the old one is owed back.

    Both devices change owner on the day the replacement is shipped. Whether the contract counts
    as licensed passes to the new device unchanged. The old one is owed back by a day of the terms.
    Raises `NoSendBack`, `DeviceNotThere`, `EndBeforeStart` when
    shipped after delivery or delivered after the exchange, `AlreadyRecorded`.

    Clauses: WUTM-A1.T3-3.6.1 (sent first, one open swap a device), WUTM-A1.T3-3.6.2 (exchanged
    after arrival), WUTM-A1.T3-3.N3.1 (the edition stays), WUTM-A1.T3-3.N4 (ownership passes when
    shipped), WUTM-A1.T3-3.N5.1 (owed back; 30 days is an operator's setting, R86),
    WUTM-A1.3.2.2.3 (a device at fault is swapped).
    """
    content = opened(site)
    if terms is None:
        raise NoSendBack(f"{content.service} has no replacement by send-back")
    if not new.shipped_on <= new.delivered_on <= swapped_on:
        raise EndBeforeStart(
            "a replacement is shipped, then delivered, then put in place",
            clause="WUTM-A1.T3-3.6.2",
            field="/swapped_on",
        )
    swap = DeviceSwapped(
        contract_id=content.contract_id,
        customer_id=content.customer_id,
        old_device_id=old_device_id,
        new_device_id=new.device_id,
        model=new.model,
        serial=new.serial,
        licensed=_licensed(content, old_device_id),
        swapped_on=swapped_on,
        ownership_moved_on=new.shipped_on,
        due_back_on=due_back_on(new, terms=terms),
        replacement_cost=new.cost,
    )
    admit(site, swap)
    return (swap,)


def due_back_on(new: Replacement, *, terms: SwapTerms) -> date:
    """The last day on which the broken device may be given back.

    Clauses: WUTM-A1.T3-3.N5.1, RRNS-A1.II.3.4.S2, RRNS-A1.II.3.4.S3, RRNS-A1.IV.4.5.S2,
    RRNS-A1.IV.4.5.S3 (a month from the day after shipment; handed over on its last day it is back).
    """
    if terms.return_months is not None:
        return last_day_of_months(new.shipped_on + _ONE_DAY, months=terms.return_months)
    return new.delivered_on + timedelta(days=terms.return_days or 0)


def _licensed(site: Open, device_id: UUID) -> bool:
    device = site.standing.get(device_id)
    return device is not None and device.licensed


def take_back(
    site: Site,
    *,
    device_id: UUID | None,
    returned_on: date,
    finding: Finding,
    replacement_cost: int | None = None,
    claim: int | None = None,
) -> tuple[SiteEvent, ...]:
    """Record a replaced device that came back, what was found, and what is claimed for it.

    Wear from normal use claims nothing. Otherwise the operator's `claim` in yen, or the whole
    re-procurement price when none is given, never more than that price (the one given here,
    else the one stated with the swap). A device whose price was claimed as overdue is taken back
    without a second claim, and the first stands (R86). Without `device_id` the operator's word
    is taken: the device was replaced before this system knew of it. Raises `DeviceNotAwaited`.

    Clauses: WUTM-A1.T3-3.N5.2 (damage beyond wear), WUTM-A1.T3-3.6.2 (given back).
    """
    content = opened(site)
    owed = content.awaited.get(device_id) if device_id is not None else None
    cost = replacement_cost
    if cost is None and owed is not None:
        cost = owed.replacement_cost
    returned = FaultyDeviceReturned(
        contract_id=content.contract_id,
        device_id=device_id,
        returned_on=returned_on,
        finding=finding,
        replacement_cost=cost,
        claim=_claim(finding, owed=owed, cost=cost, claim=claim),
    )
    admit(site, returned)
    return (returned,)


def _claim(
    finding: Finding, *, owed: Awaited | None, cost: int | None, claim: int | None
) -> int | None:
    if finding == "normal" or (owed is not None and owed.claimed):
        return None
    if cost is None:
        return claim
    return cost if claim is None else min(claim, cost)


def claim_overdue(
    site: Site, *, device_id: UUID | None, overdue_on: date, replacement_cost: int
) -> tuple[SiteEvent, ...]:
    """Claim the re-procurement price in yen of a device that did not come back in time.

    Without `device_id` the operator's claim is taken as stated: the device was replaced before
    this system knew of it. Raises `NotYetOverdue` up to the last day it may come back,
    `DeviceNotAwaited`, `AlreadyRecorded` for a second claim.

    Clauses: WUTM-A1.T3-3.N5.1 (a device not returned).
    """
    overdue = FaultyDeviceOverdue(
        contract_id=opened(site).contract_id,
        device_id=device_id,
        overdue_on=overdue_on,
        replacement_cost=replacement_cost,
    )
    admit(site, overdue)
    return (overdue,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """What falls due at a site at 00:00 of the day after the last day to give a device back."""

    due_at: datetime
    device_id: UUID


def deadlines(site: Site) -> tuple[Deadline, ...]:
    """The claims that come by themselves, earliest first.

    An operator decides them by stating the price with the swap; where none was stated nothing
    falls due, and the claim stays a command.

    Clauses: WUTM-A1.T3-3.N5.1 (watched; an operator decides), RRNS-A1.II.3.4.S3,
    RRNS-A1.IV.4.5.S3 (from the day after the period).
    """
    if isinstance(site, Unopened):
        return ()
    found = [
        Deadline(due_at=japan_instant(owed.due_back_on + timedelta(days=1)), device_id=each)
        for each, owed in opened(site).awaited.items()
        if owed.due_back_on is not None and owed.replacement_cost is not None and not owed.claimed
    ]
    return tuple(sorted(found, key=lambda each: (each.due_at, each.device_id)))


def meet_deadlines(site: Site, *, until: datetime) -> tuple[SiteEvent, ...]:
    """The claims whose deadline is at or before `until`, as of their own days.

    Clauses: WUTM-A1.T3-3.N5.1 (claimed from the day after the limit).
    """
    claimed: list[SiteEvent] = []
    for each in deadlines(site):
        if each.due_at > until:
            break
        claimed += claim_overdue(
            site,
            device_id=each.device_id,
            overdue_on=each.due_at.date(),
            replacement_cost=_price(opened(site), each.device_id),
        )
    return tuple(claimed)


def _price(site: Open, device_id: UUID) -> int:
    price = site.awaited[device_id].replacement_cost
    assert price is not None
    return price
