"""Invoice runs in two phases, and previews: one way to compute for all of them.

Phase one drafts every account and changes nothing. Phase two issues the drafts in account order in
batches, one append each: numbers, chain hashes and events together or not at all. All ids derive
from the run's, no clock is read, and drafts are kept, so a run that was killed issues the same
bytes from the batch after the last one that stands.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import cast
from uuid import UUID

from libs.dates.japan import japan_instant
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import StreamAppend
from libs.events.partition import partition_of
from libs.events.vocabulary.billing import (
    AccountEvent,
    ChargesAssessed,
    ContractBillingEvent,
    DocumentsIssued,
    InvoiceRunFinished,
    InvoiceRunStarted,
)
from libs.refusal.refusal import NotFound, Refusal, Stale
from services.billing.domain.account import Account, Unopened, fold_account
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.contract_facts import fold_record
from services.billing.domain.due_policy import due_by
from services.billing.domain.invoicing import ContractDraft, draft_contract, surplus_events
from services.billing.domain.issuer import ISSUER, Issuer, fold_issuer, numbered
from services.billing.domain.timeline import Timeline
from services.billing.ports import AccountDraft, Billing
from services.billing.use_cases import account_events, account_for, account_state, timeline_of

BATCH = 200
_DRAFTS_AT_ONCE = 100
_ATTEMPTS = 50
_PREVIEW = UUID(int=0)


class RunConflict(Refusal):
    """The run was started with other parameters."""

    code = "run-exists"
    title = "This run was started already, with other parameters"


class RunUnknown(NotFound):
    """There is no such run."""

    code = "run-unknown"
    title = "There is no such invoice run"


class RunBusy(Refusal):
    """Someone else is carrying the run out."""

    code = "run-busy"
    title = "The run is being carried out elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to: by contract in words, and why some could not be billed."""

    run_id: UUID
    invoices: int
    credit_notes: int
    contracts: int
    total: int
    outcomes: dict[UUID, str]
    failures: dict[UUID, str]


async def run_invoices(
    billing: Billing,
    *,
    run_id: UUID,
    closing_on: date,
    issued_on: date,
    cause: Cause,
    known_on: date | None = None,
    due_policy: str = "agreed",
    scope: Sequence[UUID] = (),
    batch: int = BATCH,
) -> Outcome:
    """Bill every billing month that ended on or before `closing_on`, and carry the run through.

    `scope` names accounts; empty, all are billed. `known_on` leaves out what was recorded after
    that day; None bills by all that is known. Called again for the same run it takes it up where
    it was left. Raises RunConflict, UnknownDuePolicy.
    """
    await start_run(
        billing,
        run_id=run_id,
        closing_on=closing_on,
        issued_on=issued_on,
        cause=cause,
        known_on=known_on,
        due_policy=due_policy,
        scope=scope,
    )
    return await carry_out(billing, run_id=run_id, cause=cause, batch=batch)


async def start_run(
    billing: Billing,
    *,
    run_id: UUID,
    closing_on: date,
    issued_on: date,
    cause: Cause,
    known_on: date | None = None,
    due_policy: str = "agreed",
    scope: Sequence[UUID] = (),
) -> InvoiceRunStarted:
    """Say that a run begins, with all that it will rest on; the same again changes nothing."""
    due_by(due_policy, issued_on=issued_on)
    present = await started_run(billing, run_id)
    wished = InvoiceRunStarted(
        run_id=run_id,
        closing_on=closing_on,
        known_on=known_on,
        issued_on=issued_on,
        due_policy=due_policy,
        scope=tuple(sorted(scope)),
        positions=await billing.timelines.positions(),
    )
    if present is not None:
        if not _same_wish(present, wished):
            raise RunConflict
        return present
    append = StreamAppend(stream_id=run_id, events=(wished,), expected=0)
    await billing.log.append(append, cause=cause)
    return wished


async def started_run(billing: Billing, run_id: UUID) -> InvoiceRunStarted | None:
    """How a run was started; None for one that was not."""
    events = await billing.log.load(run_id)
    first = events[0].event if events else None
    return first if isinstance(first, InvoiceRunStarted) else None


def _same_wish(started: InvoiceRunStarted, wished: InvoiceRunStarted) -> bool:
    free = {"positions": ()}
    return started.model_copy(update=free) == wished.model_copy(update=free)


