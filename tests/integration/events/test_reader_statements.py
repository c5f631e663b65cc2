"""Every statement of relay, readers and views fits the tables."""

import asyncpg

from libs.events import (
    answers,
    cursors,
    parked_story,
    parking,
    reconcile_log,
    reconcile_reactions,
    reconcile_topic,
    reconcile_views,
    reconciling,
    relay_sql,
    rest,
    rewinding,
    shadow_reader_sql,
    snapshot,
    view_cursors,
)
from libs.events.migrate import MIGRATIONS, migrate
from tests.conftest import MakeDatabase

MODULES = (
    answers,
    cursors,
    parked_story,
    parking,
    reconcile_log,
    reconcile_reactions,
    reconcile_topic,
    reconcile_views,
    reconciling,
    relay_sql,
    rest,
    rewinding,
    shadow_reader_sql,
    snapshot,
    view_cursors,
)
STATEMENTS = {
    f"{module.__name__}.{name}": text
    for module in MODULES
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and not name.startswith("_")
}


async def test_every_statement_fits_the_tables(database: MakeDatabase) -> None:
    dsn = await database()
    await migrate(dsn, [MIGRATIONS])
    connection = await asyncpg.connect(dsn)
    try:
        assert len(STATEMENTS) > 20
        for name, text in STATEMENTS.items():
            assert await connection.prepare(text), name
    finally:
        await connection.close()
