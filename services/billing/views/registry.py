"""The views of billing, each with the tables that it alone fills."""

from libs.events.database import Connection
from libs.events.shadow import View
from services.billing import use_cases
from services.billing.ports import Billing
from services.billing.views.books import accounts_and_documents
from services.billing.views.timelines import BOOKS


def views(billing: Billing) -> tuple[View, ...]:
    """All that follow the own log.

    The facts, which the reader of topics fills too, are made anew with that reader.
    """
    tables = ("billing_account", "document", "assessment", "payment", "invoice_run")
    effect = accounts_and_documents(lambda account_id: use_cases.next_late_on(billing, account_id))
    return (View(BOOKS, tables, effect),)


DISCARD_FACTS = "DELETE FROM fact WHERE context <> 'billing'"
DISCARD_TIMELINES = """
UPDATE contract_timeline SET service = '', packed = NULL, facts = 0, last_recorded_at = NULL
"""


async def discard_foreign_facts(connection: Connection) -> None:
    """Remove all that the reader of topics keeps, before it takes everything again.

    Each timeline is folded anew as its facts come; until then the contract has none.
    """
    await connection.execute(DISCARD_FACTS)
    await connection.execute(DISCARD_TIMELINES)
