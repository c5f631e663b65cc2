"""The pages of the API docs work where no other host can be reached."""

import re
from collections.abc import Callable

import httpx2
import pytest
from fastapi import FastAPI

from libs.web.app import make_app
from libs.web.auth import Verifier
from libs.web.edge import Edge

MakeClient = Callable[[FastAPI], httpx2.AsyncClient]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_loads_nothing_from_elsewhere(
    page: str, verifier: Verifier, client_of: MakeClient
) -> None:
    client = client_of(make_app("Trial", edge=Edge(verifier=verifier), routers=(), ready={}))
    answer = await client.get(page)
    assert answer.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert loaded
    assert [link for link in loaded if not link.startswith("/")] == []
    for link in loaded:
        assert (await client.get(link)).status_code == 200
