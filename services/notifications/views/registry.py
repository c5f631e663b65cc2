"""The views of notifications, each with the tables that it alone fills."""

from libs.events.database import Connection
from libs.events.shadow import View
from services.notifications.views import notices


def views() -> tuple[View, ...]:
    """All that follow the own log."""
    return (View(notices.NAME, ("notice",), notices.fill),)


DISCARD = "TRUNCATE recipient, known_contract, known_invoice, occasion"


async def discard_known(connection: Connection) -> None:
    """Remove all that the reader of topics keeps, before it takes everything again.

    The occasions come again, and lead to notices that the log has already.
    """
    await connection.execute(DISCARD)
