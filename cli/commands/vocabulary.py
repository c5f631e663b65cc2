"""`./yk vocabulary`: events, problems and topics as they are in the code."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.state import CHECKOUT
from libs.events.envelope import Event
from libs.events.partition import PARTITIONS
from libs.events.registry import CONTEXTS, EVENTS, context_of
from libs.events.wire import shape_of
from libs.refusal.refusal import Refusal

_FOLDERS = ("libs", "services")
_STARTS_SOMETHING = "__main__.py"


def run(
    context: Annotated[str | None, typer.Argument(help="Only the events of this context.")] = None,
) -> None:
    """Print every event with its fields (* is personal), every problem, and every topic."""
    if context is not None and context not in CONTEXTS:
        typer.echo(f"there is no context {context}; there are {', '.join(CONTEXTS)}", err=True)
        raise typer.Exit(1)
    console = Console()
    for name in CONTEXTS if context is None else (context,):
        console.print(_events(name))
    if context is None:
        console.print(_problems())
        console.print(_topics())


def _events(context: str) -> Table:
    table = Table("type", "takes effect", "what it says", "fields", title=f"Events of {context}")
    for name, declared in EVENTS.items():
        if context_of(name) == context:
            summary = (declared.__doc__ or "").partition("\n")[0]
            table.add_row(name, declared.effective or "-", summary, _fields(declared))
    return table


def _fields(declared: type[Event]) -> str:
    shape = shape_of(declared)
    return ", ".join(f"{name}*" if name in shape.personal else name for name in shape.fields)


def _problems() -> Table:
    table = Table("code", "title", "clause", "where", title="Problems")
    for refusal in sorted(_refusals(), key=lambda each: (each.code, each.__module__)):
        table.add_row(refusal.code, refusal.title, refusal.clause or "-", refusal.__module__)
    return table


def _refusals() -> set[type[Refusal]]:
    """Every refusal that a rule may give; those of modules not loaded yet are unknown to Python."""
    for folder in _FOLDERS:
        for file in sorted((CHECKOUT / folder).rglob("*.py")):
            if file.name not in {"__init__.py", _STARTS_SOMETHING}:
                import_module(_module(file))
    return _below(Refusal)


def _module(file: Path) -> str:
    return ".".join(file.relative_to(CHECKOUT).with_suffix("").parts)


def _below(refusal: type[Refusal]) -> set[type[Refusal]]:
    children = set(refusal.__subclasses__())
    return children.union(*(_below(child) for child in children))


def _topics() -> Table:
    table = Table("topic", "partitions", "types", title="Topics")
    for context in CONTEXTS:
        types = sum(context_of(name) == context for name in EVENTS)
        table.add_row(context, str(PARTITIONS), str(types))
    return table
