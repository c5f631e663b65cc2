"""The commands on a site, for every edge: HTTP and the offline player call the same functions.

All work on a contract's site and give what the append gave. They raise the refusals that their
decisions name, and what `Log.decide` raises. `now` is the present instant as the edge knows it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import NO_RIDERS, Appended, Log, Riders
from libs.events.vocabulary.monitoring import Fault
from services.monitoring.domain import devices, facts, outages
from services.monitoring.domain.devices import Finding, Replacement, SwapTerms
from services.monitoring.domain.site import Device, Site, opened

SwapTermsOf = Callable[[str, date], SwapTerms | None]
"""The swap terms of a service in force on a day; None where its terms know no send-back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command brings: its site, its cause, and the riders of its append.

    `expected` is the version the caller saw; None decides on the present one.
    """

    contract_id: UUID
    cause: Cause
    expected: int | None = None
    riders: Riders = NO_RIDERS


async def register_device(log: Log, command: Command, *, device: Device) -> Appended:
    """A device stands at the site."""
    return await _decide(log, command, lambda site: devices.register_device(site, device=device))


async def swap_device(
    log: Log,
    command: Command,
    *,
    old_device_id: UUID,
    new: Replacement,
    swapped_on: date,
    terms_of: SwapTermsOf,
) -> Appended:
    """A device found at fault is replaced by send-back, by the terms of the day of shipment."""
    return await _decide(
        log,
        command,
        lambda site: devices.swap_device(
            site,
            old_device_id=old_device_id,
            new=new,
            swapped_on=swapped_on,
            terms=terms_of(opened(site).service, new.shipped_on),
        ),
    )


async def take_back_device(
    log: Log,
    command: Command,
    *,
    device_id: UUID | None,
    returned_on: date,
    finding: Finding,
    replacement_cost: int | None = None,
    claim: int | None = None,
) -> Appended:
    """A replaced device came back."""
    return await _decide(
        log,
        command,
        lambda site: devices.take_back(
            site,
            device_id=device_id,
            returned_on=returned_on,
            finding=finding,
            replacement_cost=replacement_cost,
            claim=claim,
        ),
    )


async def claim_overdue_device(
    log: Log,
    command: Command,
    *,
    device_id: UUID | None,
    overdue_on: date,
    replacement_cost: int,
) -> Appended:
    """A replaced device did not come back in time; its price is claimed."""
    return await _decide(
        log,
        command,
        lambda site: devices.claim_overdue(
            site,
            device_id=device_id,
            overdue_on=overdue_on,
            replacement_cost=replacement_cost,
        ),
    )


async def record_outage(
    log: Log,
    command: Command,
    *,
    outage_id: UUID,
    from_at: datetime,
    to_at: datetime,
    known_at: datetime,
    fault: Fault,
    now: datetime,
    complete: bool = True,
    incident: str | None = None,
) -> Appended:
    """The service was unusable for a while."""
    return await _decide(
        log,
        command,
        lambda site: outages.record_outage(
            site,
            outage_id=outage_id,
            from_at=from_at,
            to_at=to_at,
            known_at=known_at,
            fault=fault,
            now=now,
            complete=complete,
            incident=incident,
        ),
    )


async def record_visit(
    log: Log,
    command: Command,
    *,
    visited_on: date,
    distance_metres: int,
    minutes: int,
    remote_island: bool,
    surcharge: int,
) -> Appended:
    """The site was visited; way and time one way, surcharge in yen."""
    return await _decide(
        log,
        command,
        lambda site: outages.record_visit(
            site,
            visited_on=visited_on,
            distance_metres=distance_metres,
            minutes=minutes,
            remote_island=remote_island,
            surcharge=surcharge,
        ),
    )


async def record_repair(
    log: Log, command: Command, *, made_at: datetime, urgent: bool, actual_cost: int
) -> Appended:
    """Something was repaired at the site; cost in yen."""
    return await _decide(
        log,
        command,
        lambda site: outages.record_repair(
            site, made_at=made_at, urgent=urgent, actual_cost=actual_cost
        ),
    )


async def correct_fact(
    log: Log, command: Command, *, corrects: UUID, values: dict[str, Any] | None, reason: str
) -> Appended:
    """A recorded fact of the site is put right, or withdrawn."""
    return await log.decide(
        command.contract_id,
        lambda history: facts.correct(history, corrects=corrects, values=values, reason=reason),
        cause=command.cause,
        expected=command.expected,
        riders=command.riders,
    )


async def meet_deadlines(log: Log, command: Command, *, until: datetime) -> Appended:
    """What falls due at the site at or before `until` is claimed, as of its own day."""
    return await _decide(log, command, lambda site: devices.meet_deadlines(site, until=until))


async def site_at(log: Log, contract_id: UUID) -> tuple[Site, tuple[Recorded[Event], ...]]:
    """The site as its facts stand, and what was recorded."""
    history = await log.load(contract_id)
    return facts.site_of(history), history


async def next_deadline(log: Log, contract_id: UUID) -> datetime | None:
    """When the site's earliest claim falls due; None where nothing does."""
    site, _ = await site_at(log, contract_id)
    due = devices.deadlines(site)
    return due[0].due_at if due else None


async def _decide(
    log: Log, command: Command, decision: Callable[[Site], tuple[Event, ...]]
) -> Appended:
    return await log.decide(
        command.contract_id,
        lambda history: decision(facts.site_of(history)),
        cause=command.cause,
        expected=command.expected,
        riders=command.riders,
    )
