"""The board of sites: how many devices stand there, what is awaited, what was out of order."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.events.database import Connection, Pool
from libs.events.envelope import Event, Recorded
from libs.events.log import Log
from libs.events.reaction import Effect
from libs.events.vocabulary.monitoring import Fault
from services.monitoring.domain.devices import deadlines
from services.monitoring.domain.facts import site_of
from services.monitoring.domain.site import Closed, Site, Unopened, opened

NAME = "sites"


class SiteRow(BaseModel):
    """A site on the board."""

    model_config = ConfigDict(frozen=True)

    contract_id: UUID
    customer_id: UUID
    service: str
    opened_on: date
    closed_on: date | None
    devices: int
    awaited: int
    due_at: datetime | None


class OutageRow(BaseModel):
    """An outage as it stands after all corrections."""

    model_config = ConfigDict(frozen=True)

    outage_id: UUID
    contract_id: UUID
    customer_id: UUID
    from_at: datetime
    to_at: datetime
    known_at: datetime
    fault: Fault
    complete: bool
    incident: str | None


def filling(log: Log) -> Effect:
    """Write each site anew as it stood after its last event of the batch.

    A correction can touch any fact before it, so the rows come from the whole stream.
    """

    async def fill(connection: Connection, recorded: Sequence[Recorded[Event]]) -> None:
        versions = {each.envelope.stream_id: each.envelope.version for each in recorded}
        for contract_id, version in versions.items():
            history = (await log.load(contract_id))[:version]
            await _write(connection, contract_id, site_of(history))

    return fill


DELETE_OUTAGES = "DELETE FROM outage WHERE contract_id = $1"
DELETE_SITE = "DELETE FROM site WHERE contract_id = $1"
INSERT_SITE = """
INSERT INTO site (contract_id, customer_id, service, opened_on, closed_on, devices, awaited, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
INSERT_OUTAGE = """
INSERT INTO outage (outage_id, contract_id, customer_id, from_at, to_at, known_at, fault, complete,
                    incident)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def _write(connection: Connection, contract_id: UUID, site: Site) -> None:
    await connection.execute(DELETE_OUTAGES, contract_id)
    await connection.execute(DELETE_SITE, contract_id)
    if isinstance(site, Unopened):
        return
    content = opened(site)
    due = deadlines(site)
    await connection.execute(
        INSERT_SITE,
        contract_id,
        content.customer_id,
        content.service,
        content.opened_on,
        site.closed_on if isinstance(site, Closed) else None,
        len(content.standing),
        len(content.awaited),
        due[0].due_at if due else None,
    )
    for outage in content.outages.values():
        await connection.execute(
            INSERT_OUTAGE,
            outage.outage_id,
            contract_id,
            content.customer_id,
            outage.from_at,
            outage.to_at,
            outage.known_at,
            outage.fault,
            outage.complete,
            outage.incident,
        )


LIST = """
SELECT contract_id, customer_id, service, opened_on, closed_on, devices, awaited, due_at
FROM site
WHERE ($1::uuid IS NULL OR contract_id > $1) AND ($2::uuid IS NULL OR customer_id = $2)
ORDER BY contract_id LIMIT $3
"""


async def list_sites(
    pool: Pool, *, after: UUID | None, customer_id: UUID | None, limit: int
) -> list[SiteRow]:
    """Sites by contract, from the one after `after`."""
    return [SiteRow(**row) for row in await pool.fetch(LIST, after, customer_id, limit)]


OUTAGES = """
SELECT outage_id, contract_id, customer_id, from_at, to_at, known_at, fault, complete, incident
FROM outage
WHERE ($1::timestamptz IS NULL OR to_at > $1) AND ($2::timestamptz IS NULL OR from_at < $2)
  AND ($3::uuid IS NULL OR customer_id = $3)
  AND ($4::timestamptz IS NULL OR (from_at, contract_id, outage_id) > ($4, $5, $6))
ORDER BY from_at, contract_id, outage_id LIMIT $7
"""


async def list_outages(
    pool: Pool,
    *,
    from_at: datetime | None,
    to_at: datetime | None,
    customer_id: UUID | None,
    after: tuple[datetime, UUID, UUID] | None,
    limit: int,
) -> list[OutageRow]:
    """Outages of which some part lies from `from_at` (included) to `to_at` (excluded)."""
    place = after or (None, None, None)
    rows = await pool.fetch(OUTAGES, from_at, to_at, customer_id, *place, limit)
    return [OutageRow(**row) for row in rows]


NEXT = """
SELECT min(due_at) FROM site
WHERE due_at IS NOT NULL AND ($1::uuid[] IS NULL OR contract_id = ANY($1))
"""


async def next_deadline(pool: Pool, *, among: Sequence[UUID] | None) -> datetime | None:
    """When the earliest claim falls due, of these contracts or of all."""
    due_at: datetime | None = await pool.fetchval(NEXT, among)
    return due_at


DUE = """
SELECT contract_id FROM site
WHERE due_at <= $1 AND ($2::uuid[] IS NULL OR contract_id = ANY($2))
ORDER BY due_at, contract_id
"""


async def due_sites(pool: Pool, *, until: datetime, among: Sequence[UUID] | None) -> list[UUID]:
    """The contracts of which something falls due at or before `until`, earliest first."""
    return [row["contract_id"] for row in await pool.fetch(DUE, until, among)]
