"""A way to a PostgreSQL server, by TCP or a socket, that a test can cut and mend."""

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

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._connect()
        self._streams += [writer, far_writer]
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

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
        way.cut()
