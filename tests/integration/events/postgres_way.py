"""A way to a PostgreSQL server, by TCP or a socket, that a test can cut, hold up and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class PostgresWay:
    """Passes bytes between a port of ours and the server of a DSN while open."""

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._streams: list[asyncio.StreamWriter] = []
        self._port = 0
        self._marker: bytes | None = None
        self._held = asyncio.Event()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def dsn(self) -> str:
        """The same database by this way."""
        user = self._parts.netloc.rpartition("@")[0]
        return self._parts._replace(netloc=f"{user}@127.0.0.1:{self._port}", query="").geturl()

    async def open(self) -> None:
        """Let connections through, always on the same port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()

    def hold_at(self, marker: bytes) -> None:
        """From the message to the server on that holds this, let nothing through; say nothing."""
        self._marker = marker
        self._held.clear()

    async def held(self) -> None:
        """Return when something is held up."""
        await self._held.wait()

    def let_go(self) -> None:
        """Let through what is held up, and what follows."""
        self._marker = None
        self._flows.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        self._streams += [writer, far_writer]
        await asyncio.gather(self._ask(reader, far_writer), _copy(far_reader, writer))

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._marker is not None and self._marker in data:
                    self._flows.clear()
                    self._held.set()
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if folder := parse_qs(self._parts.query).get("host"):
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.5432")
        host, port = self._parts.hostname or "127.0.0.1", self._parts.port or 5432
        return await asyncio.open_connection(host, port)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def a_postgres_way(dsn: str) -> AsyncIterator[PostgresWay]:
    """An open way to the database of a DSN."""
    way = PostgresWay(dsn)
    await way.open()
    try:
        yield way
    finally:
        way.let_go()
        way.cut()
