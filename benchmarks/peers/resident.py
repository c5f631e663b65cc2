"""Callers as threads, and orders by lines of JSON; what both peers share.

Runs in an environment of its own, so it uses the standard library alone.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_LOOK_SECONDS = 0.02
_MOST_WAITS = 5000

Append = Callable[[int, int], None]
Read = Callable[[int, int], list[int]]


def callers(append: Append, *, callers: int, events: int, seconds: float) -> dict[str, Any]:
    """Have so many threads append, each after the answer to its last; `append(events, turn)`."""
    waits: list[list[float]] = [[] for _ in range(callers)]
    failures: list[BaseException] = []
    gate = threading.Barrier(callers + 1)

    def call(own: list[float]) -> None:
        gate.wait()
        until = time.perf_counter() + seconds
        try:
            while (before := time.perf_counter()) < until:
                append(events, len(own))
                own.append(time.perf_counter() - before)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            failures.append(error)

    threads = [threading.Thread(target=call, args=(own,)) for own in waits]
    for thread in threads:
        thread.start()
    cpu = time.process_time()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failures:
        raise failures[0]
    every = sorted(wait for own in waits for wait in own)
    step = max(1, len(every) // _MOST_WAITS)
    return {
        "events": len(every) * events,
        "seconds": took,
        "cpu": time.process_time() - cpu,
        "waits": every[step - 1 :: step],
    }


class Follower:
    """Reads by position only, from the head at `begin` on, and counts; nothing is read twice."""

    def __init__(self, *, head: Callable[[], int], read: Read) -> None:
        self._head = head
        self._read = read
        self._stop = threading.Event()
        self._seen = 0
        self._thread: threading.Thread | None = None

    def begin(self) -> dict[str, Any]:
        """Begin to follow."""
        self._stop.clear()
        self._seen = 0
        self._thread = threading.Thread(target=self._follow, args=(self._head(),))
        self._thread.start()
        return {}

    def end(self) -> dict[str, Any]:
        """Read to the end; how many were seen."""
        assert self._thread is not None
        self._stop.set()
        self._thread.join()
        return {"seen": self._seen}

    def _follow(self, last: int) -> None:
        while True:
            ending = self._stop.is_set()
            positions = self._read(last, 5000)
            if positions:
                last = positions[-1]
                self._seen += len(positions)
            elif ending:
                return
            else:
                time.sleep(_LOOK_SECONDS)


def serve(**handlers: Callable[..., dict[str, Any]]) -> None:
    """Carry out orders until standard input ends."""
    _say({"ready": True})
    for line in sys.stdin:
        details = json.loads(line)
        _say(handlers[details.pop("order")](**details))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
