"""The site of a contract: its devices, what is owed back, its outages.

A site is open from the contract's approval until its end. Closing forbids nothing that happened
before it: outages known late, a device that comes back, corrections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import TypeVar, assert_never
from uuid import UUID

from libs.dates.japan import japan_date
from libs.events.vocabulary.monitoring import (
    DeviceRegistered,
    DeviceSwapped,
    FaultyDeviceOverdue,
    FaultyDeviceReturned,
    MonitoringFactCorrected,
    OutageRecorded,
    RepairMade,
    SiteClosed,
    SiteEvent,
    SiteOpened,
    VisitMade,
)
from libs.refusal.refusal import NotFound, Refusal

V = TypeVar("V")


class SiteNotOpen(Refusal):
    code = "site-not-open"
    title = "The contract's site is not open yet"


class NoSuchSite(NotFound):
    code = "no-such-site"
    title = "No contract in force with this id is known"


class AfterTheEnd(Refusal):
    code = "after-the-end"
    title = "The contract had ended by then"


class BeforeTheSite(Refusal):
    code = "before-the-site"
    title = "The site did not exist then"


class EndBeforeStart(Refusal):
    code = "end-before-start"
    title = "The end lies before the start"


class AlreadyRecorded(Refusal):
    code = "already-recorded"
    title = "Another fact with this id is recorded"


class DeviceNotThere(Refusal):
    code = "device-not-there"
    title = "No such device stands at the site"


class DeviceNotAwaited(Refusal):
    code = "device-not-awaited"
    title = "This device is not owed back"


class NotYetOverdue(Refusal):
    code = "not-yet-overdue"
    title = "The device may still come back in time"
    clause = "WUTM-A1.T3-3.N5.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device at the site from `introduced_on` on."""

    device_id: UUID
    model: str
    serial: str
    licensed: bool
    introduced_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A replaced device that is owed back, at the latest on `due_back_on`, that day included.

    `replacement_cost` is the re-procurement price in yen as of the replacement's shipment, None
    while no operator has stated it; `claimed` once that price was claimed.
    """

    device_id: UUID
    swapped_on: date
    due_back_on: date | None
    replacement_cost: int | None
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Unopened:
    """No contract in force is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The contract is in force; `seen` are the ids of all devices that ever stood here."""

    contract_id: UUID
    customer_id: UUID
    service: str
    opened_on: date
    standing: Mapping[UUID, Device] = field(default_factory=lambda: MappingProxyType({}))
    awaited: Mapping[UUID, Awaited] = field(default_factory=lambda: MappingProxyType({}))
    outages: Mapping[UUID, OutageRecorded] = field(default_factory=lambda: MappingProxyType({}))
    seen: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The contract ended on `closed_on`; `was` still takes what belongs to its time."""

    was: Open
    closed_on: date


Site = Unopened | Open | Closed


def opened(site: Site) -> Open:
    """The site's content while open or after; raises `SiteNotOpen` before."""
    match site:
        case Unopened():
            raise SiteNotOpen
        case Open():
            return site
        case Closed():
            return site.was
    assert_never(site)


def evolve(site: Site, event: SiteEvent) -> Site:
    """The site after `event`. Corrections are applied to the facts before they come here."""
    match site, event:
        case _, MonitoringFactCorrected():
            return site
        case Unopened(), SiteOpened():
            return Open(
                contract_id=event.contract_id,
                customer_id=event.customer_id,
                service=event.service,
                opened_on=event.opened_on,
            )
        case Unopened(), _:
            return site
        case Open(), SiteClosed():
            return Closed(was=site, closed_on=event.closed_on)
        case Open(), _:
            return _with(site, event)
        case Closed(), _:
            return replace(site, was=_with(site.was, event))
    assert_never(site)


def _with(site: Open, event: SiteEvent) -> Open:
    match event:
        case DeviceRegistered():
            return _standing(site, _device(event))
        case OutageRecorded():
            return replace(site, outages={**site.outages, event.outage_id: event})
        case DeviceSwapped():
            return _swapped(site, event)
        case FaultyDeviceReturned():
            return replace(site, awaited=_without(site.awaited, event.device_id))
        case FaultyDeviceOverdue():
            return _claimed(site, event.device_id)
        case SiteOpened() | SiteClosed() | RepairMade() | VisitMade() | MonitoringFactCorrected():
            return site
    assert_never(event)


def _device(event: DeviceRegistered) -> Device:
    return Device(
        device_id=event.device_id,
        model=event.model,
        serial=event.serial,
        licensed=event.licensed,
        introduced_on=event.introduced_on,
    )


