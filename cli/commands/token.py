"""`./yk token`: an access token for the running system."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from cli.keys import signing_key
from cli.state import DEVELOPMENT
from cli.tokens import mint


def run(
    *,
    scope: Annotated[list[str] | None, typer.Option(help="A scope; may be repeated.")] = None,
    customer: Annotated[UUID | None, typer.Option(help="The customer who is to see by it.")] = None,
    subject: Annotated[str | None, typer.Option(help="Who acts; else the customer.")] = None,
    hours: Annotated[int, typer.Option(min=1, help="How long it is good.")] = 8,
) -> None:
    """Print a token signed by this installation's key, for `Authorization: Bearer …`."""
    token = mint(
        signing_key(DEVELOPMENT),
        subject=subject or (str(customer) if customer else "operator"),
        scopes=scope or [],
        customer_id=customer,
        now=datetime.now(UTC),
        lasting=timedelta(hours=hours),
    )
    typer.echo(token)
