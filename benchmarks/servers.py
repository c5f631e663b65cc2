"""The servers that benchmarks run against: our own, in `.yk/bench`, gone when the run ends."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
from uuid_utils.compat import uuid7

from cli.ports import choose, is_open
from cli.processes import CannotStart, ProcessPlan, ProcessTable
from cli.servers.kafka import KafkaServer
from cli.servers.postgres import PostgresServer
from cli.state import CHECKOUT, State
from libs.events.migrate import MIGRATIONS, initialise, migrate

FOLDER = CHECKOUT / ".yk" / "bench"
_SLOW_FLUSH = Path(__file__).with_name("slow_flush.c")
_PEERS_LOCK = CHECKOUT / "requirements-bench.lock"
_UMADB = "umadb"
_READY_SECONDS = 30


@contextmanager
def postgres(name: str, *, slow_flush: bool = False) -> Iterator[str]:
    """A PostgreSQL with nothing in it; the DSN of its first database.

    With `slow_flush` each of its calls of fsync and fdatasync takes 2 ms longer.
    """
    server = PostgresServer(State(FOLDER / name))
    server.stop()
    server.wipe()
    try:
        with _preloaded(slow_flush=slow_flush):
            dsn = server.start(tied=True)
        yield dsn
    finally:
        server.stop()
        server.wipe()


@contextmanager
def kafka() -> Iterator[str]:
    """A broker with no topics; its bootstrap address."""
    server = KafkaServer(State(FOLDER / "broker"), usual_port=None)
    server.stop()
    server.wipe()
    try:
        yield server.start(tied=True)
    finally:
        server.stop()
        server.wipe()


@contextmanager
def umadb(name: str, *, slow_flush: bool = False) -> Iterator[str]:
    """The server of the package `umadb`, from its wheel, with nothing in it; its address."""
    processes = ProcessTable(State(FOLDER / name))
    data = FOLDER / name / "data"
    processes.stop(_UMADB)
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    port = choose(None)
    plan = ProcessPlan(
        name=_UMADB,
        command=(
            str(peers_python().with_name(_UMADB)),
            *("--listen", f"127.0.0.1:{port}", "--db-path", str(data / "uma.db")),
        ),
        address=f"http://127.0.0.1:{port}",
    )
    try:
        with _preloaded(slow_flush=slow_flush):
            processes.start(plan, tied=True)
        processes.wait_until(_UMADB, lambda: is_open(port), seconds=_READY_SECONDS, what="umadb")
        yield plan.address
    finally:
        processes.stop(_UMADB)
        shutil.rmtree(data, ignore_errors=True)


@asynccontextmanager
async def database(server: str, *, context: str | None = None) -> AsyncIterator[str]:
    """A database of its own, with the log of `context` if given; dropped at the end."""
    name = f"bench_{uuid7().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    try:
        dsn = urlsplit(server)._replace(path=f"/{name}").geturl()
        if context is not None:
            await migrate(dsn, [MIGRATIONS])
            await initialise(dsn, context)
        yield dsn
    finally:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


def cpu_seconds_of(folder_name: str) -> float:
    """Processor seconds that the server of this folder has used so far, with its children."""
    total = 0.0
    for record in ProcessTable(State(FOLDER / folder_name)).running():
        process = psutil.Process(record.pid)
        for each in (process, *process.children(recursive=True)):
            try:
                used = each.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += used.user + used.system
    return total


def peers_python() -> Path:
    """The Python of the environment with the packages we are compared with; made when missing."""
    environment = FOLDER / "peers"
    kept = environment / _PEERS_LOCK.name
    if not kept.exists() or kept.read_bytes() != _PEERS_LOCK.read_bytes():
        uv = shutil.which("uv") or str(CHECKOUT / ".yk" / "tools" / "bin" / "uv")
        python = environment / "bin" / "python"
        try:
            subprocess.run([uv, "venv", "--quiet", "--clear", environment], check=True)
            subprocess.run(
                [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, _PEERS_LOCK],
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotStart(f"uv could not make the environment {environment}.") from error
        kept.write_bytes(_PEERS_LOCK.read_bytes())
    return environment / "bin" / "python"


@contextmanager
def _preloaded(*, slow_flush: bool) -> Iterator[None]:
    """What is started inside the block has the slow flush preloaded."""
    if not slow_flush:
        yield
        return
    os.environ["LD_PRELOAD"] = str(_slow_flush_library())
    try:
        yield
    finally:
        del os.environ["LD_PRELOAD"]


def _slow_flush_library() -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotStart("A C compiler (the command `cc`) is missing, to slow flushes down.")
    library = FOLDER / "slow_flush.so"
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, _SLOW_FLUSH], check=True)
    return library
