"""Zipkin, where the traces of the embedded mode are looked at: one jar, spans kept in memory."""

from cli.ports import LOOPBACK, choose
from cli.processes import ProcessPlan, ProcessTable, answers
from cli.servers.jars import find_java, jars_of
from cli.state import State

NAME = "zipkin"
USUAL_PORT = 9411
_READY_SECONDS = 90


class ZipkinServer:
    """The Zipkin of one state folder; its spans are gone when it stops."""

    def __init__(self, state: State, *, usual_port: int | None = USUAL_PORT) -> None:
        self._processes = ProcessTable(state)
        self._usual_port = usual_port

    def start(self, *, tied: bool = False) -> str:
        """Start it if it does not run; the address of its pages, `http://host:port`.

        Raises CannotStart, with the path of the log, when it does not come up.
        """
        address = self.launch(tied=tied)
        self.wait()
        return address

    def launch(self, *, tied: bool = False) -> str:
        """Start it without waiting; its address."""
        running = self._processes.find(NAME)
        if running is None:
            running = self._processes.start(self._plan(), tied=tied)
        return running.address

    def wait(self) -> None:
        """Wait until it is well; raises CannotStart when it does not come up."""
        self._processes.wait_until(NAME, self.healthy, seconds=_READY_SECONDS, what="Zipkin")

    def healthy(self) -> bool:
        """Whether the running one says it is well."""
        running = self._processes.find(NAME)
        return running is not None and answers(f"{running.address}/health")

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        self._processes.stop(NAME)

    def _plan(self) -> ProcessPlan:
        java = find_java()
        (jar,) = jars_of(NAME)
        port = choose(self._usual_port)
        return ProcessPlan(
            name=NAME,
            command=(
                java.command,
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                str(jar),
                f"--server.port={port}",
                f"--armeria.ports[0].ip={LOOPBACK}",
                f"--armeria.ports[0].port={port}",
                "--armeria.ports[0].protocols[0]=http",
            ),
            address=f"http://{LOOPBACK}:{port}",
        )
