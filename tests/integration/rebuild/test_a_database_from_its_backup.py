"""A service's database from a backup: completed from the topic, or with a new epoch."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from cli.processes import CannotStart
from cli.rebuild import databases
from cli.rebuild.consumers import build_again
from cli.rebuild.opened import opened
from libs.events.database import Pool
from libs.events.resending import send_again
from libs.events.shadow_reader import reader_beside
from libs.events.topics import make_anew
from libs.events.weather import NotWell
from tests.integration.rebuild.installation import Installation, applied, approved, declined
from tests.support.way import until

_LOG = ("event", "log_identity", "log_head", "partition_head", "relay_cursor", "reservation")
TABLES = {
    "contracts": (*_LOG, "contract", "deadline", "dunning"),
    "billing": (
        *_LOG,
        "billing_account",
        "document",
        "fact",
        "fact_subject",
        "contract_timeline",
        "consumer_cursor",
    ),
}
_OF_THE_MOMENT = {"leader_epoch", "kafka_offset"}


async def content(pool: Pool, service: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of a service's log and views, byte by byte."""
    return {
        table: sorted(
            (
                {name: value for name, value in row.items() if name not in _OF_THE_MOMENT}
                for row in await pool.fetch(f"SELECT * FROM {table}")
            ),
            key=str,
        )
        for table in TABLES[service]
    }


async def test_a_lost_database_comes_back_whole_from_its_backup_and_its_topic(
    here: Installation, tmp_path: Path
) -> None:
    async with here.contracts() as service, here.billing():
        await approved(service, line_id="L-1")
        await declined(service, line_id="L-2", ground="technical")
        await here.level()
        for name in TABLES:
            await here.back_up(name, tmp_path / name)
        await approved(service, line_id="L-5")
        await declined(service, line_id="L-3", ground="technical")
        await approved(service, line_id="L-4")
        await here.level()
    async with here.pools() as pools:
        before = {name: await content(pools[name], name) for name in TABLES}
    for name in TABLES:
        await here.lose(name)

    restored = {
        name: await here.restore(name, file=tmp_path / name, way="from-topic") for name in TABLES
    }
    async with here.contracts(), here.billing():
        await here.level()
    async with here.pools() as pools:
        after = {name: await content(pools[name], name) for name in TABLES}

    assert len(before["contracts"]["event"]) == 15
    assert len(before["contracts"]["reservation"]) == 5
    assert len(before["billing"]["billing_account"]) == 5
    for name in TABLES:
        # A log's time goes on while nothing is appended: its worker says up to when it is complete.
        said_before, said_after = (
            found[name]["log_head"][0].pop("recorded_at") for found in (before, after)
        )
        assert said_before <= said_after
        for table, rows in before[name].items():
            assert after[name][table] == rows, table
    events = {name: found.recovered.events for name, found in restored.items() if found.recovered}
    assert events == {"contracts": 9, "billing": 3}
    assert restored["contracts"].reserved == 3


async def test_a_log_that_lost_what_readers_took_does_not_keep_its_identity(
    here: Installation, tmp_path: Path
) -> None:
    async with here.contracts() as service, here.billing():
        await approved(service, line_id="L-1")
        await here.level()
        await here.back_up("contracts", tmp_path / "contracts")
        await approved(service, line_id="L-2")
        await here.level()
    await make_anew(here.topic("contracts"), bootstrap=here.kafka)  # the topic is lost as well
    with pytest.raises(CannotStart, match=r"billing-.* took .* Restore with --new-epoch"):
        await here.restore("contracts", file=tmp_path / "contracts", way="from-topic")
    async with here.pools() as pools:
        assert await pools["contracts"].fetchval("SELECT count(*) FROM event") == 6


async def test_another_services_file_is_refused(here: Installation, tmp_path: Path) -> None:
    await here.back_up("billing", tmp_path / "billing")
    with pytest.raises(CannotStart, match="the log of billing, not of contracts"):
        await here.restore("contracts", file=tmp_path / "billing", way="from-topic")
    free = f"{urlsplit(here.urls['contracts']).path[1:]}_restored"
    assert await databases.free_name(here.admin, free) == free, "nothing of it is left behind"


async def test_what_a_restore_put_aside_outlives_the_next_one(
    here: Installation, tmp_path: Path
) -> None:
    await here.back_up("keys", tmp_path / "keys")
    async with here.contracts() as service:
        await applied(service, line_id="L-1")
    made = await keys_in(here.urls["keys"])
    asides = [await here.restore_keys(tmp_path / "keys") for _ in range(2)]
    assert made
    assert await keys_in(here.urls["keys"]) == set()
    kept = [await keys_in(databases.named(here.admin, aside)) for aside in asides]
    assert kept == [made, set()]


