"""The view that follows billing's own log: everything its pages and deadlines are read from."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from uuid import UUID

from libs.events.database import Connection
from libs.events.envelope import Event, Recorded
from libs.events.reaction import Effect
from libs.events.vocabulary.billing import (
    AccelerationWithdrawn,
    AccountOpened,
    ArrearsSettled,
    ChargesAssessed,
    CreditNoteIssued,
    DebtsAccelerated,
    InvoiceIssued,
    PaymentLate,
    PaymentReceived,
    PaymentReversed,
    PenaltyCharged,
    SurplusApplied,
)
from services.billing.views.documents import follow_documents
from services.billing.views.facts import keep_facts
from services.billing.views.runs import follow_runs

LateOn = Callable[[UUID], Awaitable[date | None]]
"""The day on which the next claim of an account becomes late, as its stream stands."""

_MOVES_CLAIMS = (
    InvoiceIssued,
    CreditNoteIssued,
    PenaltyCharged,
    PaymentReceived,
    PaymentReversed,
    SurplusApplied,
    PaymentLate,
    ArrearsSettled,
    DebtsAccelerated,
    AccelerationWithdrawn,
)


def books(late_on: LateOn) -> Effect:
    """The effect of the view; deadlines come by `late_on`, which may be ahead of these events."""
    rest = accounts_and_documents(late_on)

    async def follow(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
        await keep_facts(connection, events)
        await rest(connection, events)

    return follow


def accounts_and_documents(late_on: LateOn) -> Effect:
    """The effect of the view but for the facts, which the reader of topics fills as well."""

    async def follow(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
        await _follow_accounts(connection, events)
        await follow_documents(connection, events)
        await _follow_assessments(connection, events)
        await _follow_payments(connection, events)
        await follow_runs(connection, events)
        await _follow_deadlines(connection, events, late_on=late_on)

    return follow


INSERT_ACCOUNT = """
INSERT INTO billing_account (account_id, customer_id, contract_ids) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT billing_account_once DO NOTHING
"""


async def _follow_accounts(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    rows = [
        (e.event.account_id, e.event.customer_id, e.event.contract_ids)
        for e in events
        if isinstance(e.event, AccountOpened)
    ]
    await connection.executemany(INSERT_ACCOUNT, rows)


INSERT_ASSESSMENT = """
INSERT INTO assessment (contract_id, month, revision, event_id) VALUES ($1, $2, $3, $4)
"""


async def _follow_assessments(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    rows = [
        (e.event.contract_id, e.event.month, e.event.revision, e.envelope.event_id)
        for e in events
        if isinstance(e.event, ChargesAssessed)
    ]
    await connection.executemany(INSERT_ASSESSMENT, rows)


INSERT_PAYMENT = "INSERT INTO payment (payment_id, account_id) VALUES ($1, $2)"


async def _follow_payments(connection: Connection, events: Sequence[Recorded[Event]]) -> None:
    rows = [
        (e.event.payment_id, e.event.account_id)
        for e in events
        if isinstance(e.event, PaymentReceived)
    ]
    await connection.executemany(INSERT_PAYMENT, rows)


SET_LATE_ON = "UPDATE billing_account SET late_on = $2 WHERE account_id = $1"


async def _follow_deadlines(
    connection: Connection, events: Sequence[Recorded[Event]], *, late_on: LateOn
) -> None:
    moved = {e.event.account_id for e in events if isinstance(e.event, _MOVES_CLAIMS)}
    for account_id in sorted(moved):
        await connection.execute(SET_LATE_ON, account_id, await late_on(account_id))
