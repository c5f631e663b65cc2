"""Every event of the monitoring context: the stream of a contract's site."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from libs.events.envelope import Event

Fault = Literal["customer", "third_party", "provider", "provider_gross"]


class SiteOpened(Event):
    """A contract in force is watched: its devices and outages are recorded in this stream."""

    effective: ClassVar[str | None] = "opened_on"

    type: Literal["monitoring.site-opened.v1"] = "monitoring.site-opened.v1"
    contract_id: UUID
    customer_id: UUID
    service: str
    opened_on: date


class SiteClosed(Event):
    """The contract ended; nothing more is expected of the site."""

    effective: ClassVar[str | None] = "closed_on"

    type: Literal["monitoring.site-closed.v1"] = "monitoring.site-closed.v1"
    contract_id: UUID
    closed_on: date


class DeviceRegistered(Event):
    """A device stands at the site from `introduced_on`."""

    effective: ClassVar[str | None] = "introduced_on"

    type: Literal["monitoring.device-registered.v1"] = "monitoring.device-registered.v1"
    device_id: UUID
    contract_id: UUID
    model: str
    serial: str
    licensed: bool
    introduced_on: date


class OutageRecorded(Event):
    """The service was unusable from `from_at` until `to_at`, known to the operator at `known_at`.

    `complete` means not usable at all; `incident` joins the stretches of one incident.
    """

    effective: ClassVar[str | None] = "from_at"

    type: Literal["monitoring.outage-recorded.v1"] = "monitoring.outage-recorded.v1"
    outage_id: UUID
    contract_id: UUID
    customer_id: UUID
    from_at: datetime
    to_at: datetime
    known_at: datetime
    fault: Fault
    complete: bool = True
    incident: str | None = None


class DeviceSwapped(Event):
    """A replacement by send-back: the new device stands where the old one stood.

    The old one is owed back at the latest on `due_back_on`; `replacement_cost` is its
    re-procurement price in yen on the day of shipment, where an operator stated it.
    """

    effective: ClassVar[str | None] = "swapped_on"

    type: Literal["monitoring.device-swapped.v1"] = "monitoring.device-swapped.v1"
    contract_id: UUID
    customer_id: UUID
    old_device_id: UUID
    new_device_id: UUID
    model: str
    serial: str
    licensed: bool
    swapped_on: date
    ownership_moved_on: date
    due_back_on: date | None = None
    replacement_cost: int | None = None


class FaultyDeviceReturned(Event):
    """The replaced device came back; a claim in yen (untaxed) where it was damaged.

    Without `device_id` it was replaced before this system knew of it.
    """

    effective: ClassVar[str | None] = "returned_on"

    type: Literal["monitoring.faulty-device-returned.v1"] = "monitoring.faulty-device-returned.v1"
    contract_id: UUID
    device_id: UUID | None
    returned_on: date
    finding: Literal["normal", "excessive", "negligent"]
    replacement_cost: int | None = None
    claim: int | None = None


class FaultyDeviceOverdue(Event):
    """The replaced device did not come back in time; its re-procurement price is claimed."""

    effective: ClassVar[str | None] = "overdue_on"

    type: Literal["monitoring.faulty-device-overdue.v1"] = "monitoring.faulty-device-overdue.v1"
    contract_id: UUID
    device_id: UUID | None
    overdue_on: date
    replacement_cost: int


class RepairMade(Event):
    """A repair on site; `actual_cost` in yen where it may be charged."""

    effective: ClassVar[str | None] = "made_at"

    type: Literal["monitoring.repair-made.v1"] = "monitoring.repair-made.v1"
    contract_id: UUID
    made_at: datetime
    urgent: bool
    actual_cost: int


class VisitMade(Event):
    """A visit to the site; distance and time one way, `surcharge` the price of a far visit."""

    effective: ClassVar[str | None] = "visited_on"

    type: Literal["monitoring.visit-made.v1"] = "monitoring.visit-made.v1"
    contract_id: UUID
    visited_on: date
    distance_metres: int
    minutes: int
    remote_island: bool
    surcharge: int


class MonitoringFactCorrected(Event):
    """A recorded fact is put right: new values for named fields, or None for withdrawn."""

    type: Literal["monitoring.fact-corrected.v1"] = "monitoring.fact-corrected.v1"
    contract_id: UUID
    corrects: UUID
    values: dict[str, Any] | None
    reason: str


SiteEvent = (
    SiteOpened
    | SiteClosed
    | DeviceRegistered
    | OutageRecorded
    | DeviceSwapped
    | FaultyDeviceReturned
    | FaultyDeviceOverdue
    | RepairMade
    | VisitMade
    | MonitoringFactCorrected
)
