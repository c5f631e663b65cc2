"""A command that asks for a database that nobody made says so in a line, not by a traceback."""

import asyncio
import sys
from types import ModuleType

import asyncpg
import pytest

from cli import __main__ as command_line
from tests.servers import Servers


def test_a_command_without_its_database_says_what_makes_it(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asks = ModuleType("cli.commands.parked")

    def run() -> None:
        asyncio.run(asyncpg.connect(servers.postgres_dsn, database="nobody_made_it"))

    vars(asks)["run"] = run
    monkeypatch.setitem(sys.modules, "cli.commands.parked", asks)
    assert command_line.main(["parked"]) == 1
    said = capsys.readouterr().err
    assert said == (
        'yk: database "nobody_made_it" does not exist. `./yk up` makes it; what `demo` and `play`'
        " made is looked at with --rehearsal.\n"
    )
