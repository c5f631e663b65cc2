"""`./yk samples`: the stored example of every event."""

from typing import Annotated

import typer

from cli.state import CHECKOUT
from libs.events.registry import EVENTS
from libs.events.sampling import (
    broken_samples,
    load_sample,
    missing_samples,
    publish_samples,
    read_samples,
    write_missing_samples,
)


def run(
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail when a sample is missing or broken."),
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Let the samples stay as they are now, for ever.")
    ] = False,
) -> None:
    """Draft a sample for each event that has none, and load all there are; mend the drafts.

    A mended draft is published once its event is; from then on nothing may change it.
    """
    if check:
        missing = missing_samples()
        for name in missing:
            typer.echo(f"{name} has no sample", err=True)
        broken = broken_samples()
        for words in broken:
            typer.echo(words, err=True)
        if missing or broken:
            raise typer.Exit(1)
    else:
        for file in write_missing_samples():
            typer.echo(f"drafted {file.relative_to(CHECKOUT)}; give it true values")
    if publish:
        for name in publish_samples():
            typer.echo(f"{name} is published: its sample stays as it is for ever")
    count = 0
    for name, fields in read_samples():
        _load(name, fields)
        count += 1
    typer.echo(f"{count} samples load; {len(EVENTS)} types of events are declared")


def _load(name: str, fields: dict[str, object]) -> None:
    try:
        load_sample(name, fields)
    except KeyError:
        typer.echo(
            f"{name} leads to no event: a step is missing in libs/events/upcast.py", err=True
        )
        raise typer.Exit(1) from None
    except ValueError as refused:
        typer.echo(f"the sample of {name} does not load: {refused}", err=True)
        raise typer.Exit(1) from None
