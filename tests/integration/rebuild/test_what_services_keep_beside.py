"""What billing and notifications keep of topics, built beside the live rows as they run."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

from cli.rebuild.opened import opened
from libs.events.database import Pool
from libs.events.shadow_reader import ReaderBeside, reader_beside
from libs.events.vocabulary.billing import DueDateAgreed
from services.billing.domain.account import account_of
from services.billing.main import Built as BillingBuilt
from services.billing.views.timelines import PostgresTimelines
from services.notifications.main import READER, READS, Built, build
from services.notifications.settings import Settings
from services.notifications.views.registry import kept
from tests.integration.notifications.conftest import Running
from tests.integration.notifications.test_way_of_a_notice import REGISTERED
from tests.integration.rebuild.installation import Installation, approved
from tests.support.contexts import CASE, Surroundings
from tests.support.mail import MailServer, until_mails
from tests.support.way import running, until
from tests.unit.notifications.examples import (
    APPROVED,
    CONTRACT,
    CUSTOMER,
    INVOICE,
    ISSUED,
    LATE,
    SUSPENDED,
)

_OF_THE_MOMENT = ("log_head", "reconciled", "drift", "relay_cursor", "source_complete")
LIVE_TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
ORDER BY relname
"""
PARK = """
INSERT INTO parked_event (consumer, topic, partition, sequence, stream_id, event_id, waiting,
    reason, attempts, parked_at, headers, data)
SELECT $1, topic, partition, sequence, $3, $2, false, 'broken', 1, now(), '{}', ''
FROM consumer_cursor WHERE consumer = $1 LIMIT 1
"""


async def everything(pool: Pool) -> dict[str, list[str]]:
    """Every row of every live table, as text."""
    tables = [row["relname"] for row in await pool.fetch(LIVE_TABLES)]
    return {
        table: sorted(
            row["row"]
            for row in await pool.fetch(
                f"SELECT row_to_json(each_row)::text AS row FROM {table} AS each_row"
            )
        )
        for table in tables
        if table not in _OF_THE_MOMENT
    }


async def rows(pool: Pool, *tables: str) -> dict[str, list[str]]:
    """Every row of some live tables."""
    found = await everything(pool)
    return {table: found[table] for table in tables}


@asynccontextmanager
async def notifications_beside(built: Built, around: Surroundings) -> AsyncIterator[ReaderBeside]:
    topics = {built.topic(each): around.pools[each] for each in READS}
    async with reader_beside(
        kept(READER, topics=tuple(topics)),
        log=built.log,
        keys=built.keys,
        dsn=built.settings.database_url.get_secret_value(),
        bootstrap=around.kafka,
        sources=topics,
    ) as shadow:
        yield shadow


async def told(around: Surroundings, mail: MailServer, pool: Pool) -> list[UUID]:
    """The events of an approval, a suspension and an invoice, once each was mailed."""
    await around.publish("contracts", CUSTOMER, REGISTERED)
    events = [
        await around.publish("contracts", CONTRACT, APPROVED),
        await around.publish("contracts", CONTRACT, SUSPENDED),
        await around.publish("billing", INVOICE, ISSUED),
    ]
    await until_mails(mail.post, 3)

    async def settled() -> bool:
        sent = await pool.fetchval("SELECT count(*) FROM notice WHERE state = 'sent'")
        return bool(sent == 3)

    await until(settled)
    return [each.envelope.event_id for each in events]


