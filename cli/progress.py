"""What takes a while says so on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_console = Console(stderr=True, highlight=False)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show `text` while the block runs: a spinner on a terminal, one line elsewhere."""
    if not _console.is_terminal:
        _console.print(f"{text} …")
        yield
        return
    with _console.status(f"{text} …"):
        yield
    _console.print(f"[green]✓[/green] {text}")


def say(text: str) -> None:
    """One line on standard error."""
    _console.print(text, markup=False)