async def test_a_file_without_keys_does_not_take_the_place_of_the_keys(
    here: Installation, tmp_path: Path
) -> None:
    await here.back_up("billing", tmp_path / "billing")
    with pytest.raises(CannotStart, match="holds no keys"):
        await here.restore_keys(tmp_path / "billing")
    assert await keys_in(here.urls["keys"]) == set()


async def keys_in(dsn: str) -> set[UUID]:
    """The keys of personal data that a database holds."""
    connection = await asyncpg.connect(dsn)
    try:
        return {row["key_id"] for row in await connection.fetch("SELECT key_id FROM data_key")}
    finally:
        await connection.close()


async def test_a_new_epoch_stops_the_readers_until_they_are_built_again(
    here: Installation, tmp_path: Path
) -> None:
    async with here.contracts() as service, here.billing():
        kept = await approved(service, line_id="L-1")
        await here.level()
        await here.back_up("contracts", tmp_path / "contracts")
        gone = await approved(service, line_id="L-2")
        await here.level()
    async with here.pools() as pools:
        opened_before = await pools["billing"].fetch(
            "SELECT * FROM event WHERE type = 'billing.account-opened.v1' ORDER BY position"
        )
    await here.lose("contracts")

    restored = await here.restore("contracts", file=tmp_path / "contracts", way="new-epoch")
    sent = await send_again(
        here.urls["contracts"], topic=here.topic("contracts"), bootstrap=here.kafka
    )
    assert (restored.head, sent.events, sent.trouble) == (3, 3, None)
    async with here.contracts() as service:
        new = await approved(service, line_id="L-2")
        async with here.billing():
            await until_stopped(here)
        async with here.pools() as pools:
            assert await accounts(pools["billing"]) == {kept, gone}
            async with opened("billing", environment=here.variables("billing")) as billing:
                sources = {here.topic(name): pools[name] for name in ("contracts", "billing")}
                assert billing.readers == ("billing-facts", "billing-accounts")
                done = await build_again(billing, "billing-accounts", sources=sources)
                facts = billing.kept("billing-facts")
                assert facts is not None
                async with reader_beside(
                    facts,
                    log=billing.log,
                    keys=billing.keys,
                    dsn=billing.dsn,
                    bootstrap=here.kafka,
                    sources=sources,
                ) as shadow:
                    await shadow.begin()
                    both = await shadow.compare()
                    marks = await shadow.switch()
        async with here.billing():
            await here.level()
            assert await accounts_in_view(here) == {kept, gone, new}

    async with here.pools() as pools:
        billing_pool = pools["billing"]
        now = await billing_pool.fetch(
            "SELECT * FROM event WHERE type = 'billing.account-opened.v1' ORDER BY position"
        )
        known = await billing_pool.fetch(
            "SELECT DISTINCT log_epoch, subject_id FROM fact WHERE context = 'contracts'"
        )
        timelines = await billing_pool.fetch(
            "SELECT contract_id FROM contract_timeline WHERE packed IS NOT NULL"
        )
    assert now[:2] == opened_before  # what was decided stays as it was, and once
    assert len(now) == 3
    # The rows beside end where the logs parted; what came after is the live reader's to take.
    assert (marks.parted, marks.events) == ((here.topic("contracts"),), 3)
    assert {"contract_id": str(gone)} in [one.key for one in both.found.differences]
    assert {"contract_id": str(kept)} not in [one.key for one in both.found.differences]
    assert done.topics == {here.topic("contracts"): 3}
    assert [row["event_id"] for row in done.orphans] == [now[1]["event_id"]]
    assert {row["log_epoch"] for row in known} == {restored.log_epoch}
    assert {row["contract_id"] for row in timelines} == {kept, new}
    assert gone not in {row["subject_id"] for row in known}


async def until_stopped(here: Installation) -> None:
    """Return when both readers of billing have stopped, with a sentence that says what to do."""
    checks = here.workers["billing"].ready

    async def stopped() -> bool:
        said = []
        for reader in ("billing-facts", "billing-accounts"):
            try:
                await checks[f"reader {reader}"]()
            except NotWell as words:
                said.append(str(words))
        return all("./yk rebuild consumer" in words for words in said) and len(said) == 2

    await until(stopped)


async def accounts(pool: Pool) -> set[UUID]:
    """The contracts that have an account."""
    rows = await pool.fetch("SELECT unnest(contract_ids) AS contract_id FROM billing_account")
    return {row["contract_id"] for row in rows}


async def accounts_in_view(here: Installation) -> set[UUID]:
    async with here.pools() as pools:
        return await accounts(pools["billing"])
