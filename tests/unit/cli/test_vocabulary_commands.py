from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.commands import samples, vocabulary
from libs.events.registry import EVENTS

WIDE = {"COLUMNS": "400"}


def call(command: Callable[..., None], *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments, env=WIDE)


def test_all_samples_are_there_and_load() -> None:
    result = call(samples.run, "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{len(EVENTS)} types of events are declared" in result.stdout


def test_the_vocabulary_names_events_problems_and_topics() -> None:
    result = call(vocabulary.run)
    assert result.exit_code == 0
    for name in (*EVENTS, "name*", "idempotency-key-reused", "Topics"):
        assert name in result.stdout


def test_one_context_is_shown_alone() -> None:
    printed = call(vocabulary.run, "monitoring").stdout
    assert "monitoring.outage" in printed
    assert "billing." not in printed


@pytest.mark.parametrize("name", ["portal", "Contracts"])
def test_an_unknown_context_is_said(name: str) -> None:
    result = call(vocabulary.run, name)
    assert result.exit_code == 1
    assert "contracts, billing, monitoring, notifications" in result.stderr
