"""`./yk forget`: what is registered of a customer, forgotten for good through the HTTP API."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import httpx2
import typer

from cli.environments import OPERATIONS, REHEARSAL, Environment
from cli.keys import signing_key
from cli.processes import CannotStart, ProcessTable
from cli.services import SERVICES, process_name
from cli.state import DEVELOPMENT
from cli.tokens import mint

_OWNER = "contracts"
_SCOPES = ("operator", "contracts:read", "contracts:write")
_LASTING = timedelta(minutes=5)
_SECONDS = 30.0
_GOOD = 300


def run(
    customer: Annotated[UUID, typer.Argument(help="The customer.")],
    *,
    classes: Annotated[
        str, typer.Option(help="What: contact, invoice, or both with a comma between.")
    ],
    because: Annotated[
        str, typer.Option(help="Why: requested, no-longer-needed or obtained-wrongly.")
    ],
    by: Annotated[str, typer.Option(help="Who forgets; stands in the event.")] = "operator",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="The rehearsal's.")] = False,
) -> None:
    """Destroy the keys of a customer's personal data, today and for good.

    It is refused while something still needs the data. After a failure on the way the same command
    ends what it began.
    """
    wanted = [name.strip() for name in classes.split(",")]
    environment = REHEARSAL if rehearsal else OPERATIONS
    with _caller(environment, by=by) as client:
        shown = _answer(client.get(f"/customers/{customer}"))
        if not yes:
            who = shown["name"] or "(forgotten)"
            typer.confirm(f"Forget {', '.join(wanted)} of {who} for good?", abort=True)
        gone = forget(client, customer, classes=wanted, because=because)
    typer.echo(f"{customer}: forgotten are {', '.join(gone)}")


def forget(client: httpx2.Client, customer: UUID, *, classes: list[str], because: str) -> list[str]:
    """Ask contracts to forget; gives what is forgotten by then. Raises CannotStart with its words."""
    answer = client.post(
        f"/customers/{customer}/forgetting",
        json={"classes": classes, "reason": because},
        headers={"If-Match": "*", "Idempotency-Key": _key_of(customer, classes, because)},
    )
    gone: list[str] = _answer(answer)["forgotten"]
    return gone


def _key_of(customer: UUID, classes: list[str], because: str) -> str:
    """The same for the same wish, so that a repeat ends what was begun."""
    wish = f"{customer} {' '.join(classes)} {because}"
    return f"forget-{hashlib.sha256(wish.encode()).hexdigest()[:32]}"


def _caller(environment: Environment, *, by: str) -> httpx2.Client:
    (owner,) = (service for service in SERVICES if service.name == _OWNER)
    name = process_name(owner, "api", environment=environment.name)
    found = ProcessTable(DEVELOPMENT).find(name)
    if found is None:
        raise CannotStart(f"{name} is not running; start the system with ./yk up.")
    token = mint(
        signing_key(DEVELOPMENT),
        subject=by,
        scopes=_SCOPES,
        now=datetime.now(UTC),
        lasting=_LASTING,
    )
    return httpx2.Client(
        base_url=found.address,
        headers={"Authorization": f"Bearer {token}"},
        timeout=_SECONDS,
        trust_env=False,
    )


def _answer(response: httpx2.Response) -> dict[str, Any]:
    """The body of a good answer; raises CannotStart with the words of a problem."""
    body: dict[str, Any] = response.json()
    if response.status_code >= _GOOD:
        said = body.get("detail") or body["title"]
        raise CannotStart(f"Nothing is forgotten yet: {said} ({body['code']}).")
    return body
