"""Ways to a PostgreSQL or Kafka server that understand what passes and stop it at an exact moment.

A request is held *before* it reaches the server; or *during*, when the server has answered and the
caller does not know yet; or *after*, when the caller has the answer and may ask nothing more. What
is done to the world at that moment is up to who waits for it; then the way lets go.
"""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple, Protocol, get_args
from urllib.parse import parse_qs, urlsplit

When = Literal["before", "during", "after"]
WHENS: tuple[When, ...] = get_args(When)
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 30
_KAFKA = {0: "Produce", 1: "Fetch"}


class Moment(NamedTuple):
    """The `nth` request, counted from 1 and from when it is awaited, that says all of `marks`."""

    marks: tuple[str, ...]
    when: When
    nth: int = 1


def turns() -> tuple[int, ...]:
    """Numbers from which `in_turn` draws: one, or with `YK_TEST_MOMENTS=all` one for each moment."""
    every = os.environ.get("YK_TEST_MOMENTS") == "all"
    return tuple(range(len(WHENS))) if every else (0,)


def in_turn(*numbers: int) -> When:
    """One of the three, so that each number in turn brings all."""
    return WHENS[sum(numbers) % len(WHENS)]


class Request(NamedTuple):
    """What a caller sent: its bytes, in words, and the number of the answer that it awaits."""

    data: bytes
    says: str
    number: int


class Answer(NamedTuple):
    """A part of what a server sent; the answer of that number is whole with `is_whole`."""

    data: bytes
    number: int
    is_whole: bool


class Talk(Protocol):
    """What is said on one connection; both raise `IncompleteReadError` at its end."""

    async def request(self, reader: asyncio.StreamReader) -> Request:
        """The next request."""
        ...

    async def answer(self, reader: asyncio.StreamReader) -> Answer:
        """The next part of an answer."""
        ...


class PostgresTalk:
    """PostgreSQL's protocol 3. A commit says, too, what was said since its transaction began."""

    def __init__(self) -> None:
        self._started = False
        self._texts: dict[bytes, str] = {}
        self._said: list[str] = []
        self._asked = 0
        self._answered = 0

    async def request(self, reader: asyncio.StreamReader) -> Request:
        if not self._started:
            data = await _sized(reader, head=b"")
            self._started = True
            self._asked = 1
            return Request(data, "", 1)
        kind = await reader.readexactly(1)
        data = await _sized(reader, head=kind)
        says = self._words(kind, data[5:])
        number = self._asked + 1
        if kind in b"QS":
            self._asked = number
        return Request(data, says, number)

    def _words(self, kind: bytes, body: bytes) -> str:
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._texts[name] = text.decode()
        if kind == b"B":
            return self._statement(self._texts.get(body.split(b"\0", 2)[1], ""))
        return self._statement(body.rstrip(b"\0").decode()) if kind == b"Q" else ""

    def _statement(self, text: str) -> str:
        if text.startswith("BEGIN"):
            self._said.clear()
        self._said.append(text)
        return "\n".join(reversed(self._said)) if text.startswith("COMMIT") else text

    async def answer(self, reader: asyncio.StreamReader) -> Answer:
        kind = await reader.readexactly(1)
        data = await _sized(reader, head=kind)
        number = self._answered + 1
        if kind == b"Z":
            self._answered = number
        return Answer(data, number, kind == b"Z")


class KafkaTalk:
    """Kafka's protocol: requests by the names that are used here, answers that lead back here."""

    def __init__(self, *, theirs: bytes, ours: bytes) -> None:
        self._theirs = theirs
        self._ours = ours

    async def request(self, reader: asyncio.StreamReader) -> Request:
        data = await _sized(reader, head=b"", counts_itself=False)
        key, _, number = struct.unpack_from(">hhi", data, 4)
        return Request(data, _KAFKA.get(key, ""), number)

    async def answer(self, reader: asyncio.StreamReader) -> Answer:
        data = await _sized(reader, head=b"", counts_itself=False)
        (number,) = struct.unpack_from(">i", data, 4)
        return Answer(data.replace(self._theirs, self._ours), number, is_whole=True)


async def _sized(reader: asyncio.StreamReader, *, head: bytes, counts_itself: bool = True) -> bytes:
    size = await reader.readexactly(4)
    rest = int.from_bytes(size) - (4 if counts_itself else 0)
    return head + size + await reader.readexactly(rest)


