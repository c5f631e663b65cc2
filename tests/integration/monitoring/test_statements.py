"""Every statement of the service's own fits its tables."""

from pathlib import Path

import asyncpg

from libs.events.migrate import MIGRATIONS, migrate
from services import monitoring
from services.monitoring.views import sites
from tests.conftest import MakeDatabase

MODULES = (sites,)
STATEMENTS = {
    f"{module.__name__}.{name}": text
    for module in MODULES
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and " " in text
}


async def test_every_statement_fits_the_tables(database: MakeDatabase) -> None:
    dsn = await database()
    await migrate(dsn, [MIGRATIONS, Path(*monitoring.__path__) / "migrations"])
    connection = await asyncpg.connect(dsn)
    try:
        assert len(STATEMENTS) > 7
        for name, text in STATEMENTS.items():
            assert await connection.prepare(text), name
    finally:
        await connection.close()
