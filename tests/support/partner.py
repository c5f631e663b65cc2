"""Another company's program, calling the services over HTTP with a token of its own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2

from cli.keys import signing_key
from cli.state import State
from cli.tokens import mint

OPERATOR = ("operator",)


@dataclass(slots=True, kw_only=True)
class Partner:
    """Calls the services at their addresses; every write is of one case and one trace."""

    client: httpx2.AsyncClient
    addresses: Mapping[str, str]
    token: str
    case: UUID = field(default_factory=uuid4)
    trace_id: str = field(default_factory=lambda: uuid4().hex)

    async def get(self, context: str, path: str, **query: str) -> httpx2.Response:
        """Ask for a page."""
        return await self.client.get(
            f"{self.addresses[context]}{path}", headers=self._token(), params=query
        )

    async def post(
        self,
        context: str,
        path: str,
        body: Mapping[str, Any],
        *,
        at: datetime | None = None,
        version: str = "*",
        key: str | None = None,
    ) -> httpx2.Response:
        """Give a command at an instant, on the version that was seen."""
        headers = {
            **self._token(),
            "Idempotency-Key": key or str(uuid4()),
            "If-Match": version,
            "Yakkan-Correlation": str(self.case),
            "traceparent": f"00-{self.trace_id}-{'1' * 16}-01",
        }
        if at is not None:
            headers["Yakkan-Now"] = at.isoformat()
        return await self.client.post(
            f"{self.addresses[context]}{path}", headers=headers, json=dict(body)
        )

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@asynccontextmanager
async def a_partner(
    addresses: Mapping[str, str],
    *,
    state: State,
    scopes: Sequence[str] = OPERATOR,
    customer_id: UUID | None = None,
) -> AsyncIterator[Partner]:
    """A partner with a token of the installation whose keys are in `state`."""
    token = mint(
        signing_key(state),
        subject=str(customer_id or "partner"),
        scopes=scopes,
        customer_id=customer_id,
        now=datetime.now(UTC),
        lasting=timedelta(hours=1),
    )
    async with httpx2.AsyncClient(timeout=30) as client:
        yield Partner(client=client, addresses=addresses, token=token)
