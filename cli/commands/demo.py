"""`./yk demo`: some months of an operator's life, played through the running system."""

import asyncio
import sys
from datetime import date

from rich.console import Console
from rich.markup import escape

from cli.demo import closing
from cli.demo.performance import Performance
from cli.demo.story import read_stories
from cli.play.rehearsal import rehearsal_running, stage
from cli.state import DEVELOPMENT
from cli.system import Addresses

_WIDTH = 120


def run() -> None:
    """Set everything up, play four months of an operator's life, and show what came of them.

    What was started runs on, for a look around. Ctrl-C before the end stops it again.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    with rehearsal_running(DEVELOPMENT) as addresses:
        asyncio.run(_play(addresses, console=console))


async def _play(addresses: Addresses, *, console: Console) -> None:
    stories = read_stories()
    for story in stories:
        console.print(f"[bold]{escape(story.name)}[/]  {escape(story.title)}")
    console.print()

    def tell(on: date, who: str, what: str) -> None:
        console.print(f"[dim]{on}[/]  [bold]{escape(who)}[/] {escape(what)}", soft_wrap=True)

    async with stage(addresses, state=DEVELOPMENT) as found:
        performance = Performance(stories, on=found, tell=tell)
        await performance.play()
    _close(performance, addresses, console=console)


def _close(performance: Performance, addresses: Addresses, *, console: Console) -> None:
    parts = performance.parts
    for table in closing.invoices(parts):
        console.print()
        console.print(table)
    console.print("\n[bold]late interest[/]")
    for line in closing.interest(parts):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(closing.mails(parts))
    console.print("\n[bold]to look at[/]")
    for line in closing.addresses(parts, addresses):
        console.print(line, soft_wrap=True)
    console.print("\nEverything runs on: `./yk status` shows it, `./yk down` stops it.")
