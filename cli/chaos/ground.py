"""The system that faults are done to: own servers, own services, and a way for each process."""

import asyncio
import functools
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import psutil

from cli import jwks, mailbox
from cli.chaos.ways import KafkaWay, PostgresWay, Way
from cli.environments import Environment, ServiceProcesses, prepare, services_there
from cli.keys import master_key
from cli.ports import LOOPBACK, choose, is_open, port_of
from cli.processes import CannotStart, ProcessPlan, ProcessRecord, ProcessTable, answers
from cli.progress import step
from cli.servers import kafka, postgres
from cli.services import Role, Service, Surroundings, process_plan
from cli.state import State

CHAOS = Environment(name="chaos", rehearsal=False, port_offset=None)
_WORKERS = {"contracts": 2, "billing": 2}
"""Of these services several share the work; of the others there is one worker."""
_USUAL_PORTS = {"kafka": 29292, "service": 8300}
_DEADLINES_SECONDS = "5"
_HANDS = 24
_READY_SECONDS = 120
_WATCH_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that can be struck: a process with its children, and the ways that lead to it.

    `start` starts it again, and returns when it has been started (a server: when it answers).
    """

    name: str
    start: Callable[[], None]
    ways: tuple[Way, ...]
    held: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A process of a service, as a part."""

    part: Part
    service: str
    role: Role
    address: str