async def carry_out(billing: Billing, *, run_id: UUID, cause: Cause, batch: int = BATCH) -> Outcome:
    """Draft, issue and finish a started run, from wherever it was left. Raises RunBusy.

    `batch` accounts are issued in one append; a run that is taken up keeps its batch size.
    """
    async with billing.drafts.claim(run_id) as mine:
        if not mine:
            raise RunBusy
        events = await billing.log.load(run_id)
        if not events:
            raise RunUnknown
        started = events[0].event
        assert isinstance(started, InvoiceRunStarted)
        drafts = await _draft_all(billing, started)
        if not isinstance(events[-1].event, InvoiceRunFinished):
            full = [draft for draft in drafts if draft.events]
            batches = [full[at : at + batch] for at in range(0, len(full), batch)]
            await _issue_all(billing, started, batches=batches, cause=cause)
        outcome = await _outcome(billing, started)
        if not isinstance(events[-1].event, InvoiceRunFinished):
            await _finish(billing, started, outcome=outcome, cause=cause)
        return outcome


def _order(started: InvoiceRunStarted) -> Order:
    return Order(
        run_id=started.run_id,
        closing_on=started.closing_on,
        issued_on=started.issued_on,
        due_policy=started.due_policy,
        positions=started.positions,
    )


def _known_until(started: InvoiceRunStarted) -> datetime | None:
    if started.known_on is None:
        return None
    return japan_instant(started.known_on + timedelta(days=1))


async def _draft_all(billing: Billing, started: InvoiceRunStarted) -> Sequence[AccountDraft]:
    """Phase one: a draft of every account in scope, by partition; those kept before stay."""
    await billing.timelines.level(await billing.log.position())
    accounts = await billing.timelines.accounts(started.scope)
    kept = {draft.account_id for draft in await billing.drafts.load(started.run_id)}
    left = sorted((a for a in accounts if a not in kept), key=lambda a: (partition_of(a), a))
    parts = [list(part) for _, part in groupby(left, key=partition_of)]
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(_draft_part(billing, started, accounts=part))
    return await billing.drafts.load(started.run_id)


async def _draft_part(
    billing: Billing, started: InvoiceRunStarted, *, accounts: Sequence[UUID]
) -> None:
    for at in range(0, len(accounts), _DRAFTS_AT_ONCE):
        drafts = [
            await draft_of(
                billing, account_id, order=_order(started), known_until=_known_until(started)
            )
            for account_id in accounts[at : at + _DRAFTS_AT_ONCE]
        ]
        await billing.drafts.save(started.run_id, drafts)


async def draft_of(
    billing: Billing, account_id: UUID, *, order: Order, known_until: datetime | None = None
) -> AccountDraft:
    """Draft one account as it stands; a contract that cannot be billed says why, others go on."""
    events = await billing.log.load(account_id)
    state = fold_account(account_events(events))
    if isinstance(state, Unopened):
        return AccountDraft(
            account_id=account_id, versions={account_id: 0}, failures={account_id: "no account"}
        )
    timelines = await billing.timelines.of(state.contract_ids, known_until=known_until)
    versions = {account_id: len(events)}
    records = {}
    for contract_id in state.contract_ids:
        stream = await billing.log.load(contract_id)
        versions[contract_id] = len(stream)
        records[contract_id] = fold_record(
            cast("Sequence[Recorded[ContractBillingEvent]]", stream)
        ).revisions
    return _drafted(
        billing,
        state,
        contracts=[(c, timelines.get(c), records[c]) for c in state.contract_ids],
        order=order,
        versions=versions,
    ).model_copy(update={"correlation_id": events[0].envelope.correlation_id})


def _drafted(
    billing: Billing,
    account: Account,
    *,
    contracts: Iterable[tuple[UUID, Timeline | None, object]],
    order: Order,
    versions: dict[UUID, int],
) -> AccountDraft:
    drafted: list[ContractDraft] = []
    failures: dict[UUID, str] = {}
    surplus: Sequence[AccountEvent] = ()
    for contract_id, timeline, revisions in contracts:
        if timeline is None or not timeline.service:
            failures[contract_id] = "nothing is known of this contract yet"
            continue
        try:
            books = ContractBooks(
                contract_id=contract_id,
                timeline=timeline,
                terms=billing.terms.of(timeline.service),
                revisions=cast("dict[str, int]", revisions),
            )
            drafted.append(draft_contract(account, contract=books, order=order))
            events = [event for draft in drafted for event in draft.account_events]
            surplus = surplus_events(account, drafted=events, order=order, terms=books.terms)
        except Refusal as refusal:
            failures[contract_id] = f"{refusal.code}: {refusal.detail}"
        except Exception as error:  # noqa: BLE001 - a contract that can't be computed must not stop the others
            failures[contract_id] = f"cannot be computed: {type(error).__name__}: {error}"
    return AccountDraft(
        account_id=account.account_id,
        versions=versions,
        assessed=tuple(event for draft in drafted for event in draft.assessed),
        events=(*(e for draft in drafted for e in draft.account_events), *surplus),
        outcomes={draft.contract_id: draft.outcome for draft in drafted},
        failures=failures,
    )


