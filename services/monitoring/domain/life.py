"""When a site opens and closes: it follows the contract."""

from datetime import date
from uuid import UUID

from libs.events.vocabulary.monitoring import SiteClosed, SiteEvent, SiteOpened
from services.monitoring.domain.site import Closed, Open, Site, Unopened


def open_site(
    site: Site, *, contract_id: UUID, customer_id: UUID, service: str, opened_on: date
) -> tuple[SiteEvent, ...]:
    """Watch a contract from its approval on; once open it stays as it was opened."""
    if not isinstance(site, Unopened):
        return ()
    return (
        SiteOpened(
            contract_id=contract_id,
            customer_id=customer_id,
            service=service,
            opened_on=opened_on,
        ),
    )


def close_site(site: Site, *, closed_on: date) -> tuple[SiteEvent, ...]:
    """Expect nothing more of a contract that ended; of two ends the first told holds.

    A contract that ended without ever having been approved has no site.
    """
    match site:
        case Open():
            return (SiteClosed(contract_id=site.contract_id, closed_on=closed_on),)
        case Unopened() | Closed():
            return ()
