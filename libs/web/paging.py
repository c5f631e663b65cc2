"""Pages by an opaque cursor; never by offset."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query, Request, Response
from pydantic import BaseModel

from libs.web.problems import Problem

T = TypeVar("T")


class BadCursor(Problem):
    """The cursor is not one that a page of ours gave."""

    code = "bad-cursor"
    title = "This cursor is not one we gave"


class Page(BaseModel, Generic[T]):
    """Some items and the cursor of the next page, None on the last."""

    items: list[T]
    next: str | None = None


class Paging(BaseModel):
    """Where a page starts (the key after which it begins, None: at the start) and how long it is."""

    after: list[Any] | None
    limit: int

    def after_id(self) -> UUID | None:
        """The id after which a page of things by id begins; raises `BadCursor`."""
        if self.after is None:
            return None
        try:
            return UUID(self.after[0])
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise BadCursor from error


async def paging(
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Paging:
    """A dependency: the page asked for; raises `BadCursor`."""
    return Paging(after=read_cursor(cursor) if cursor is not None else None, limit=limit)


def make_cursor(key: Sequence[Any]) -> str:
    """The opaque cursor of the item with this sort key (strings, numbers, dates, ids)."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key), default=str)).decode().rstrip("=")


def read_cursor(cursor: str) -> list[Any]:
    """The sort key in a cursor; raises `BadCursor`."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    if not isinstance(key, list):
        raise BadCursor
    return key


def page_of(
    found: Sequence[T],
    paging: Paging,
    *,
    key: Callable[[T], Sequence[Any]],
    request: Request,
    response: Response,
) -> Page[T]:
    """The page from up to `limit` + 1 items found, with a `Link` header to the next."""
    items = list(found[: paging.limit])
    if len(found) <= paging.limit:
        return Page(items=items)
    cursor = make_cursor(key(items[-1]))
    following = request.url.include_query_params(cursor=cursor, limit=paging.limit)
    response.headers["Link"] = f'<{following}>; rel="next"'
    return Page(items=items, next=cursor)
