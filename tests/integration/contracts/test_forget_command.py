"""`./yk forget` as an operator calls it: refused while needed, done, and the same when repeated."""

import asyncio
import socket
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
from joserfc.jwk import ECKey

from cli.commands.forget import forget
from cli.processes import CannotStart
from libs.web.server import server
from services.contracts.main import Service, application
from tests.support.way import running

from .conftest import MYSEC, Caller, token
from .test_worker import all_of_them, level


@pytest.fixture
async def operator(service: Service, key: ECKey) -> AsyncIterator[httpx2.Client]:
    """An operator's client of the service, which listens while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        serving = server(application(service), port=port)
        task = asyncio.create_task(serving.serve(sockets=[listening]))
        bearer = {"Authorization": f"Bearer {token(key, 'operator', subject='clerk')}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=bearer) as client:
            yield client
        serving.should_exit = True
        await task


async def test_a_customer_is_forgotten_once_nothing_needs_them(
    clerk: Caller, service: Service, operator: httpx2.Client
) -> None:
    free = await clerk.registered()
    needed = await clerk.registered()
    await clerk.post("/contracts", {**MYSEC, "customer_id": needed})
    async with running(all_of_them(service)):
        await level(clerk, await service.log.position())

        async def asked(customer_id: str) -> list[str]:
            return await asyncio.to_thread(
                forget, operator, UUID(customer_id), classes=["contact"], because="requested"
            )

        assert await asked(free) == ["contact"]
        position = await service.log.position()
        assert await asked(free) == ["contact"], "a repeat gives the first answer"
        assert await service.log.position() == position
        with pytest.raises(CannotStart, match=r"Nothing is forgotten yet: .*still-needed"):
            await asked(needed)
    assert (await clerk.get(f"/customers/{free}")).json()["name"] is None
    assert (await clerk.get(f"/customers/{needed}")).json()["name"] is not None
