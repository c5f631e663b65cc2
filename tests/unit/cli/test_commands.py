"""`./yk` lists the commands that there are, and says so when there is none of a name."""

import subprocess
import sys
from importlib import import_module

import pytest

from cli.__main__ import COMMANDS, main
from cli.state import CHECKOUT

MODULES = sorted(file.stem for file in (CHECKOUT / "cli" / "commands").glob("[a-z]*.py"))


def test_all_commands_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert sorted(listed) == MODULES
    assert listed == [name for name in COMMANDS if name in MODULES]


@pytest.mark.parametrize("name", MODULES)
def test_a_command_has_what_runs_it(name: str) -> None:
    module = import_module(f"cli.commands.{name}")
    assert hasattr(module, "app") or callable(module.run)


def test_an_unknown_command_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stauts"]) == 2
    assert "no command `stauts` (did you mean `status`?)" in capsys.readouterr().err


def test_listing_loads_no_command() -> None:
    program = (
        "import sys; from cli.__main__ import main; main([]);"
        "sys.exit(any(name in sys.modules for name in ('typer', 'asyncpg', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=False)
    assert done.returncode == 0
