"""A real Apache Kafka broker from its jars: one node, KRaft, on loopback."""

import base64
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path

from cli.ports import LOOPBACK, choose
from cli.processes import CannotStart, ProcessPlan, ProcessTable
from cli.servers.jars import Java, find_java, jars_of
from cli.state import JARS, State

NAME = "kafka"
USUAL_PORT = 29092
USUAL_CONTROLLER_PORT = 29093
# An event has at most 512 KiB; its record may be a batch of its own with headers and some slack.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_READY_SECONDS = 60
_FORMAT_SECONDS = 60
_API_VERSIONS = 18

_LOGGING = """\
status = error
appenders = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = console
"""

_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}
num.network.threads=1
num.io.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
log.retention.ms=-1
log.retention.bytes=-1
offsets.retention.minutes=5256000
message.max.bytes={max_message_bytes}
replica.fetch.max.bytes={max_message_bytes}
"""


class KafkaServer:
    """The Kafka broker of one state folder.

    It keeps its port over restarts while that is free. The first start writes down the Java
    classes it loaded when it ends, which halves the time of later starts.
    """

    def __init__(self, state: State, *, usual_port: int | None = USUAL_PORT) -> None:
        self._processes = ProcessTable(state)
        self._data = state.data(NAME)
        self._usual_port = usual_port

    def start(self, *, tied: bool = False) -> str:
        """Start it if it does not run; its bootstrap address.

        Raises CannotStart, with the path of the log, when it does not come up.
        """
        address = self.launch(tied=tied)
        self.wait()
        return address

    def launch(self, *, tied: bool = False) -> str:
        """Start it without waiting; its bootstrap address."""
        running = self._processes.find(NAME)
        if running is not None:
            return running.address
        java = find_java()
        jars = jars_of(NAME)
        port = choose(self._usual_port)
        self._data.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(self._settings_text(port))
        self._logging.write_text(_LOGGING)
        if not (self._data / "log" / "meta.properties").exists():
            self._format(java, jars)
        self._promote_archive(java)
        plan = ProcessPlan(
            name=NAME,
            command=(
                java.command,
                "-Xmx256m",
                *self._options(java),
                *self._java_options(jars),
                "kafka.Kafka",
                str(self._settings),
            ),
            address=f"{LOOPBACK}:{port}",
            stop_seconds=30,
        )
        return self._processes.start(plan, tied=tied).address

    def wait(self) -> None:
        """Wait until it answers; raises CannotStart when it does not come up."""
        self._processes.wait_until(NAME, self.healthy, seconds=_READY_SECONDS, what="Kafka")

    def healthy(self) -> bool:
        """Whether the running broker answers the protocol's first question (which versions)."""
        running = self._processes.find(NAME)
        return running is not None and speaks_kafka(running.address)

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        running = self._processes.find(NAME)
        if not self._processes.stop(NAME) and running is not None:
            # Killed: what it was writing down of its classes may be torn.
            self._new_archive.unlink(missing_ok=True)

    def wipe(self) -> None:
        """Remove all its data; it must not be running."""
        shutil.rmtree(self._data / "log", ignore_errors=True)

    @property
    def _settings(self) -> Path:
        return self._data / "server.properties"

    @property
    def _logging(self) -> Path:
        return self._data / "log4j2.properties"

    @property
    def _new_archive(self) -> Path:
        return self._data / "classes.jsa"

    def _archive(self, java: Java) -> Path:
        return JARS / f"{NAME}-java-{java.version}.jsa"

    def _promote_archive(self, java: Java) -> None:
        if self._new_archive.exists() and not self._archive(java).exists():
            self._new_archive.replace(self._archive(java))

    def _options(self, java: Java) -> tuple[str, ...]:
        archive = self._archive(java)
        if archive.exists():
            return (f"-XX:SharedArchiveFile={archive}",)
        return (f"-XX:ArchiveClassesAtExit={self._new_archive}",)

    def _java_options(self, jars: tuple[Path, ...]) -> tuple[str, ...]:
        return (
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={self._logging}",
            "-cp",
            os.pathsep.join(str(jar) for jar in jars),
        )

    def _settings_text(self, port: int) -> str:
        wished = USUAL_CONTROLLER_PORT if self._usual_port is not None else None
        controller_port = choose(wished)
        while controller_port == port:
            controller_port = choose(None)
        return _SETTINGS.format(
            host=LOOPBACK,
            port=port,
            controller_port=controller_port,
            folder=self._data / "log",
            max_message_bytes=MAX_MESSAGE_BYTES,
        )

    def _format(self, java: Java, jars: tuple[Path, ...]) -> None:
        shutil.rmtree(self._data / "log", ignore_errors=True)
        cluster = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        # An id that began with a dash would be read as an option.
        cluster = f"y{cluster[1:]}"
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._settings)]
        done = subprocess.run(
            [java.command, *self._java_options(jars), *tool],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FORMAT_SECONDS,
        )
        if done.returncode != 0:
            log = self._processes.log_path(NAME)
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(done.stdout + done.stderr)
            raise CannotStart(f"Kafka could not make its data folder: see {log}.")


def speaks_kafka(address: str) -> bool:
    """Whether `host:port` answers an ApiVersions request, as any Kafka broker does at once."""
    host, _, port = address.rpartition(":")
    client = b"yakkan"
    header = struct.pack(f">hhih{len(client)}s", _API_VERSIONS, 0, 1, len(client), client)
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(header)) + header)
            return len(connection.recv(10)) > 0
    except OSError:
        return False
