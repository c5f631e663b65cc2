"""`./yk images`: make the images that tests run, where no container registry can be reached."""

import os
from typing import Annotated

import typer

from cli.engine import engine
from cli.images import recipes
from cli.processes import CannotStart

_STEP_SECONDS = 1800


def run(
    *,
    anew: Annotated[
        bool, typer.Option("--anew", help="also those that the engine has, pulled ones too")
    ] = False,
    mirror: Annotated[str | None, typer.Option(help="the Debian mirror to fetch from")] = None,
) -> None:
    """Make the images that tests run; docs/containers.md says how they differ from official ones.

    Needs a Docker engine on this machine, and debootstrap with root rights unless the engine has
    debian:bookworm-slim.
    """
    try:
        client = engine(os.environ, timeout_seconds=_STEP_SECONDS)
    except CannotStart as refused:
        raise CannotStart(f"Images cannot be made: {refused}.") from refused
    try:
        recipes.make(client, anew=anew, mirror=mirror)
    finally:
        client.close()
