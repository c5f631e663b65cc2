"""`./yk clauses`: which clauses are carried out and tested, and where."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.catalogue import parts_of, read_catalogue
from cli.citations import read_citations
from cli.clauses import FLOOR, Coverage, below_floor, coverage, read_floor, record_floor
from cli.terms.explaining import explanation
from libs.terms.faults import near

ROOT = Path(__file__).resolve().parents[2]

app = typer.Typer(
    help="Show which clauses are carried out and tested; `where ID` shows one.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def clauses(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the coverage as JSON.")] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="Raise the recorded floor to what is reached."),
    ] = False,
) -> None:
    """Print the coverage of the clauses; fail on an unknown id and on a loss of coverage."""
    if context.invoked_subcommand is not None:
        return
    known = read_catalogue(ROOT)
    citations = read_citations(ROOT, catalogue=known)
    reached = coverage(known, citations=citations)
    if as_json:
        typer.echo(json.dumps(asdict(reached), ensure_ascii=False))
    else:
        _print_table(reached)
    failed = False
    for citation in citations.unknown(known):
        typer.echo(f"unknown clause {citation.id} at {citation.place()}", err=True)
        failed = True
    missing = below_floor(reached, floor=read_floor(ROOT))
    for owner, count in missing.items():
        typer.echo(f"coverage of {owner} fell: {count} below {FLOOR}", err=True)
        failed = True
    if failed:
        raise typer.Exit(1)
    if record:
        record_floor(ROOT, reached=reached)
        typer.echo(f"recorded in {FLOOR}", err=True)


@app.command()
def where(clause_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Say what a clause means, who owns it, and where it is carried out and tested."""
    known = read_catalogue(ROOT)
    parts = parts_of(clause_id, catalogue=known)
    if not parts:
        hint = near(clause_id, known)
        typer.echo(f"no clause {clause_id} in terms/clauses{hint}", err=True)
        raise typer.Exit(1)
    citations = read_citations(ROOT, catalogue=known)
    for clause in parts:
        for line in explanation(clause, citations=citations, catalogue=known, root=ROOT):
            typer.echo(line)


def _print_table(reached: Coverage) -> None:
    for title, groups in (("context", reached.by_context), ("terms", reached.by_terms)):
        table = Table(title, "executable", "covered", "%", title=f"Clauses by {title}")
        for column in table.columns[1:]:
            column.justify = "right"
        for name, count in sorted(groups.items()):
            share = 100 * count.covered // count.executable if count.executable else 0
            table.add_row(name, str(count.executable), str(count.covered), str(share))
        table.add_section()
        executable = sum(count.executable for count in groups.values())
        covered = sum(count.covered for count in groups.values())
        table.add_row(
            "all",
            str(executable),
            str(covered),
            str(100 * covered // (executable or 1)),
        )
        Console().print(table)
