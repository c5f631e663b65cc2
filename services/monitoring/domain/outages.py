"""Outages, visits and repairs: what happened at a site, as the operator knows it."""

from datetime import date, datetime
from uuid import UUID

from libs.events.vocabulary.monitoring import (
    Fault,
    OutageRecorded,
    RepairMade,
    SiteEvent,
    VisitMade,
)
from libs.refusal.refusal import Refusal
from services.monitoring.domain.site import Site, admit, opened


class NotYetKnown(Refusal):
    code = "not-yet-known"
    title = "What is recorded must be known by now"


def record_outage(
    site: Site,
    *,
    outage_id: UUID,
    from_at: datetime,
    to_at: datetime,
    known_at: datetime,
    fault: Fault,
    now: datetime,
    complete: bool = True,
    incident: str | None = None,
) -> tuple[SiteEvent, ...]:
    """Record that the service was unusable from `from_at` (included) to `to_at` (excluded).

    Recorded for every service, whether its terms give a credit or not, with what the credit
    rules ask for: when the company knew, whose fault, and whether all use was impossible.
    `from_at` and `to_at` may lie ahead (announced work, an end that is foreseen), `known_at` not.
    The same outage again changes nothing. Raises `EndBeforeStart`, `BeforeTheSite`,
    `AfterTheEnd`, `NotYetKnown`, `AlreadyRecorded` (the id with other facts), `SiteNotOpen`.

    Clauses: WUTM-A1.2.1 (what counts as a fault is recorded as one, with whose it is).
    """
    content = opened(site)
    if known_at > now:
        raise NotYetKnown(f"known_at {known_at} lies after now, {now}", field="/known_at")
    outage = OutageRecorded(
        outage_id=outage_id,
        contract_id=content.contract_id,
        customer_id=content.customer_id,
        from_at=from_at,
        to_at=to_at,
        known_at=known_at,
        fault=fault,
        complete=complete,
        incident=incident,
    )
    if content.outages.get(outage_id) == outage:
        return ()
    admit(site, outage)
    return (outage,)


def record_visit(
    site: Site,
    *,
    visited_on: date,
    distance_metres: int,
    minutes: int,
    remote_island: bool,
    surcharge: int,
) -> tuple[SiteEvent, ...]:
    """Record a visit: way and time one way, `surcharge` in yen as the price of a far visit."""
    visit = VisitMade(
        contract_id=opened(site).contract_id,
        visited_on=visited_on,
        distance_metres=distance_metres,
        minutes=minutes,
        remote_island=remote_island,
        surcharge=surcharge,
    )
    admit(site, visit)
    return (visit,)


def record_repair(
    site: Site, *, made_at: datetime, urgent: bool, actual_cost: int
) -> tuple[SiteEvent, ...]:
    """Record a repair on site; `urgent`: both sides judged it so; cost in yen as spent."""
    repair = RepairMade(
        contract_id=opened(site).contract_id,
        made_at=made_at,
        urgent=urgent,
        actual_cost=actual_cost,
    )
    admit(site, repair)
    return (repair,)
