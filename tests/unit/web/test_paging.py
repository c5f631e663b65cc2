"""Pages by cursor."""

from datetime import date
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Request, Response

from libs.web.app import make_app
from libs.web.auth import Verifier
from libs.web.edge import Edge
from libs.web.paging import BadCursor, Page, Paging, make_cursor, page_of, paging, read_cursor

from .test_auth import MakeClient

router = APIRouter()


@router.get("/numbers")
async def numbers(
    request: Request, response: Response, page: Annotated[Paging, Depends(paging)]
) -> Page[int]:
    start = page.after[0] if page.after else 0
    found = [n for n in range(1, 6) if n > start][: page.limit + 1]
    return page_of(found, page, key=lambda n: [n], request=request, response=response)


async def test_following_the_cursor_gives_every_item_once(
    verifier: Verifier, client_of: MakeClient
) -> None:
    client = client_of(make_app("Trial", edge=Edge(verifier=verifier), routers=(router,), ready={}))
    items: list[int] = []
    answer = await client.get("/numbers?limit=2")
    while True:
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        link = answer.headers["link"]
        assert link.endswith('; rel="next"')
        answer = await client.get(link[1 : link.index(">")])
    assert items == [1, 2, 3, 4, 5]


async def test_a_strange_cursor_is_refused(verifier: Verifier, client_of: MakeClient) -> None:
    client = client_of(make_app("Trial", edge=Edge(verifier=verifier), routers=(router,), ready={}))
    answer = await client.get("/numbers?cursor=%21%21")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-cursor")


def test_a_cursor_carries_its_key() -> None:
    assert read_cursor(make_cursor([date(2024, 2, 29), 7])) == ["2024-02-29", 7]


@pytest.mark.parametrize("cursor", ["x", make_cursor([1])[:-2] + "@@", "e30"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(cursor)
