"""What came of a play, as tables for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

_NARROWEST = 28


def yen(amount: int) -> str:
    """An amount of yen with separators."""
    return f"{amount:,}"


def result_tables(title: str, result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The invoices, what was demanded beside them, interest, the end, and the warnings."""
    yield f"[bold]{escape(title)}[/]  {result['service']}"
    if result["invoices"]:
        yield _invoices(result["invoices"])
    if result["penalties"]:
        yield _penalties(result["penalties"])
    for entry in result["late_interest"]:
        yield _interest(entry)
    end = result["termination"]
    if end:
        yield f"ends {end['date']} ({end['reason']})"
    for name, value in result["extra"].items():
        yield f"{name.replace('_', ' ')}: {_plain(value)}"
    for warning in result["warnings"]:
        yield f"[yellow]![/] {escape(warning)}"


def invoice_table() -> Table:
    """An empty table with the columns of an invoice's lines."""
    table = Table(header_style="bold")
    table.add_column("month")
    table.add_column("line", min_width=_NARROWEST // 2)
    table.add_column("clause", min_width=_NARROWEST // 2)
    for name in ("quantity", "days", "yen"):
        table.add_column(name, justify="right")
    return table


def add_invoice(table: Table, invoice: Mapping[str, Any], *, name: str) -> None:
    """The lines of an invoice, its taxes and its total."""
    for line in invoice["lines"]:
        table.add_row(
            name,
            line["code"],
            ", ".join(_clauses(line["clause"])),
            str(line["quantity"]),
            "" if line["days"] is None else str(line["days"]),
            yen(line["amount"]),
        )
        name = ""
    for tax in invoice["tax"]:
        table.add_row("", f"tax {tax['rate']}% of {yen(tax['base'])}", "", "", "", yen(tax["tax"]))
    table.add_row("", "[bold]total[/]", "", "", "", f"[bold]{yen(invoice['total'])}[/]")
    table.add_section()


def _invoices(invoices: Sequence[Mapping[str, Any]]) -> Table:
    table = invoice_table()
    for invoice in invoices:
        add_invoice(table, invoice, name=invoice["month"])
    return table


def _penalties(penalties: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="demanded beside the invoices", title_justify="left", header_style="bold")
    table.add_column("what")
    table.add_column("clause")
    for name in ("quantity", "yen", "tax", "total"):
        table.add_column(name, justify="right")
    table.add_column("due")
    for one in penalties:
        table.add_row(
            one["code"],
            ", ".join(_clauses(one["clause"])),
            str(one["quantity"]),
            yen(one["amount"]),
            yen(one["tax"]),
            yen(one["total"]),
            one["due"] or "",
        )
    return table


def _interest(entry: Mapping[str, Any]) -> str:
    charged = "" if entry["charged"] else ", not charged"
    return (
        f"late interest on {entry['month']}: {yen(entry['amount'])} yen due {entry['due']}, "
        f"paid {entry['paid_on']}: {entry['days']} days at {entry['rate_permille']}‰ = "
        f"{yen(entry['interest'])} yen{charged}"
    )


def _clauses(cited: str | Sequence[str]) -> Sequence[str]:
    return [cited] if isinstance(cited, str) else cited


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return " to ".join(str(part) for part in value.values())
    return str(value)
