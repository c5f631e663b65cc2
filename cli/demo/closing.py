"""What stands at the end of the demonstration: invoices, interest, mails, and where to look."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from cli.demo.performance import Part
from cli.play.tables import add_invoice, invoice_table, yen
from cli.system import Addresses
from libs.dates.clock import SystemClock
from libs.dates.japan import japan_date
from libs.events.vocabulary.billing import InvoiceIssued
from libs.telemetry import names

_TOKEN = "$(./yk token --scope operator)"  # noqa: S105 - the command that prints one
_LOOK_BACK = "1d"
_MOST_TRACES = 250


def invoices(parts: Sequence[Part]) -> Iterator[RenderableType]:
    """A table of invoices for each customer, the clauses beside each line."""
    for part in parts:
        if not part.documents:
            continue
        table = invoice_table()
        table.title = f"{escape(part.story.name)} · {escape(part.story.title)}"
        table.title_justify = "left"
        for document in part.documents:
            shown = document.model_dump(mode="json")
            for line in shown["lines"]:
                line["clause"] = line["clauses"]
            add_invoice(table, shown, name=f"{document.month}\nno. {document.number}")
        yield table


def interest(parts: Sequence[Part]) -> Iterator[str]:
    """What being late cost, as the invoices say it."""
    for part in parts:
        for document in part.documents:
            for entry in document.interest if isinstance(document, InvoiceIssued) else ():
                yield (
                    f"{escape(part.story.name)}: {yen(entry.amount)} yen of {entry.month} due "
                    f"{entry.due_on}, paid {entry.paid_on}: {entry.days} days at "
                    f"{entry.rate_permille}‰ a year = {yen(entry.interest)} yen, on invoice "
                    f"{document.number} ({', '.join(entry.clauses)})"
                )


def mails(parts: Sequence[Part]) -> Table:
    """Every mail that would have been sent."""
    table = Table(title="mails captured", title_justify="left", header_style="bold")
    for name in ("day", "to", "subject"):
        table.add_column(name)
    rows = [(mail["captured_at"], mail) for part in parts for mail in part.mails]
    for at, mail in sorted(rows, key=lambda row: row[0]):
        day = japan_date(datetime.fromisoformat(at))
        table.add_row(day.isoformat(), mail["address"] or "", escape(mail["subject_line"]))
    return table


def addresses(parts: Sequence[Part], found: Addresses) -> Iterator[str]:
    """Where the documentation of the APIs, an explanation, and a case's traces are."""
    for name, base in found.services.items():
        yield f"  API of {name:<14} {base}/docs"
    part = max(parts, key=lambda one: len(one.mails) if one.documents else -1)
    if part.documents and isinstance(part.documents[-1], InvoiceIssued):
        explanation = f"{found.services['billing']}/invoices/{part.documents[-1].invoice_id}"
        yield f"  why an invoice is what it is   {explanation}/explanation"
        yield f'    curl -s -H "Authorization: Bearer {_TOKEN}" {explanation}/explanation'
    yield f"  every trace of the case of {escape(part.story.name)}"
    yield f"    {traces_of(part, found)}"


def traces_of(part: Part, found: Addresses) -> str:
    """The page of Zipkin that shows every trace of one case of the last day.

    Only with the end of that time given does the page search by itself.
    """
    until_at = SystemClock().now() + timedelta(minutes=1)
    query = urlencode(
        {
            "annotationQuery": f"{names.CORRELATION_ID}={part.play.case.correlation}",
            "lookback": _LOOK_BACK,
            "endTs": int(until_at.timestamp() * 1000),
            "limit": _MOST_TRACES,
        }
    )
    return f"{found.zipkin}/zipkin/?{query}"
