"""Invoice runs in two phases, and previews: one way to compute for all of them.

Phase one drafts every account and changes nothing. Phase two issues the drafts in account order in
batches, one append each: numbers, chain hashes and events together or not at all. All ids derive
from the run's, no clock is read, and drafts are kept, so a run that was killed issues the same
bytes from the batch after the last one that stands.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import cast
from uuid import UUID

from libs.events.envelope import Cause, Recorded
from libs.events.log import StreamAppend
from libs.events.partition import partition_of
from libs.events.refusals import NotComplete
from libs.events.vocabulary.billing import (
    ContractBillingEvent,
    ForeignPosition,
    InvoiceRunFinished,
    InvoiceRunStarted,
)
from libs.refusal.refusal import NotFound, Refusal
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.contract_facts import fold_record
from services.billing.domain.due_policy import due_by
from services.billing.domain.invoicing import ContractDraft, draft_contract
from services.billing.drafting import draft_of, end_of, known_until, order_of
from services.billing.issuing import issue_all, issuer_of
from services.billing.ports import AccountDraft, Billing
from services.billing.use_cases import account_for, account_state, timeline_of

BATCH = 200
_DRAFTS_AT_ONCE = 100
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
    """Draft, issue and finish a started run, from wherever it was left.

    Raises RunBusy, and NotComplete while a source has not told all that was recorded by the day
    the run goes by; nothing is drafted then, and it can be carried out later.

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
        cause = replace(cause, causation_id=events[0].envelope.event_id)
        await whole(billing, known_on=started.known_on)
        used = await billing.timelines.positions()
        drafts = await _draft_all(billing, started)
        if not isinstance(events[-1].event, InvoiceRunFinished):
            full = [draft for draft in drafts if draft.events]
            batches = [full[at : at + batch] for at in range(0, len(full), batch)]
            await issue_all(billing, started, batches=batches, cause=cause)
        outcome = await _outcome(billing, started)
        if not isinstance(events[-1].event, InvoiceRunFinished):
            await _finish(billing, started, outcome=outcome, positions=used, cause=cause)
        return outcome


async def waits_for(billing: Billing, *, known_on: date | None) -> Sequence[str]:
    """What has not been told yet of all that was recorded before the end of a day, in words."""
    until = end_of(known_on)
    return () if until is None else await billing.timelines.incomplete(until)


async def whole(billing: Billing, *, known_on: date | None) -> None:
    """Raises NotComplete, with the source, while not all is known that was recorded by a day."""
    if lacking := await waits_for(billing, known_on=known_on):
        raise NotComplete("; ".join(lacking), field="/known_on")


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
                billing, account_id, order=order_of(started), known_until=known_until(started)
            )
            for account_id in accounts[at : at + _DRAFTS_AT_ONCE]
        ]
        await billing.drafts.save(started.run_id, drafts)


async def _outcome(billing: Billing, started: InvoiceRunStarted) -> Outcome:
    """What was issued, by the issuer's own record; what came of each contract, by its draft."""
    drafts = await billing.drafts.load(started.run_id)
    batches = (await issuer_of(billing)).of(started.run_id)
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
    billing: Billing,
    started: InvoiceRunStarted,
    *,
    outcome: Outcome,
    positions: tuple[ForeignPosition, ...],
    cause: Cause,
) -> None:
    issuer = await issuer_of(billing)
    finished = InvoiceRunFinished(
        run_id=started.run_id,
        finished_on=started.issued_on,
        invoices=outcome.invoices,
        credit_notes=outcome.credit_notes,
        contracts=outcome.contracts,
        total=outcome.total,
        failures={str(c): why for c, why in sorted(outcome.failures.items())},
        last_hash=issuer.hash,
        positions=positions,
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
    known_on: date | None = None,
) -> ContractDraft:
    """What a run closing on a day would issue for a contract now; changes nothing.

    With `known_on` it rests on what was recorded before the end of that day, as a run does.
    Documents have the number 0 and no hash. Raises UnknownContract, NotComplete, and what a run
    would note as the contract's failure.
    """
    await whole(billing, known_on=known_on)
    timeline = await timeline_of(billing, contract_id, known_until=end_of(known_on))
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
