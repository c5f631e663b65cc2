"""What a worker says of itself by HTTP: whether it is well, and in a sentence why not."""

import asyncio
import socket

import httpx2

from libs.events.weather import NotWell
from libs.process.running import side_by_side
from libs.web.app import make_worker_app
from libs.web.server import beside


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def well() -> None:
    return None


async def in_trouble() -> None:
    raise NotWell("facts: contracts/3 goes on with sequence 7 where 5 should be")


async def away() -> None:
    raise ConnectionRefusedError


async def test_a_worker_in_trouble_says_in_a_sentence_what_stands_in_its_way() -> None:
    app = make_worker_app(
        "trial-worker", ready={"database": away, "reader facts": in_trouble, "view books": well}
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://worker") as client:
        live = await client.get("/health/live")
        ready = await client.get("/health/ready")
    assert live.status_code == 200
    assert (ready.status_code, ready.json()) == (
        503,
        {
            "database": False,
            "reader facts": "facts: contracts/3 goes on with sequence 7 where 5 should be",
            "view books": True,
        },
    )


async def test_a_worker_answers_beside_its_work_and_ends_with_it() -> None:
    port, ended = a_free_port(), asyncio.Event()
    app = make_worker_app("trial-worker", ready={"database": well}, metrics=lambda: "sent 1\n")
    stop = asyncio.Event()

    async def works(told: asyncio.Event) -> None:
        await told.wait()
        ended.set()

    working = asyncio.ensure_future(side_by_side(works, beside(app, port=port), stop=stop))
    transport = httpx2.AsyncHTTPTransport(retries=10)
    async with httpx2.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{port}"
    ) as client:
        ready = await client.get("/health/ready")
        metrics = await client.get("/metrics")
    stop.set()
    await working
    assert (ready.status_code, ready.json(), metrics.text) == (200, {"database": True}, "sent 1\n")
    assert ended.is_set()
