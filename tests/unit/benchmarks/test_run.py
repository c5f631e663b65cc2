"""The parts of the benchmark of the event log."""

from importlib import import_module

import pytest

from benchmarks.events.run import PARTS


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_measured(name: str) -> None:
    assert callable(import_module(f"benchmarks.events.{name}").measure)
