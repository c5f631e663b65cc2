"""Ways to a server that can be cut, and can go silent while they stay open."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from cli.ports import LOOPBACK, port_of

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK_BYTES = 65536


class Link:
    """One connection on a way: the client's end and the server's."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.forgotten = False

    def abort(self) -> None:
        """Break it for both."""
        self.near.transport.abort()
        self.forget()

    def forget(self) -> None:
        """Break it for the server alone: the client hears nothing, ever again."""
        self.forgotten = True
        if self.far is not None:
            self.far.transport.abort()


class Way:
    """Passes bytes between a loopback port of its own and a server.

    What is sent into a silent way waits, and arrives late when it speaks again.
    """

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._cut = False
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to take connections."""
        self._server = await asyncio.start_server(self._pass, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections, and take no more."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections, and every new one as soon as it is made."""
        self._cut = True
        for link in self._links:
            link.abort()

    def silence(self) -> None:
        """Pass nothing on; connections stay open, new ones too."""
        self._speaks.clear()

    def forget(self) -> None:
        """Leave the clients that are connected now without a server, and do not tell them."""
        for link in self._links:
            link.forget()

    def mend(self) -> None:
        """Pass everything again, but for what was forgotten."""
        self._cut = False
        self._speaks.set()

    async def connect(self) -> Streams:
        """A connection to the server."""
        raise NotImplementedError

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """The next of the server's bytes to pass on; none at the end."""
        return await reader.read(_CHUNK_BYTES)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = Link(writer)
        self._links.add(link)
        try:
            if self._cut:
                return
            # Cancelled is the word of `close`, and asyncio's server would not let it pass quietly.
            with suppress(OSError, asyncio.CancelledError):
                await self._speaks.wait()
                far_reader, link.far = await self.connect()
                await self._both(link, reader, far_reader)
        finally:
            link.abort()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _both(
        self, link: Link, reader: asyncio.StreamReader, far_reader: asyncio.StreamReader
    ) -> None:
        """Pass on until one end closes; a forgotten link ends when its client gives up."""
        assert link.far is not None

        async def asked() -> bytes:
            return await reader.read(_CHUNK_BYTES)

        async def answered() -> bytes:
            return await self.answer(far_reader)

        asks = asyncio.ensure_future(self._copy(link, asked, link.far))
        answers = asyncio.ensure_future(self._copy(link, answered, link.near))
        try:
            await asyncio.wait((asks, answers), return_when=asyncio.FIRST_COMPLETED)
            if link.forgotten:
                await asks
        finally:
            asks.cancel()
            answers.cancel()
            await asyncio.gather(asks, answers, return_exceptions=True)

    async def _copy(
        self, link: Link, read: Callable[[], Awaitable[bytes]], writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while data := await read():
                await self._speaks.wait()
                if link.forgotten:
                    if writer is link.near:
                        return
                    continue
                writer.write(data)
                await writer.drain()
        await self._speaks.wait()  # nor does a farewell pass a silent way


class PostgresWay(Way):
    """A way to the PostgreSQL server whose socket is in `sockets`."""

    def __init__(self, sockets: Path) -> None:
        super().__init__()
        self._path = str(sockets / ".s.PGSQL.5432")

    @override
    async def connect(self) -> Streams:
        return await asyncio.open_unix_connection(self._path)


class KafkaWay(Way):
    """A way to the one broker at `host:port` on loopback.

    A broker tells its clients where to go on, so its port in its answers is replaced by the way's.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._far_port = port_of(address)

    @override
    async def connect(self) -> Streams:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._far_port)
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            # With nobody listening, a socket may by chance be given this very port: itself.
            writer.transport.abort()
            raise ConnectionRefusedError
        return reader, writer

    @override
    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(4)
        body = await reader.readexactly(*struct.unpack(">i", head))
        theirs, ours = (
            LOOPBACK.encode() + struct.pack(">i", port) for port in (self._far_port, self.port)
        )
        return head + body.replace(theirs, ours)