async def _issue_all(
    billing: Billing,
    started: InvoiceRunStarted,
    *,
    batches: Sequence[Sequence[AccountDraft]],
    cause: Cause,
) -> None:
    """Phase two: batches of drafts in account order; those that stand already are passed over."""
    issuer = await _issuer(billing)
    done = len(issuer.of(started.run_id))
    for number, batch in enumerate(batches, start=1):
        issued = batch
        if number > done:
            issuer, issued = await _issue_batch(
                billing, started, batch=batch, number=number, issuer=issuer, cause=cause
            )
        await billing.drafts.mark_issued(started.run_id, issued)


async def _issuer(billing: Billing) -> Issuer:
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
        appends = [append for draft in issued for append in _appends(draft)]
        appends.append(StreamAppend(stream_id=ISSUER, events=(said,), expected=issuer.version))
        try:
            await billing.log.append(*appends, cause=_case(cause, batch=batch))
        except Stale:
            issuer = await _issuer(billing)
            if len(issuer.of(started.run_id)) >= number:
                return issuer, batch
            batch = [await _fresh(billing, draft, started=started) for draft in batch]
        else:
            return issuer.after(said), batch
    raise TimeoutError("the streams of a batch never stood still")


def _case(cause: Cause, *, batch: Sequence[AccountDraft]) -> Cause:
    """The run's cause; where a batch concerns one case alone, its documents belong to that case."""
    cases = {draft.correlation_id for draft in batch}
    (case,) = cases if len(cases) == 1 else (None,)
    return cause if case is None else replace(cause, correlation_id=case)


async def _fresh(
    billing: Billing, draft: AccountDraft, *, started: InvoiceRunStarted
) -> AccountDraft:
    for stream_id, version in draft.versions.items():
        if len(await billing.log.load(stream_id)) != version:
            return await draft_of(
                billing,
                draft.account_id,
                order=_order(started),
                known_until=_known_until(started),
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


def _appends(draft: AccountDraft) -> list[StreamAppend]:
    """The streams of one account's draft: its contracts' revisions, then the account itself."""
    by_contract: dict[UUID, list[ChargesAssessed]] = {}
    for assessed in draft.assessed:
        by_contract.setdefault(assessed.contract_id, []).append(assessed)
    appends = [
        StreamAppend(stream_id=contract_id, events=events, expected=draft.versions[contract_id])
        for contract_id, events in by_contract.items()
    ]
    if draft.events:
        version = draft.versions[draft.account_id]
        appends.append(
            StreamAppend(stream_id=draft.account_id, events=draft.events, expected=version)
        )
    return appends


async def _outcome(billing: Billing, started: InvoiceRunStarted) -> Outcome:
    """What was issued, by the issuer's own record; what came of each contract, by its draft."""
    drafts = await billing.drafts.load(started.run_id)
    batches = (await _issuer(billing)).of(started.run_id)
    outcomes = {c: said for d in drafts for c, said in d.outcomes.items()}
    failures = {c: why for d in drafts for c, why in d.failures.items()}
    return Outcome(
        run_id=started.run_id,
        invoices=sum(batch.invoices for batch in batches),
        credit_notes=sum(batch.credit_notes for batch in batches),
        contracts=len(outcomes.keys() | failures.keys()),
        total=sum(batch.total for batch in batches),
        outcomes=outcomes,
        failures=failures,
    )


async def _finish(
    billing: Billing, started: InvoiceRunStarted, *, outcome: Outcome, cause: Cause
) -> None:
    issuer = await _issuer(billing)
    finished = InvoiceRunFinished(
        run_id=started.run_id,
        finished_on=started.issued_on,
        invoices=outcome.invoices,
        credit_notes=outcome.credit_notes,
        contracts=outcome.contracts,
        total=outcome.total,
        failures={str(c): why for c, why in sorted(outcome.failures.items())},
        last_hash=issuer.hash,
    )
    append = StreamAppend(stream_id=started.run_id, events=(finished,), expected=1)
    await billing.log.append(append, cause=cause)


async def preview(
    billing: Billing,
    contract_id: UUID,
    *,
    closing_on: date,
    issued_on: date,
    due_policy: str = "agreed",
) -> ContractDraft:
    """What a run closing on a day would issue for a contract now; changes nothing.

    Documents have the number 0 and no hash. Raises UnknownContract, and what a run would note as
    the contract's failure.
    """
    timeline = await timeline_of(billing, contract_id)
    account, _ = await account_state(billing, await account_for(billing, contract_id))
    record = fold_record(
        cast("Sequence[Recorded[ContractBillingEvent]]", await billing.log.load(contract_id))
    )
    books = ContractBooks(
        contract_id=contract_id,
        timeline=timeline,
        terms=billing.terms.of(timeline.service),
        revisions=record.revisions,
    )
    order = Order(
        run_id=_PREVIEW, closing_on=closing_on, issued_on=issued_on, due_policy=due_policy
    )
    return draft_contract(account, contract=books, order=order)
