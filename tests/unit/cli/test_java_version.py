"""What is missing on the machine is said in one sentence with what to install."""

from pathlib import Path

import pytest

from cli.processes import CannotStart
from cli.servers.jars import find_java


def a_java(folder: Path, *, saying: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{saying}' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    ("said", "version"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', "17.0.15", id="17"),
        pytest.param('openjdk version "21" 2023-09-19', "21", id="without a minor"),
        pytest.param('openjdk version "27-ea" 2027-03-01', "27-ea", id="early access"),
    ],
)
def test_a_java_of_17_or_later_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, version: str
) -> None:
    a_java(tmp_path, saying=said, monkeypatch=monkeypatch)
    assert find_java().version == version


@pytest.mark.parametrize(
    "said",
    [
        pytest.param('openjdk version "16.0.2" 2021-07-20', id="the last too old"),
        pytest.param('java version "1.8.0_392"', id="of the old numbering"),
    ],
)
def test_an_older_java_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    a_java(tmp_path, saying=said, monkeypatch=monkeypatch)
    with pytest.raises(CannotStart, match="too old: install a JDK 17 or later"):
        find_java()


def test_no_java_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match="Java is missing: install a JDK 17 or later"):
        find_java()
