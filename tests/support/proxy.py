"""A way to a Kafka broker that a test can cut and mend.

A broker tells its clients where to go on, so its address in its answers is replaced by the way's:
its port, to be exact, as both are on one host.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Way:
    """Passes requests and answers between `host:port` and a broker on that host while open."""

    def __init__(self, *, host: str, port: int) -> None:
        self._host = host
        self._far_port = port
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def address(self) -> str:
        """Where clients begin."""
        return f"{self._host}:{self.port}"

    async def open(self) -> None:
        """Let connections through, always on the same port."""
        self._server = await asyncio.start_server(self._pass, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for stream in self._streams:
            stream.transport.abort()
        await asyncio.gather(*self._tasks)
        self._server = None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._streams.add(writer)
        try:
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(self._host, self._far_port)
                self._streams.add(far_writer)
                await asyncio.gather(
                    _copy(reader, far_writer), self._copy_answers(far_reader, writer)
                )
                self._streams.discard(far_writer)
        finally:
            writer.close()
            self._streams.discard(writer)
            self._tasks.discard(task)

    async def _copy_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        theirs = self._host.encode() + struct.pack(">i", self._far_port)
        ours = self._host.encode() + struct.pack(">i", self.port)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(4)
                answer = await reader.readexactly(*struct.unpack(">i", head))
                writer.write(head + answer.replace(theirs, ours))
                await writer.drain()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def a_way(address: str) -> AsyncIterator[Way]:
    """An open way to `host:port`."""
    host, _, port = address.rpartition(":")
    way = Way(host=host, port=int(port))
    await way.open()
    try:
        yield way
    finally:
        await way.cut()
