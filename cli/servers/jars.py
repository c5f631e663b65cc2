"""Java programs from Maven: the jars that a pom beside this file pins, fetched once."""

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.processes import CannotStart
from cli.progress import step
from cli.state import JARS

POMS = Path(__file__).with_name("poms")
OLDEST_JAVA = 17
_FETCH_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """A Java runtime: its command and its version as it prints it."""

    command: str
    version: str


def find_java() -> Java:
    """The machine's Java; raises CannotStart when there is none of 17 or later."""
    command = shutil.which("java")
    if command is None:
        raise CannotStart(f"Java is missing: install a JDK {OLDEST_JAVA} or later.")
    said = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "((\d+)[^"]*)"', said.stderr)
    if found is None:
        raise CannotStart(f"`{command} -version` names no version: install a JDK {OLDEST_JAVA}.")
    if int(found[2]) < OLDEST_JAVA:
        raise CannotStart(
            f"Java {found[1]} is too old: install a JDK {OLDEST_JAVA} or later"
            " and put it first on the PATH."
        )
    return Java(command=command, version=found[1])


def jars_of(program: str) -> tuple[Path, ...]:
    """The jars that `poms/<program>.xml` asks for, sorted; fetched by Maven the first time."""
    pom = POMS / f"{program}.xml"
    folder = JARS / f"{program}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        _fetch(pom, folder)
    return tuple(sorted(folder.glob("*.jar")))


def _fetch(pom: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart("Maven is missing: install it (the command `mvn`).")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        step(f"Fetching {pom.stem} by Maven (once)"),
        tempfile.TemporaryDirectory(dir=folder.parent) as draft,
    ):
        jars = Path(draft) / "jars"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        log = folder.with_suffix(".log")
        with log.open("wb") as output:
            done = subprocess.run(
                [maven, "--batch-mode", *_repository(), "--file", str(pom), *goal],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_FETCH_SECONDS,
            )
        if done.returncode != 0:
            raise CannotStart(f"Maven could not fetch the jars of {pom.stem}: see {log}.")
        if not folder.is_dir():
            jars.rename(folder)


def _repository() -> tuple[str, ...]:
    """Where Maven keeps what it fetched: in the user's home, or here when that is not writable."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    return () if os.access(home, os.W_OK) else (f"-Dmaven.repo.local={JARS.parent / 'maven'}",)
