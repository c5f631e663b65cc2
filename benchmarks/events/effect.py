"""Effect: from a command over HTTP to the event it leads to in another context's database."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import orjson

from benchmarks import servers
from benchmarks.measure import Part, Target, percentile
from benchmarks.resident import Resident
from cli.progress import say
from libs.events.topics import create_topics

_TOPIC = "contracts"
_WARM = 20
_BETWEEN_SECONDS = 0.02
_PATIENCE_SECONDS = 30
# Heard when the effect's transaction has committed, and not before.
_TELL = """
CREATE FUNCTION tell_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bench_effect', NEW.stream_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_effect AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION tell_effect()
"""
_REQUEST = b"POST /contracts?events=1 HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"


async def measure(*, quick: bool) -> Part:
    """Give one command after the other and wait for each one's effect."""
    commands = 150 if quick else 500
    async with AsyncExitStack() as stack:
        server = stack.enter_context(servers.postgres("effect"))
        bootstrap = stack.enter_context(servers.kafka())
        source = await stack.enter_async_context(servers.database(server, context="contracts"))
        target = await stack.enter_async_context(servers.database(server, context="billing"))
        await create_topics([_TOPIC], bootstrap=bootstrap)
        listening = await asyncpg.connect(target)
        stack.push_async_callback(listening.close)
        await listening.execute(_TELL)

        async def start(module: str, *arguments: str) -> Resident:
            resident = await Resident.of_ours(f"benchmarks.events.{module}", *arguments)
            stack.push_async_callback(resident.close)
            return resident

        api = await start("api_resident", source)
        for role, dsn in (("relay", source), ("react", target)):
            worker = await start("way_resident", role, dsn, bootstrap, _TOPIC)
            await worker.ask("well")
        found = await api.ask("address")
        say(f"effect: {commands} commands, one after the other")
        answered, effective = await _command(
            listening, (found["host"], found["port"]), commands=commands + _WARM
        )
    times = {"answered": answered[_WARM:], "effective elsewhere": effective[_WARM:]}
    return Part(
        name="effect",
        title="Effect: from a command to its effect in another service, unloaded",
        notes=(
            f"{commands} commands one after the other, {_BETWEEN_SECONDS * 1000:.0f} ms between them;",
            "  processes: an API (uvicorn, FastAPI), a relay, a reader that decides and appends to",
            "  a log in another database; a real PostgreSQL and a real broker",
            "answered: the API's answer, durable; effective: the other context's event is committed",
        ),
        columns=("until", "p50 ms", "p99 ms", "longest ms"),
        rows=tuple(
            (what, *(percentile(waits, percent=p) * 1000 for p in (50, 99, 100)))
            for what, waits in times.items()
        ),
        targets=(
            Target(
                what="command to effect in another service, p99 ms",
                measured=percentile(effective[_WARM:], percent=99) * 1000,
                bound="at most",
                limit=50,
            ),
        ),
    )


async def _command(
    listening: "asyncpg.Connection[asyncpg.Record]", address: tuple[str, int], *, commands: int
) -> tuple[list[float], list[float]]:
    """Seconds until each command's answer and until its effect."""
    heard: dict[UUID, float] = {}
    news = asyncio.Event()

    def hear(_connection: object, _pid: int, _channel: str, stream_id: object) -> None:
        heard[UUID(str(stream_id))] = time.perf_counter()
        news.set()

    await listening.add_listener("bench_effect", hear)
    reader, writer = await asyncio.open_connection(*address)
    answered, effective = [], []
    for _ in range(commands):
        began = time.perf_counter()
        writer.write(_REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        body = await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
        answered.append(time.perf_counter() - began)
        contract_id = UUID(orjson.loads(body)["contract_id"])
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while contract_id not in heard:
                news.clear()
                await news.wait()
        effective.append(heard[contract_id] - began)
        await asyncio.sleep(_BETWEEN_SECONDS)
    writer.close()
    return answered, effective
