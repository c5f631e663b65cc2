"""A view built anew while the live one goes on: the same rows, nothing sent, switched at once."""

import asyncio
import signal
import sys
from pathlib import Path

from libs.events.database import Pool
from libs.events.follow import Follower
from libs.events.shadow import View, beside
from services.notifications.main import Built
from services.notifications.views.notices import NoticeRow, list_notices
from services.notifications.views.registry import views
from tests.integration.notifications.conftest import Running
from tests.integration.notifications.test_way_of_a_notice import REGISTERED
from tests.support.contexts import Surroundings
from tests.support.mail import MailServer, until_mails
from tests.support.way import Place, append_starts, is_once_and_in_order, notes, take_notes, until
from tests.unit.notifications.examples import (
    APPROVED,
    CONTRACT,
    CUSTOMER,
    INVOICE,
    ISSUED,
    LATE,
    SUSPENDED,
)

_CHECKOUT = Path(__file__).parents[3]
(NOTICES,) = views()

DEFINED = """
SELECT conname AS name, pg_get_constraintdef(oid) AS said FROM pg_constraint
WHERE conrelid = 'public.notice'::regclass
UNION ALL
SELECT relname, pg_get_indexdef(oid) FROM pg_class
JOIN pg_index ON indexrelid = oid WHERE indrelid = 'public.notice'::regclass
UNION ALL
SELECT attname, format('%s %s %s', attnum, format_type(atttypid, atttypmod), attnotnull)
FROM pg_attribute WHERE attrelid = 'public.notice'::regclass AND attnum > 0
ORDER BY name, said
"""


async def rows(pool: Pool) -> list[NoticeRow]:
    return await list_notices(pool, after=0, customer_id=None, contract_id=None, limit=100)


async def told(around: Surroundings, built: Built, mail: MailServer) -> list[NoticeRow]:
    """The notices of an approval, a suspension and an invoice, when all are sent."""
    await around.publish("contracts", CUSTOMER, REGISTERED)
    await around.publish("contracts", CONTRACT, APPROVED)
    await around.publish("contracts", CONTRACT, SUSPENDED)
    await around.publish("billing", INVOICE, ISSUED)
    await until_mails(mail.post, 3)

    async def sent() -> bool:
        return [row.state for row in await rows(built.pool)] == ["sent"] * 3

    await until(sent)
    return await rows(built.pool)


async def test_a_view_is_built_again_compared_and_switched_and_no_mail_goes_out_again(
    around: Surroundings, worker: Running, mail: MailServer
) -> None:
    await mail.start()
    async with worker() as built:
        before = await told(around, built, mail)
        defined = await built.pool.fetch(DEFINED)
        head = await built.log.position()
        dsn = built.settings.database_url.get_secret_value()
        async with beside(NOTICES, log=built.log, pool=built.pool, dsn=dsn) as shadow:
            assert await shadow.begin()
            assert await shadow.follow() == head
            same = await shadow.compare()
            await built.pool.execute(
                "UPDATE notice SET state = 'queued', answer = NULL WHERE notice_id = $1",
                before[0].notice_id,
            )
            await built.pool.execute("DELETE FROM notice WHERE notice_id = $1", before[1].notice_id)
            different = await shadow.compare()
            await shadow.switch()
        assert await rows(built.pool) == before
        assert await built.pool.fetch(DEFINED) == defined

        await around.publish("billing", INVOICE, LATE)
        await until_mails(mail.post, 4)

        async def settled() -> bool:
            return [row.state for row in await rows(built.pool)] == ["sent"] * 4

        await until(settled)
        appended = await built.log.position() - head
    await mail.stop()

    assert (same.found.rows, same.found.total) == ({"notice": (3, 3)}, 0)
    words = sorted(difference.words() for difference in different.found.differences)
    changed, gone = (row.notice_id for row in before[:2])
    assert different.found.total == 2
    assert f"notice notice_id={gone}: stands in the rebuilt one only" in words
    assert any(
        line.startswith(f"notice notice_id={changed}: ")
        and "state is queued live and sent rebuilt" in line
        for line in words
    )
    assert len(mail.post.mails) == 4
    assert appended == 2  # the last notice queued and sent; the rebuild recorded nothing


async def test_what_the_switch_replaced_is_kept_until_it_is_dropped(source: Place) -> None:
    await append_starts(source.log, streams=3, versions=2)
    view = View("notes", ("note",), take_notes)
    await Follower("notes", log=source.log, pool=source.pool, effect=take_notes).catch_up()
    async with beside(view, log=source.log, pool=source.pool, dsn=source.dsn) as shadow:
        await shadow.begin()
        await source.pool.execute("DELETE FROM note WHERE version = 1")
        await shadow.switch()
        kept = await source.pool.fetchval("SELECT count(*) FROM replaced_notes.note")
        assert (len(await notes(source.pool)), kept) == (6, 3)
        await shadow.begin()
        await shadow.switch()
        assert await source.pool.fetchval("SELECT count(*) FROM replaced_notes.note") == 6
        await shadow.begin()
        await shadow.drop()
    schemas = await source.pool.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ 'notes'")
    assert schemas == []
    assert len(await notes(source.pool)) == 6


async def test_a_rebuild_that_was_killed_goes_on_while_the_live_view_does(source: Place) -> None:
    await append_starts(source.log, streams=300, versions=10)
    live = Follower("notes", log=source.log, pool=source.pool, effect=take_notes)
    await live.catch_up()
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.rebuild.killed", source.dsn, "1", cwd=_CHECKOUT
    )
    assert await killed.wait() == -signal.SIGKILL
    stood = await source.pool.fetchval("SELECT position FROM rebuild_notes.view_cursor")
    assert stood == 1_000

    await append_starts(source.log, streams=300, versions=1, after=10)
    await live.catch_up()
    view = View("notes", ("note",), take_notes)
    reached: list[tuple[int, int]] = []
    async with beside(view, log=source.log, pool=source.pool, dsn=source.dsn) as shadow:
        assert not await shadow.begin()
        await shadow.follow(told=lambda *at: reached.append(at))
        await append_starts(source.log, streams=300, versions=1, after=11)
        await live.catch_up()
        await shadow.switch()
    assert reached == [(2_000, 3_300), (3_000, 3_300), (3_300, 3_300)]
    assert is_once_and_in_order(await notes(source.pool), streams=300, versions=12)
    await append_starts(source.log, streams=300, versions=1, after=12)
    await live.catch_up()
    assert is_once_and_in_order(await notes(source.pool), streams=300, versions=13)