class Way:
    """Passes what is said between a port of its own and a server while open."""

    def __init__(self) -> None:
        self.port = 0
        self.is_hushed = False
        self._connect: Connect
        self._talk: Callable[[], Talk]
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moment: Moment | None = None
        self._seen = 0
        self._hit = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()

    def leads(self, connect: Connect, *, talk: Callable[[], Talk]) -> None:
        """Say where it leads, and what is spoken there."""
        self._connect = connect
        self._talk = talk

    async def open(self) -> None:
        """Let connections through, always on the same port."""
        self._server = await asyncio.start_server(self._pass, _HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break all connections, lose what is held, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for stream in self._streams:
            stream.transport.abort()
        for task in self._tasks:
            task.cancel()
        self._let_go()

    def stop_at(self, moment: Moment) -> None:
        """Hold what passes at that moment."""
        self._moment = moment
        self._seen = 0
        self._hit.clear()
        self._free.clear()

    def hush(self) -> None:
        """Let no request through any more, and say nothing of it."""
        self._free.clear()
        self.is_hushed = True

    async def reached(self) -> None:
        """Return at the moment; raises TimeoutError when it does not come."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._hit.wait()

    def go_on(self) -> None:
        """Let through what is held, and what follows."""
        self._let_go()

    def _let_go(self) -> None:
        self._moment = None
        self.is_hushed = False
        self._free.set()

    async def close(self) -> None:
        """Cut it for good."""
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._streams.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            far_reader, far = await self._connect()
            self._streams.add(far)
            passing = _Passing(self, talk=self._talk())
            await _first_ended(passing.ask(reader, far), passing.tell(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one end is gone, and so is the way between them
        finally:
            for stream in (writer, far):
                if stream is not None:
                    stream.close()
                    self._streams.discard(stream)
            self._tasks.discard(task)

    def sees(self, request: Request) -> When | None:
        """When this request is to be held, if it is the awaited one."""
        moment = self._moment
        if moment is None or self._hit.is_set():
            return None
        if not all(mark in request.says for mark in moment.marks):
            return None
        self._seen += 1
        return moment.when if self._seen == moment.nth else None

    async def hold(self) -> None:
        """It is the moment: return when the way goes on."""
        self._hit.set()
        await self._free.wait()


class _Passing:
    """One connection."""

    def __init__(self, way: Way, *, talk: Talk) -> None:
        self._way = way
        self._talk = talk
        self._number: int | None = None
        self._when: When | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def ask(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while True:
            request = await self._talk.request(reader)
            await self._quiet.wait()
            when = self._way.sees(request)
            if when == "before" or self._way.is_hushed:
                await self._way.hold()
            elif when is not None:
                self._number, self._when = request.number, when
            far.write(request.data)
            await far.drain()

    async def tell(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept: list[bytes] = []
        while True:
            answer = await self._talk.answer(far)
            awaited = answer.number == self._number
            if awaited and self._when == "during":
                kept.append(answer.data)
                if not answer.is_whole:
                    continue
                await self._way.hold()
                self._number = None
                writer.write(b"".join(kept))
                kept.clear()
            else:
                writer.write(answer.data)
            await writer.drain()
            if awaited and answer.is_whole and self._when == "after":
                self._number = None
                self._quiet.clear()
                await self._way.hold()
                self._quiet.set()


async def _first_ended(*parts: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@asynccontextmanager
async def to_postgres(dsn: str) -> AsyncIterator[tuple[Way, str]]:
    """A way to the server of a DSN, by TCP or a socket, and the DSN that leads over it."""
    parts = urlsplit(dsn)

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if folder := parse_qs(parts.query).get("host"):
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(parts.hostname or _HOST, parts.port or 5432)

    way = Way()
    way.leads(connect, talk=PostgresTalk)
    await way.open()
    user = parts.netloc.rpartition("@")[0]
    ours = parts._replace(netloc=f"{user}@{_HOST}:{way.port}", query="sslmode=disable")
    try:
        yield way, ours.geturl()
    finally:
        await way.close()


@asynccontextmanager
async def to_kafka(address: str) -> AsyncIterator[tuple[Way, str]]:
    """A way to the broker at `host:port`, and the address that leads over it.

    A broker tells its clients where to go on, so its port in its answers is replaced by the way's.
    """
    host, _, port = address.rpartition(":")
    way = Way()

    def talk() -> KafkaTalk:
        theirs = host.encode() + struct.pack(">i", int(port))
        return KafkaTalk(theirs=theirs, ours=host.encode() + struct.pack(">i", way.port))

    way.leads(lambda: asyncio.open_connection(host, int(port)), talk=talk)
    await way.open()
    try:
        yield way, f"{host}:{way.port}"
    finally:
        await way.close()