def _standing(site: Open, device: Device) -> Open:
    return replace(
        site,
        standing={**site.standing, device.device_id: device},
        seen=site.seen | {device.device_id},
    )


def _swapped(site: Open, event: DeviceSwapped) -> Open:
    new = Device(
        device_id=event.new_device_id,
        model=event.model,
        serial=event.serial,
        licensed=event.licensed,
        introduced_on=event.swapped_on,
    )
    owed = Awaited(
        device_id=event.old_device_id,
        swapped_on=event.swapped_on,
        due_back_on=event.due_back_on,
        replacement_cost=event.replacement_cost,
    )
    left = replace(site, standing=_without(site.standing, event.old_device_id))
    return replace(
        _standing(left, new),
        awaited={**site.awaited, owed.device_id: owed},
    )


def _claimed(site: Open, device_id: UUID | None) -> Open:
    if device_id is None or device_id not in site.awaited:
        return site
    owed = replace(site.awaited[device_id], claimed=True)
    return replace(site, awaited={**site.awaited, device_id: owed})


def _without(found: Mapping[UUID, V], device_id: UUID | None) -> dict[UUID, V]:
    return {each: value for each, value in found.items() if each != device_id}


def admit(site: Site, event: SiteEvent) -> None:
    """Raise the refusal of a fact that the site's facts so far make impossible."""
    match event:
        case SiteOpened() | SiteClosed() | MonitoringFactCorrected():
            return
        case DeviceRegistered():
            _in_time(site, event.introduced_on, from_opening=False)
            _unseen(opened(site), event.device_id)
        case OutageRecorded():
            _admit_outage(site, event)
        case DeviceSwapped():
            _admit_swap(site, event)
        case FaultyDeviceReturned():
            _admit_return(opened(site), event)
        case FaultyDeviceOverdue():
            _admit_overdue(opened(site), event)
        case RepairMade():
            _in_time(site, japan_date(event.made_at))
        case VisitMade():
            _in_time(site, event.visited_on)
        case _:
            assert_never(event)


def _in_time(site: Site, on: date, *, from_opening: bool = True) -> None:
    content = opened(site)
    if from_opening and on < content.opened_on:
        raise BeforeTheSite(f"the site is open from {content.opened_on} on, not on {on}")
    if isinstance(site, Closed) and on > site.closed_on:
        raise AfterTheEnd(f"the contract ended on {site.closed_on}, before {on}")


def _unseen(site: Open, device_id: UUID) -> None:
    if device_id in site.seen:
        raise AlreadyRecorded(f"a device {device_id} is recorded already", field="/device_id")


def _admit_outage(site: Site, event: OutageRecorded) -> None:
    if event.to_at < event.from_at:
        raise EndBeforeStart(f"{event.to_at} lies before {event.from_at}", field="/to_at")
    _in_time(site, japan_date(event.from_at))
    if event.outage_id in opened(site).outages:
        raise AlreadyRecorded(f"an outage {event.outage_id} is recorded already")


def _admit_swap(site: Site, event: DeviceSwapped) -> None:
    _in_time(site, event.swapped_on)
    content = opened(site)
    old = content.standing.get(event.old_device_id)
    if old is None or event.swapped_on < old.introduced_on:
        raise DeviceNotThere(
            f"no device {event.old_device_id} stood there on {event.swapped_on}",
            clause="WUTM-A1.T3-3.6.1",
            field="/old_device_id",
        )
    _unseen(content, event.new_device_id)


def _admit_return(site: Open, event: FaultyDeviceReturned) -> None:
    if event.device_id is None:
        return
    owed = _owed(site, event.device_id)
    if event.returned_on < owed.swapped_on:
        raise DeviceNotAwaited(
            f"it was replaced on {owed.swapped_on} only", clause="WUTM-A1.T3-3.6.2"
        )


def _admit_overdue(site: Open, event: FaultyDeviceOverdue) -> None:
    if event.device_id is None:
        return
    owed = _owed(site, event.device_id)
    if owed.claimed:
        raise AlreadyRecorded("the price of this device is claimed already")
    if owed.due_back_on is not None and event.overdue_on <= owed.due_back_on:
        raise NotYetOverdue(f"it may come back until {owed.due_back_on}, that day included")


def _owed(site: Open, device_id: UUID) -> Awaited:
    if (owed := site.awaited.get(device_id)) is None:
        raise DeviceNotAwaited(
            f"device {device_id} was not replaced, or is back",
            clause="WUTM-A1.T3-3.6.2",
            field="/device_id",
        )
    return owed
