"""Processes that a benchmark starts once and gives orders to: a line of JSON in, a line out."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson

Answer = dict[str, Any]
Handle = Callable[..., Awaitable[Answer]]

_ANSWER_SECONDS = 180.0
_END_SECONDS = 15.0
_LONGEST_LINE = 16 * 1024 * 1024


class ResidentFailed(Exception):
    """A process of the benchmark ended or said nothing; its errors stand above."""


class Resident:
    """A process that was started, until `close`."""

    def __init__(self, process: asyncio.subprocess.Process, *, name: str) -> None:
        self._process = process
        self._name = name

    @classmethod
    async def start(cls, *command: str, name: str) -> "Resident":
        """Start it and wait until it says that it is ready."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        resident = cls(process, name=name)
        try:
            await resident._hear()
        except BaseException:
            await resident.close()
            raise
        return resident

    @classmethod
    async def of_ours(cls, module: str, *arguments: str) -> "Resident":
        """Start a module of this project in this environment."""
        return await cls.start(sys.executable, "-m", module, *arguments, name=module)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def ask(self, order: str, **details: Any) -> Answer:
        """Give an order and wait for what came of it; raises `ResidentFailed`."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"order": order, **details}) + b"\n")
        return await self._hear()

    async def close(self) -> None:
        """Let it end by itself, or end it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _hear(self) -> Answer:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise ResidentFailed(f"{self._name} does not answer") from error
        if not line:
            raise ResidentFailed(f"{self._name} ended")
        answer: Answer = orjson.loads(line)
        return answer


async def serve(**handlers: Handle) -> None:
    """Carry out orders from standard input until it ends; what runs in a resident process."""
    loop = asyncio.get_running_loop()
    _say({"ready": True})
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        details = orjson.loads(line)
        _say(await handlers[details.pop("order")](**details))


async def ask_all(residents: Sequence[Resident], order: str, **details: Any) -> list[Answer]:
    """Give all the same order at once."""
    return list(await asyncio.gather(*(each.ask(order, **details) for each in residents)))


def _say(answer: Answer) -> None:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()