async def test_what_is_known_is_built_again_and_nobody_is_told_again(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        approval, _, _ = await told(around, mail, built.pool)
        before = await everything(built.pool)
        head = await built.log.position()
        async with notifications_beside(built, around) as shadow:
            await shadow.begin()
            same = await shadow.compare()
            assert await everything(built.pool) == before
            await built.pool.execute("UPDATE recipient SET email = 'nobody@example.jp'")
            await built.pool.execute("DELETE FROM occasion WHERE event_id = $1", approval)
            different = await shadow.compare()
            await shadow.switch()
        assert await everything(built.pool) == before
        await around.publish("billing", INVOICE, LATE)
        await until_mails(mail.post, 4)

        async def settled() -> bool:
            return not await built.pool.fetchval(
                "SELECT count(*) FROM notice WHERE state <> 'sent'"
            ) and bool(await built.pool.fetchval("SELECT bool_and(queued) FROM occasion"))

        await until(settled)
        appended = await built.log.position() - head
    await mail.stop()
    email = REGISTERED.email
    assert same.found.total == 0
    assert same.found.rows["occasion"] == (3, 3)
    assert [difference.words() for difference in different.found.differences] == [
        f"recipient customer_id={CUSTOMER}: email is nobody@example.jp live and {email} rebuilt",
        f"occasion event_id={approval}: stands in the rebuilt one only",
    ]
    assert (len(mail.post.mails), appended) == (4, 2)
    assert {str(each["To"]) for each in mail.post.mails} == {email}


async def test_what_the_composer_noted_goes_with_the_occasions(
    around: Surroundings, worker: Running, mail: MailServer, settings: Settings
) -> None:
    """Who was told stays told; one that was parked is still to be told of."""
    await mail.start()
    async with worker() as built:
        approval, suspension, invoice = await told(around, mail, built.pool)
    await mail.stop()
    async with build(settings) as built:  # its worker stands still
        pool = built.pool
        await pool.execute(
            "UPDATE occasion SET queued = false, trouble = 'KeyError' WHERE event_id = $1", invoice
        )
        await pool.execute("DELETE FROM occasion WHERE event_id <> $1", invoice)
        await pool.execute(PARK, READER, suspension, CONTRACT)
        async with notifications_beside(built, around) as shadow:
            await shadow.begin()
            await shadow.switch()
        noted = await pool.fetch("SELECT event_id, queued, trouble FROM occasion")
    assert {row["event_id"]: (row["queued"], row["trouble"]) for row in noted} == {
        approval: (True, None),
        suspension: (False, None),
        invoice: (False, "KeyError"),
    }


async def test_facts_and_timelines_are_whole_at_every_moment(here: Installation) -> None:
    """Billing's own facts and those of others; whoever reads meanwhile finds every contract."""
    tables = ("fact", "fact_subject", "contract_timeline")
    async with here.contracts() as service, here.billing() as billing:
        contracts = [await approved(service, line_id=f"L-{number}") for number in range(6)]
        await here.level()
        await agreed(billing, contracts[2])
        await here.level()
        before = await rows(billing.pool, *tables)
        known = await PostgresTimelines(billing.pool).of(contracts)
        assert set(known) == set(contracts)
        looked: list[bool] = []

        async def look(stop: asyncio.Event) -> None:
            while not stop.is_set():
                looked.append(await PostgresTimelines(billing.pool).of(contracts) == known)

        async with facts_beside(here) as shadow, running(look):
            await shadow.begin()
            same = await shadow.compare()
            await shadow.switch()
            assert await rows(billing.pool, *tables) == before
            await until_more(looked)
        async with facts_beside(here) as shadow:
            await shadow.begin()
            await billing.pool.execute(
                "UPDATE contract_timeline SET packed = NULL WHERE contract_id = $1", contracts[0]
            )
            await billing.pool.execute("DELETE FROM fact WHERE subject_id = $1", contracts[1])
            different = await shadow.compare()
            await shadow.switch()
        assert await rows(billing.pool, *tables) == before
        later = await approved(service, line_id="L-7")
        await here.level()
        assert later in await PostgresTimelines(billing.pool).of([later])
    assert all(looked)
    assert same.found.total == 0
    assert {one.table for one in different.found.differences} == {"fact", "contract_timeline"}


async def agreed(billing: BillingBuilt, contract_id: UUID) -> None:
    """A due date is agreed: a fact of billing itself."""
    account_id = account_of(contract_id)
    agreement = DueDateAgreed(
        account_id=account_id, contract_id=contract_id, month="2024-02", due_on=date(2024, 4, 30)
    )
    await billing.log.decide(account_id, lambda _: (agreement,), cause=CASE)


async def until_more(looked: Sequence[bool]) -> None:
    """Return when somebody has looked some more times."""
    seen = len(looked)

    async def more() -> bool:
        return len(looked) > seen + 5

    await until(more)


@asynccontextmanager
async def facts_beside(here: Installation) -> AsyncIterator[ReaderBeside]:
    async with (
        here.pools() as pools,
        opened("billing", environment=here.variables("billing")) as billing,
    ):
        facts = billing.kept("billing-facts")
        assert facts is not None
        async with reader_beside(
            facts,
            log=billing.log,
            keys=billing.keys,
            dsn=billing.dsn,
            bootstrap=here.kafka,
            sources={here.topic(name): pool for name, pool in pools.items()},
        ) as shadow:
            yield shadow
