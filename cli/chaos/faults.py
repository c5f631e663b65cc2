"""Doing a fault to the running system, and healing it."""

import asyncio
import signal
from collections.abc import Callable

import asyncpg
import httpx2

from cli.chaos.ground import Ground, Member, Part
from cli.chaos.schedule import Fault, Harm, Victim

_LEADS = "yakkan_relay_leader"
_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 3.0
_METRICS_SECONDS = 2.0

Tell = Callable[[str], None]


class Faults:
    """Strikes the ground by schedule. `tell` is given a line for each."""

    def __init__(self, ground: Ground, *, tell: Tell) -> None:
        self._ground = ground
        self._tell = tell
        self.done: list[str] = []

    async def run(self, faults: tuple[Fault, ...]) -> None:
        """Do all, each at its time; returns when all are healed."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, began_at + fault.at_seconds - loop.time()))
                group.create_task(self._do(fault, began_at=began_at))

    async def _do(self, fault: Fault, *, began_at: float) -> None:
        part, words = await self._find(fault)
        async with part.held:
            now = asyncio.get_running_loop().time() - began_at
            words = f"{fault.harm.value} {words}"
            self._tell(f"{now:6.1f} s  {words}, healed after {fault.seconds:.1f} s")
            self.done.append(words)
            await _HARMS[fault.harm](self, part, fault)

    async def _find(self, fault: Fault) -> tuple[Part, str]:
        """Whom it is done to, and what to say of it."""
        service = fault.service
        match fault.victim:
            case Victim.BROKER | Victim.DATABASE:
                return self._ground.servers[fault.victim.value], f"the {fault.victim.value}"
            case Victim.API:
                return self._ground.api(service).part, f"the API of {service}"
            case Victim.WORKER:
                part = self._any_worker(fault).part
                return part, f"a worker of {service} ({part.name})"
            case Victim.LEADER:
                leader = await self._leader(service)
                part = (leader or self._any_worker(fault)).part
                said = "the relay leader" if leader else "a worker, none leading,"
                return part, f"{said} of {service} ({part.name})"
            case Victim.CONSUMER:
                busy = await self._mid_batch(service)
                part = (busy or self._any_worker(fault)).part
                said = "a consumer in mid-batch" if busy else "a consumer, none at work,"
                return part, f"{said} of {service} ({part.name})"

    def _any_worker(self, fault: Fault) -> Member:
        workers = self._ground.workers(fault.service)
        return workers[int(fault.draw * len(workers))]

    async def _leader(self, service: str) -> Member | None:
        """The worker that says by its metric that it sends."""
        async with httpx2.AsyncClient(timeout=_METRICS_SECONDS) as client:
            for member in self._ground.workers(service):
                try:
                    text = (await client.get(f"{member.address}/metrics")).text
                except httpx2.TransportError:
                    continue
                if any(_is_one(line) for line in text.splitlines() if line.startswith(_LEADS)):
                    return member
        return None

    async def _mid_batch(self, service: str) -> Member | None:
        """The worker that has just stored how far it read, and not committed yet."""
        workers = {member.part.name: member for member in self._ground.workers(service)}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                connection = await asyncpg.connect(self._ground.dsn(service))
                try:
                    while True:
                        name = await connection.fetchval(_MID_BATCH, list(workers))
                        if name is not None:
                            return workers[name]
                        await asyncio.sleep(_LOOK_SECONDS)
                finally:
                    connection.terminate()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None

    async def _kill(self, part: Part, fault: Fault) -> None:
        await self._ground.hand(self._ground.kill, part)
        await asyncio.sleep(fault.seconds)
        await self._ground.hand(part.start)

    async def _restart(self, part: Part, fault: Fault) -> None:
        await self._ground.hand(self._ground.stop, part)
        await asyncio.sleep(fault.seconds)
        await self._ground.hand(part.start)

    async def _pause(self, part: Part, fault: Fault) -> None:
        self._ground.signal(part, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        self._ground.signal(part, signal.SIGCONT)

    async def _cut(self, part: Part, fault: Fault) -> None:
        for way in part.ways:
            way.cut()
        await asyncio.sleep(fault.seconds)
        for way in part.ways:
            way.mend()

    async def _silence(self, part: Part, fault: Fault) -> None:
        for way in part.ways:
            way.silence()
        await asyncio.sleep(fault.seconds)
        for way in part.ways:
            if fault.draw >= _FORGETS_FROM:
                way.forget()
            way.mend()


_FORGETS_FROM = 0.5
_HARMS = {
    Harm.KILL: Faults._kill,  # noqa: SLF001 - a table of the class's own
    Harm.PAUSE: Faults._pause,  # noqa: SLF001
    Harm.RESTART: Faults._restart,  # noqa: SLF001
    Harm.CUT: Faults._cut,  # noqa: SLF001
    Harm.HALF_OPEN: Faults._silence,  # noqa: SLF001
}
_MID_BATCH = """
SELECT application_name FROM pg_stat_activity
WHERE application_name = ANY($1::text[]) AND backend_xid IS NOT NULL
    AND query LIKE '%consumer_cursor%'
LIMIT 1
"""


def _is_one(line: str) -> bool:
    return float(line.rpartition(" ")[2]) == 1
