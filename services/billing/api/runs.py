"""Invoice runs over HTTP: asked for here, carried out by the worker, watched here."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from libs.events.vocabulary.billing import InvoiceRunStarted
from libs.refusal.refusal import Refusal
from libs.web.paging import BadCursor, Page, Paging, page_of, paging
from libs.web.problems import refusals
from libs.web.writes import Write
from services.billing.api.parts import Body, Parts, Seen, Staff, Working, creating, today
from services.billing.domain.due_policy import UnknownDuePolicy
from services.billing.runs import RunConflict, RunUnknown, start_run, started_run, waits_for
from services.billing.views.runs import RunProgress, failed_accounts, find_run, list_outcomes

router = APIRouter(prefix="/invoice-runs", tags=["invoice runs"])

_RUNS = UUID("b0e9d0a4-52c0-4d39-8f2e-6b8a1f8f5d10")


class InvoiceRunBody(Body):
    """Bill every billing month that ended on or before `closing_on`, that day included.

    `known_on` leaves out what was recorded after that day; without it all counts that is known.
    `issued_on` is today in Japan unless said. `scope` names accounts; empty, all are billed.
    `due_policy` gives due dates where none is agreed: `agreed`, `end-of-next-month`, or
    `days-after-issue:N`.
    """

    closing_on: date
    known_on: date | None = None
    issued_on: date | None = None
    due_policy: str | None = Field(default=None, max_length=100)
    scope: list[UUID] = Field(default_factory=list, max_length=10_000)


class RunAnswer(BaseModel):
    """A run and how far it is. `failures` says by contract why it could not be billed.

    It is `waiting` while a source has not told all that was recorded by `known_on`: nothing is
    drafted before that, and `waits_for` says in words what it waits for.
    """

    run_id: UUID
    state: Literal["waiting", "drafting", "issuing", "finished"]
    waits_for: list[str] = Field(default_factory=list)
    closing_on: date
    known_on: date | None
    issued_on: date
    due_policy: str
    accounts: int
    drafted: int
    issued: int
    failed: int
    invoices: int | None = None
    credit_notes: int | None = None
    contracts: int | None = None
    total: int | None = None
    failures: dict[str, str] = Field(default_factory=dict)


class OutcomeRow(BaseModel):
    """What came of one account's contracts, in words."""

    account_id: UUID
    outcomes: dict[UUID, str]
    failures: dict[UUID, str]


class KnownAhead(Refusal):
    """What will be known on a day to come is not known today."""

    code = "known-on-ahead"
    title = "The day by which a run goes has not come yet"


async def _answered(working: Parts, progress: RunProgress) -> RunAnswer:
    """A run; one that has drafted nothing yet may wait for a source."""
    lacking: Sequence[str] = ()
    if progress.finished is None and not progress.drafted:
        lacking = await waits_for(working.billing, known_on=progress.started.known_on)
    return _answer(progress, lacking=lacking)


def _state(
    progress: RunProgress, *, waits: bool
) -> Literal["waiting", "drafting", "issuing", "finished"]:
    if progress.finished:
        return "finished"
    if waits:
        return "waiting"
    return "drafting" if progress.drafted < progress.accounts else "issuing"


def _answer(progress: RunProgress, *, lacking: Sequence[str]) -> RunAnswer:
    started, finished = progress.started, progress.finished
    return RunAnswer(
        run_id=started.run_id,
        state=_state(progress, waits=bool(lacking)),
        waits_for=list(lacking),
        closing_on=started.closing_on,
        known_on=started.known_on,
        issued_on=started.issued_on,
        due_policy=started.due_policy,
        accounts=progress.accounts,
        drafted=progress.drafted,
        issued=progress.issued,
        failed=progress.failed,
        invoices=finished.invoices if finished else None,
        credit_notes=finished.credit_notes if finished else None,
        contracts=finished.contracts if finished else None,
        total=finished.total if finished else None,
        failures=finished.failures if finished else {},
    )


@router.post(
    "",
    status_code=202,
    response_model=RunAnswer,
    responses=refusals(RunConflict, UnknownDuePolicy, KnownAhead),
)
async def ask_for_run(
    body: InvoiceRunBody,
    working: Working,
    wish: Annotated[Write, creating("invoice-run")],
) -> Response:
    """Ask for a run; the same request again gives the same run."""
    run_id = uuid5(_RUNS, f"{wish.scope} {wish.key}")
    before = await started_run(working.billing, run_id)
    now = today(working, wish)
    if body.known_on is not None and body.known_on > now:
        raise KnownAhead(f"it is {now} in Japan", field="/known_on")
    started = await start_run(
        working.billing,
        run_id=run_id,
        closing_on=body.closing_on,
        issued_on=body.issued_on or (before.issued_on if before else now),
        known_on=body.known_on,
        due_policy=body.due_policy or working.due_policy,
        scope=body.scope,
        cause=wish.cause,
    )
    return await _accepted(working, started)


async def _accepted(working: Parts, started: InvoiceRunStarted) -> Response:
    progress = RunProgress(
        started=started, finished=None, accounts=len(started.scope), drafted=0, issued=0, failed=0
    )
    return JSONResponse(
        (await _answered(working, progress)).model_dump(mode="json"),
        status_code=202,
        headers={
            "Location": f"/invoice-runs/{started.run_id}",
            "Yakkan-Position": str(await working.billing.log.position()),
        },
    )


@router.post(
    "/{run_id}/retry",
    status_code=202,
    response_model=RunAnswer,
    responses=refusals(RunUnknown, RunConflict),
)
async def retry(
    run_id: UUID,
    working: Working,
    wish: Annotated[Write, creating("retry-invoice-run")],
    _seen: Seen,
) -> Response:
    """Ask for a run over only those accounts that could not be billed, by what is known today."""
    progress = await find_run(working.pool, run_id)
    if progress is None:
        raise RunUnknown
    failed = await failed_accounts(working.pool, run_id)
    if not failed:
        return JSONResponse(
            (await _answered(working, progress)).model_dump(mode="json"),
            status_code=202,
            headers={"Location": f"/invoice-runs/{run_id}"},
        )
    retry_id = uuid5(run_id, f"retry {wish.scope} {wish.key}")
    started = await start_run(
        working.billing,
        run_id=retry_id,
        closing_on=progress.started.closing_on,
        issued_on=progress.started.issued_on,
        known_on=None,
        due_policy=progress.started.due_policy,
        scope=failed,
        cause=wish.cause,
    )
    return await _accepted(working, started)


@router.get("/{run_id}", responses=refusals(RunUnknown))
async def show_run(run_id: UUID, working: Working, _staff: Staff, _seen: Seen) -> RunAnswer:
    """A run and how far it is."""
    progress = await find_run(working.pool, run_id)
    if progress is None:
        raise RunUnknown
    return await _answered(working, progress)


@router.get("/{run_id}/outcomes")
async def outcomes(
    run_id: UUID,
    working: Working,
    _staff: Staff,
    _seen: Seen,
    page: Annotated[Paging, Depends(paging)],
    request: Request,
    response: Response,
) -> Page[OutcomeRow]:
    """What came of every account of a run, contract by contract, in words."""
    found = await list_outcomes(
        working.pool, run_id, after=_place(page.after), limit=page.limit + 1
    )
    rows = [OutcomeRow.model_validate(draft, from_attributes=True) for draft in found]
    return page_of(rows, page, key=lambda row: [row.account_id], request=request, response=response)


def _place(after: list[object] | None) -> UUID | None:
    if after is None:
        return None
    try:
        return UUID(str(after[0]))
    except (IndexError, ValueError) as error:
        raise BadCursor from error