class Ground:
    """Everything that runs. What is struck is struck by the name of a part."""

    def __init__(self, state: State, *, ports: bool = True) -> None:
        """`ports` wishes for usual ones; without, any are taken."""
        self.state = state
        self.ended: list[str] = []
        self.members: tuple[Member, ...] = ()
        self._processes = ProcessTable(state)
        self._postgres = postgres.PostgresServer(state)
        wished = _USUAL_PORTS["kafka"] if ports else None
        self._kafka = kafka.KafkaServer(state, usual_port=choose(wished))
        self._next_port = _USUAL_PORTS["service"] if ports else None
        # A tied process ends with the thread that started it, so these threads live to the end.
        self._hands = ThreadPoolExecutor(max_workers=_HANDS)
        self.bootstrap = ""

    @property
    def servers(self) -> Mapping[str, Part]:
        """Broker and database, each with all ways that lead to it."""
        return {"broker": self._broker, "database": self._database}

    @property
    def addresses(self) -> dict[str, str]:
        """Base URLs of the APIs by service."""
        return {m.service: m.address for m in self.members if m.role == "api"}

    def workers(self, service: str) -> tuple[Member, ...]:
        """The workers of a service."""
        return tuple(m for m in self.members if m.service == service and m.role == "worker")

    def api(self, service: str) -> Member:
        """The API process of a service."""
        (found,) = (m for m in self.members if m.service == service and m.role == "api")
        return found

    def dsn(self, service: str) -> str:
        """The database of a service, not by a way."""
        return self._postgres.dsn(CHAOS.database(service))

    async def hand(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what blocks in a thread that lives as long as the ground."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hands, functools.partial(work, *arguments))

    async def begin(self) -> None:
        """Wipe what an earlier run left and start everything. Raises CannotStart."""
        self.end()
        shutil.rmtree(self.state.folder / "data", ignore_errors=True)
        shutil.rmtree(self.state.logs, ignore_errors=True)
        with step("Starting PostgreSQL and Kafka of their own"):
            database, self.bootstrap, keys, mails = await asyncio.gather(
                self.hand(functools.partial(self._postgres.start, tied=True)),
                self.hand(functools.partial(self._kafka.start, tied=True)),
                self.hand(self._start_keys),
                self.hand(self._start_mailbox),
            )
        urls = await prepare(CHAOS, dsn=database, bootstrap=self.bootstrap)
        surroundings = Surroundings(
            database_urls=urls,
            kafka=self.bootstrap,
            jwks_url=keys.address,
            master_key=master_key(self.state),
            smtp_port=port_of(mails.address),
            topic_prefix=CHAOS.topic_prefix,
        )
        with step("Migrating the databases"):
            services = ServiceProcesses(
                self._processes, environment=CHAOS, surroundings=surroundings, tied=True
            )
            await self.hand(services.migrate)
        with step("Starting the services"):
            self.members = tuple([m async for m in self._make_members(surroundings)])
            self._make_servers()
            for member in self.members:
                await self.hand(member.part.start)
            await asyncio.gather(*(self.hand(self._wait, member) for member in self.members))

    def end(self) -> None:
        """Stop everything, also what stands still."""
        for record in self._processes.running():
            _signal_tree(record, signal.SIGCONT)
        self._processes.stop_all()

    async def close(self) -> None:
        """Stop everything and close all ways."""
        await self.hand(self.end)
        for member in self.members:
            for way in member.part.ways:
                await way.close()
        self._hands.shutdown()

    async def watch(self) -> None:
        """Start again what ends unasked, for ever; `ended` tells what did."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for member in self.members:
                part = member.part
                if part.held.locked() or self._processes.find(part.name) is not None:
                    continue
                self.ended.append(part.name)
                await self.hand(part.start)

    def kill(self, part: Part) -> None:
        """End a process and its children without a word."""
        record = self._processes.find(part.name)
        if record is not None:
            _signal_tree(record, signal.SIGKILL)
            with suppress(psutil.NoSuchProcess):
                psutil.Process(record.pid).wait()

    def signal(self, part: Part, number: signal.Signals) -> None:
        """Send a process and its children a signal."""
        record = self._processes.find(part.name)
        if record is not None:
            _signal_tree(record, number)

    def stop(self, part: Part) -> None:
        """Ask a process to end, and wait for it."""
        self._processes.stop(part.name)

    @property
    def mails(self) -> tuple[Path, ...]:
        """A file for each mail that was sent."""
        return tuple((self.state.data(mailbox.NAME) / "new").glob("*"))

    async def _make_members(self, surroundings: Surroundings) -> AsyncIterator[Member]:
        for service in services_there():
            yield await self._make(service, "api", surroundings=surroundings, number=None)
            for number in range(1, _WORKERS.get(service.name, 1) + 1):
                yield await self._make(service, "worker", surroundings=surroundings, number=number)

    async def _make(
        self, service: Service, role: Role, *, surroundings: Surroundings, number: int | None
    ) -> Member:
        name = f"{service.name}-{role}" + ("" if number is None else f"-{number}")
        database, broker = PostgresWay(self._postgres.sockets), KafkaWay(self.bootstrap)
        await database.open()
        await broker.open()
        own = replace(
            surroundings,
            kafka=f"{LOOPBACK}:{broker.port}",
            database_urls={
                context: f"postgresql://postgres@{LOOPBACK}:{database.port}/"
                f"{CHAOS.database(context)}?application_name={name}"
                for context in surroundings.database_urls
            },
        )
        plan = process_plan(
            service, role=role, port=self._port(), surroundings=own, environment=CHAOS.name
        )
        often = {f"{service.prefix}DEADLINES_EVERY_SECONDS": _DEADLINES_SECONDS}
        plan = replace(plan, name=name, environment={**plan.environment, **often})
        return Member(
            part=Part(name=name, start=self._starting(plan), ways=(database, broker)),
            service=service.name,
            role=role,
            address=plan.address,
        )

    def _starting(self, plan: ProcessPlan) -> Callable[[], None]:
        def start() -> None:
            self._processes.start(plan, tied=True)

        return start

    def _make_servers(self) -> None:
        self._database = Part(
            name=postgres.NAME,
            start=lambda: _forget_answer(self._postgres.start(tied=True)),
            ways=tuple(self._ways(PostgresWay)),
        )
        self._broker = Part(
            name=kafka.NAME,
            start=lambda: _forget_answer(self._kafka.start(tied=True)),
            ways=tuple(self._ways(KafkaWay)),
        )

    def _ways(self, kind: type[Way]) -> Iterable[Way]:
        return (way for m in self.members for way in m.part.ways if isinstance(way, kind))

    def _port(self) -> int:
        if self._next_port is None:
            return choose(None)
        self._next_port += 1
        return choose(self._next_port)

    def _start_keys(self) -> ProcessRecord:
        record = self._processes.start(jwks.process_plan(self.state, port=choose(None)), tied=True)
        self._processes.wait_until(
            jwks.NAME, lambda: answers(record.address), seconds=_READY_SECONDS, what="jwks"
        )
        return record

    def _start_mailbox(self) -> ProcessRecord:
        record = self._processes.start(
            mailbox.process_plan(self.state, port=choose(None)), tied=True
        )
        port = port_of(record.address)
        self._processes.wait_until(
            mailbox.NAME, lambda: is_open(port), seconds=_READY_SECONDS, what="the mailbox"
        )
        return record

    def _wait(self, member: Member) -> None:
        self._processes.wait_until(
            member.part.name,
            lambda: answers(f"{member.address}/health/ready"),
            seconds=_READY_SECONDS,
            what=member.part.name,
        )


@asynccontextmanager
async def a_ground(state: State, *, ports: bool = True) -> AsyncIterator[Ground]:
    """The whole system, running and watched, for as long as the block runs."""
    ground = Ground(state, ports=ports)
    watch = None
    try:
        await ground.begin()
        watch = asyncio.ensure_future(ground.watch())
        yield ground
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await ground.close()


def _forget_answer(_: object) -> None:
    """Of a start only that it is done counts."""


def _signal_tree(record: ProcessRecord, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(record.pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)


__all__ = ["CHAOS", "CannotStart", "Ground", "Member", "Part", "a_ground"]
