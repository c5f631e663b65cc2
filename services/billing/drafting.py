"""Drafting one account: what a run will issue on it, or why a contract of it cannot be billed."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

from libs.dates.japan import japan_day_over
from libs.events.envelope import Recorded
from libs.events.vocabulary.billing import (
    AccountEvent,
    ContractBillingEvent,
    InvoiceRunStarted,
)
from libs.refusal.refusal import Refusal
from services.billing.domain.account import Account, Unopened, fold_account
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.contract_facts import fold_record
from services.billing.domain.invoicing import ContractDraft, draft_contract, surplus_events
from services.billing.domain.timeline import Timeline
from services.billing.ports import AccountDraft, Billing
from services.billing.use_cases import account_events


def order_of(started: InvoiceRunStarted) -> Order:
    """What a started run is to bill."""
    return Order(
        run_id=started.run_id,
        closing_on=started.closing_on,
        issued_on=started.issued_on,
        due_policy=started.due_policy,
        positions=started.positions,
    )


def known_until(started: InvoiceRunStarted) -> datetime | None:
    """The end of the day by which a run goes, Japan time; None for all that is known."""
    return end_of(started.known_on)


def end_of(known_on: date | None) -> datetime | None:
    """The instant before which was recorded what is known on a day, in Japan; None for None."""
    return None if known_on is None else japan_day_over(known_on)


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
