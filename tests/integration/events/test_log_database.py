"""The tables of the log and of the keys, and how they come into a database."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from libs.events import key_store, log_sql, migrate
from libs.events.migrate import KEY_MIGRATIONS, MIGRATIONS, ChangedAfterwards, initialise
from tests.conftest import MakeDatabase

_SEVERAL_STATEMENTS = {"PREPARE", "PREPARE_APPENDER", "BEGIN_LOCKED"}


def statements_of(module: object) -> dict[str, str]:
    return {
        name: text
        for name, text in vars(module).items()
        if name.isupper() and isinstance(text, str) and name not in _SEVERAL_STATEMENTS
    }


async def test_every_statement_fits_the_tables(database: MakeDatabase) -> None:
    dsn = await database()
    await migrate.migrate(dsn, [MIGRATIONS, KEY_MIGRATIONS])
    connection = await asyncpg.connect(dsn)
    statements = {
        **statements_of(log_sql),
        **statements_of(key_store),
        **statements_of(migrate),
    }
    assert len(statements) > 20
    for name, text in statements.items():
        assert await connection.prepare(text), name
    await connection.close()


async def test_migrations_are_applied_once_in_the_order_of_their_names(
    database: MakeDatabase, tmp_path: Path
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    (first / "202601010000_one.sql").write_text("CREATE TABLE one (n integer)")
    (first / "202601030000_three.sql").write_text("ALTER TABLE two ADD COLUMN m integer")
    (second / "202601020000_two.sql").write_text("CREATE TABLE two (n integer); SELECT 1;")
    dsn = await database()
    assert await migrate.migrate(dsn, [first, second]) == [
        "202601010000_one.sql",
        "202601020000_two.sql",
        "202601030000_three.sql",
    ]
    assert await migrate.migrate(dsn, [first, second]) == []


async def test_a_migration_that_fails_changes_nothing_and_can_be_mended(
    database: MakeDatabase, tmp_path: Path
) -> None:
    (tmp_path / "1_good.sql").write_text("CREATE TABLE good (n integer)")
    bad = tmp_path / "2_bad.sql"
    bad.write_text("CREATE TABLE half (n integer); SELECT nonsense FROM nowhere")
    dsn = await database()
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate.migrate(dsn, [tmp_path])
    bad.write_text("CREATE TABLE half (n integer)")
    assert await migrate.migrate(dsn, [tmp_path]) == ["2_bad.sql"]


async def test_an_applied_migration_must_not_change(database: MakeDatabase, tmp_path: Path) -> None:
    file = tmp_path / "1_one.sql"
    file.write_text("CREATE TABLE one (n integer)")
    dsn = await database()
    await migrate.migrate(dsn, [tmp_path])
    file.write_text("CREATE TABLE one (n bigint)")
    with pytest.raises(ChangedAfterwards, match=r"1_one\.sql"):
        await migrate.migrate(dsn, [tmp_path])


async def test_processes_that_migrate_at_once_take_turns(database: MakeDatabase) -> None:
    dsn = await database()
    applied = await asyncio.gather(*(migrate.migrate(dsn, [MIGRATIONS]) for _ in range(4)))
    files = sorted(file.name for file in MIGRATIONS.glob("*.sql"))
    assert sorted(applied) == [[], [], [], files]
    epochs = await asyncio.gather(*(initialise(dsn, "contracts") for _ in range(4)))
    assert len(set(epochs)) == 1


@pytest.mark.parametrize(
    ("context", "rehearsal"),
    [("billing", False), ("contracts", True)],
    ids=["another context", "a rehearsal"],
)
async def test_a_log_does_not_become_another_one(
    database: MakeDatabase, context: str, *, rehearsal: bool
) -> None:
    dsn = await database()
    await migrate.migrate(dsn, [MIGRATIONS])
    await initialise(dsn, "contracts")
    with pytest.raises(ValueError, match="another log"):
        await initialise(dsn, context, rehearsal=rehearsal)
