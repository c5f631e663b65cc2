"""What a service's worker found that does not agree, over HTTP, for staff.

Who makes an application with this router gives it the database's pool as `app.state.reconciled`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from libs.events.database import Pool
from libs.events.reconcile import Drift
from libs.events.reconciling import list_drift
from libs.web.auth import OPERATOR, requires
from libs.web.paging import BadCursor, Page, Paging, page_of, paging

router = APIRouter(tags=["running"])

Asked = Annotated[Paging, Depends(paging)]

_KEY = 2


@router.get("/drift", dependencies=[Depends(requires(OPERATOR, staff=True))])
async def drift(request: Request, response: Response, asked: Asked) -> Page[Drift]:
    """What does not agree as far as the worker has looked: where, since when, what to do."""
    pool: Pool = request.app.state.reconciled
    after = None
    if asked.after is not None:
        if len(asked.after) != _KEY:
            raise BadCursor
        after = (str(asked.after[0]), str(asked.after[1]))
    found = await list_drift(pool, after=after, limit=asked.limit + 1)
    return page_of(
        found, asked, key=lambda one: (one.check, one.place), request=request, response=response
    )
