"""Phase two of a run: drafts are issued in batches, one append each, numbered in one row.

An append finds every stream at the version its draft rests on, and the issuer's where it was read;
else nothing is appended, and what moved is drafted and numbered anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from libs.events.envelope import Cause, Event
from libs.events.log import StreamAppend
from libs.events.vocabulary.billing import ChargesAssessed, DocumentsIssued, InvoiceRunStarted
from libs.refusal.refusal import Stale
from libs.telemetry import tracing
from services.billing.domain.issuer import ISSUER, Issuer, fold_issuer, numbered
from services.billing.drafting import draft_of, known_until, order_of
from services.billing.ports import AccountDraft, Billing

_ATTEMPTS = 50


async def issue_all(
    billing: Billing,
    started: InvoiceRunStarted,
    *,
    batches: Sequence[Sequence[AccountDraft]],
    cause: Cause,
) -> None:
    """Phase two: batches of drafts in account order; those that stand already are passed over."""
    issuer = await issuer_of(billing)
    done = len(issuer.of(started.run_id))
    for number, batch in enumerate(batches, start=1):
        issued = batch
        if number > done:
            issuer, issued = await _issue_batch(
                billing, started, batch=batch, number=number, issuer=issuer, cause=cause
            )
        await billing.drafts.mark_issued(started.run_id, issued)


async def issuer_of(billing: Billing) -> Issuer:
    events = await billing.log.load(ISSUER)
    return fold_issuer([cast("DocumentsIssued", recorded.event) for recorded in events])


async def _issue_batch(
    billing: Billing,
    started: InvoiceRunStarted,
    *,
    batch: Sequence[AccountDraft],
    number: int,
    issuer: Issuer,
    cause: Cause,
) -> tuple[Issuer, Sequence[AccountDraft]]:
    """Issue one batch in one append; when a stream moved meanwhile its account is drafted anew.

    Gives the issuer after it, and the drafts as they were issued.
    """
    for _ in range(_ATTEMPTS):
        issued, said = _numbered(issuer, batch, started=started, number=number)
        try:
            await _append(billing, issued, said=said, issuer=issuer, cause=cause)
        except Stale:
            issuer = await issuer_of(billing)
            if len(issuer.of(started.run_id)) >= number:
                return issuer, batch
            batch = [await _fresh(billing, draft, started=started) for draft in batch]
        else:
            return issuer.after(said), batch
    raise TimeoutError("the streams of a batch never stood still")


async def _append(
    billing: Billing,
    issued: Sequence[AccountDraft],
    *,
    said: DocumentsIssued,
    issuer: Issuer,
    cause: Cause,
) -> None:
    """Append a batch; the documents of each account belong to the case it was opened in."""
    cases = [draft.correlation_id or cause.correlation_id for draft in issued]
    with tracing.together("issue documents", cases=cases) as traces:
        appends = [
            append
            for draft, case, origin in zip(issued, cases, traces, strict=True)
            for append in _appends(
                draft, cause=replace(cause, correlation_id=case, traceparent=origin)
            )
        ]
        appends.append(StreamAppend(stream_id=ISSUER, events=(said,), expected=issuer.version))
        await billing.log.append(*appends, cause=cause)


async def _fresh(
    billing: Billing, draft: AccountDraft, *, started: InvoiceRunStarted
) -> AccountDraft:
    for stream_id, version in draft.versions.items():
        if len(await billing.log.load(stream_id)) != version:
            return await draft_of(
                billing,
                draft.account_id,
                order=order_of(started),
                known_until=known_until(started),
            )
    return draft


def _numbered(
    issuer: Issuer, batch: Sequence[AccountDraft], *, started: InvoiceRunStarted, number: int
) -> tuple[list[AccountDraft], DocumentsIssued]:
    flat: list[Event] = [event for draft in batch for event in draft.events]
    events, said = numbered(issuer, flat, run_id=started.run_id, batch=number)
    issued: list[AccountDraft] = []
    at = 0
    for draft in batch:
        mine = events[at : at + len(draft.events)]
        issued.append(draft.model_copy(update={"events": mine}))
        at += len(draft.events)
    return issued, said


def _appends(draft: AccountDraft, *, cause: Cause) -> list[StreamAppend]:
    """The streams of one account's draft: its contracts' revisions, then the account itself."""
    by_contract: dict[UUID, list[ChargesAssessed]] = {}
    for assessed in draft.assessed:
        by_contract.setdefault(assessed.contract_id, []).append(assessed)
    appends = [
        StreamAppend(
            stream_id=contract_id,
            events=events,
            expected=draft.versions[contract_id],
            cause=cause,
        )
        for contract_id, events in by_contract.items()
    ]
    if draft.events:
        version = draft.versions[draft.account_id]
        appends.append(
            StreamAppend(
                stream_id=draft.account_id, events=draft.events, expected=version, cause=cause
            )
        )
    return appends
