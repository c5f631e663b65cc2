"""Every statement of the service's own fits its tables."""

from pathlib import Path

import asyncpg

from libs.events.migrate import MIGRATIONS, migrate
from services import notifications
from services.notifications.gateways import mail
from services.notifications.views import captured, known, notices, occasions, registry
from tests.conftest import MakeDatabase

MODULES = (
    captured,
    known,
    mail,
    notices,
    occasions,
    registry,
)
STATEMENTS = {
    f"{module.__name__}.{name}": text
    for module in MODULES
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and " " in text
}


async def test_every_statement_fits_the_tables(database: MakeDatabase) -> None:
    dsn = await database()
    await migrate(dsn, [MIGRATIONS, Path(*notifications.__path__) / "migrations"])
    connection = await asyncpg.connect(dsn)
    try:
        assert len(STATEMENTS) > 15
        for name, text in STATEMENTS.items():
            assert await connection.prepare(text), name
    finally:
        await connection.close()
