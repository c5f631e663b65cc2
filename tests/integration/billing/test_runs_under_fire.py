"""Runs that are killed, and runs side by side: the same bytes, no gap, nothing billed twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

import asyncpg
import pytest

from libs.events.database import Pool
from libs.events.vocabulary.billing import CreditNoteIssued, InvoiceIssued
from services.billing.domain.issuer import unbroken
from services.billing.ports import Billing
from services.billing.runs import Outcome, carry_out, run_invoices, start_run
from services.billing.views.documents import list_documents
from services.billing.views.registry import views
from tests.conftest import MakeDatabase
from tests.integration.billing.ledger import BATCH, CAUSE, killed, ledger, prepare
from tests.support.anew import made_anew
from tests.unit.billing_service.world import NAMES

RUN = uuid5(NAMES, "run under fire")
CONTRACTS = 14
CLOSING_ON = date(2024, 3, 31)
ISSUED_ON = date(2024, 4, 1)


@pytest.fixture
async def twin(postgres_dsn: str) -> AsyncIterator[list[str]]:
    """Databases copied in the test, dropped after it."""
    names: list[str] = []
    yield names
    await _admin(postgres_dsn, *(f'DROP DATABASE IF EXISTS "{n}" WITH (FORCE)' for n in names))


async def _admin(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _copy(dsn: str, *, admin: str, names: list[str]) -> str:
    name = f"test_{uuid4().hex}"
    names.append(name)
    source = urlsplit(dsn).path.removeprefix("/")
    await _admin(admin, f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def _start(dsn: str) -> None:
    async with ledger(dsn) as (billing, _, view):
        await start_run(
            billing, run_id=RUN, closing_on=CLOSING_ON, issued_on=ISSUED_ON, cause=CAUSE
        )
        await view.catch_up()


async def _bytes(dsn: str) -> list[tuple[UUID, int, str, bytes]]:
    """Everything in the log as it lies there, without when it was recorded."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT stream_id, version, type, data FROM event ORDER BY position"
        )
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


async def _finish(dsn: str) -> None:
    async with ledger(dsn) as (billing, _, view):
        await carry_out(billing, run_id=RUN, cause=CAUSE, batch=BATCH)
        await view.catch_up()


@pytest.mark.parametrize("after_batches", [1, 3])
async def test_a_run_killed_while_issuing_goes_on_to_the_same_bytes(
    database: MakeDatabase, postgres_dsn: str, twin: list[str], after_batches: int
) -> None:
    dsn = await database()
    await prepare(dsn, contracts=CONTRACTS)
    await _start(dsn)
    undisturbed = await _copy(dsn, admin=postgres_dsn, names=twin)

    assert await killed(dsn, RUN, after_batches=after_batches) == -signal.SIGKILL
    issued = [row for row in await _bytes(dsn) if row[2] == "billing.documents-issued.v1"]
    assert len(issued) == after_batches
    await _finish(dsn)
    await _finish(undisturbed)

    assert await _bytes(dsn) == await _bytes(undisturbed)


async def _documents(pool: Pool) -> list[InvoiceIssued | CreditNoteIssued]:
    return await list_documents(pool, after=0, limit=10_000)


async def _run(billing: Billing, name: str) -> Outcome:
    return await run_invoices(
        billing,
        run_id=uuid5(NAMES, name),
        closing_on=CLOSING_ON,
        issued_on=ISSUED_ON,
        cause=CAUSE,
        batch=2,
    )


async def test_two_runs_at_once_leave_no_gap_and_bill_nothing_twice(
    database: MakeDatabase,
) -> None:
    dsn = await database()
    await prepare(dsn, contracts=CONTRACTS)
    async with ledger(dsn) as (one, pool, view), ledger(dsn) as (other, _, _view):
        outcomes = await asyncio.gather(_run(one, "one"), _run(other, "other"))
        await view.catch_up()
        documents = await _documents(pool)
        months = [(d.contract_ids[0], d.month) for d in documents]
        assert len(months) == len(set(months)) > CONTRACTS
        assert [d.number for d in documents] == list(range(1, len(documents) + 1))
        assert unbroken(documents)
        assert sum(outcome.invoices for outcome in outcomes) == len(documents)
        assert sum(outcome.total for outcome in outcomes) == sum(d.total for d in documents)
        revisions = await pool.fetch("SELECT contract_id, month, revision FROM assessment")
        assert len(revisions) == len(documents)


async def test_the_view_is_the_same_when_it_is_made_anew(database: MakeDatabase) -> None:
    dsn = await database()
    await prepare(dsn, contracts=3)
    async with ledger(dsn) as (billing, pool, view):
        await _run(billing, "one")
        await view.catch_up()
        before = await _rows(pool)
        (books,) = views(billing)
        await made_anew(books, log=billing.log, pool=pool, dsn=dsn)
        assert await _rows(pool) == before


async def _rows(pool: Pool) -> list[list[tuple[object, ...]]]:
    tables = ("billing_account", "document", "assessment", "payment", "invoice_run")
    return [
        sorted((tuple(row) for row in await pool.fetch(f"SELECT * FROM {table}")), key=repr)
        for table in tables
    ]
