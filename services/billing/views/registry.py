"""The views of billing, and what its reader of topics keeps, with the tables that each fills."""

from libs.events.shadow import View
from libs.events.shadow_reader import Kept
from services.billing import use_cases
from services.billing.ports import Billing
from services.billing.views.books import accounts_and_documents
from services.billing.views.facts import keep_facts
from services.billing.views.timelines import BOOKS, FACTS


def views(billing: Billing) -> tuple[View, ...]:
    """All that follow the own log; the facts, which the reader of topics fills too, are `facts`."""
    tables = ("billing_account", "document", "assessment", "payment", "invoice_run")
    effect = accounts_and_documents(lambda account_id: use_cases.next_late_on(billing, account_id))
    return (View(BOOKS, tables, effect),)


def facts(topics: tuple[str, ...]) -> Kept:
    """The facts and what is folded from them, which the view of the own log fills as well."""
    tables = ("fact", "fact_subject", "contract_timeline")
    return Kept(reader=FACTS, topics=topics, tables=tables, effect=keep_facts, view=BOOKS)
