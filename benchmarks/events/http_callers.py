"""Callers of an API over HTTP/1.1, each on a connection of its own; as cheap as Python makes it."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.measure import thinned
from benchmarks.resident import Answer

_MOST_WAITS = 5_000
_LENGTH = b"content-length: "


class Refused(Exception):
    """The API did not answer 201."""


async def call(
    addresses: Sequence[tuple[str, int]], *, callers: int, events: int, seconds: float
) -> Answer:
    """Have so many callers, spread over the addresses, each post after the answer to its last."""
    ways = [
        await asyncio.open_connection(*addresses[number % len(addresses)])
        for number in range(callers)
    ]
    request = (
        f"POST /contracts?events={events} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"
    )
    began = time.perf_counter()
    calls = (_call(*way, request=request.encode(), until=began + seconds) for way in ways)
    waits = [wait for of_one in await asyncio.gather(*calls) for wait in of_one]
    took = time.perf_counter() - began
    for _, writer in ways:
        writer.close()
    return {
        "events": len(waits) * events,
        "seconds": took,
        "waits": thinned(waits, most=_MOST_WAITS),
    }


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, request: bytes, until: float
) -> list[float]:
    waits = []
    while (before := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
            raise Refused(head.split(b"\r\n", 1)[0].decode())
        _, _, rest = head.lower().partition(_LENGTH)
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        waits.append(time.perf_counter() - before)
    return waits
