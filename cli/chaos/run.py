"""A run of chaos: everything started, loaded and struck, healed, at rest, and counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.chaos.callers import Calls, a_client
from cli.chaos.count import count
from cli.chaos.evidence import gather_evidence
from cli.chaos.faults import Faults
from cli.chaos.ground import CHAOS, Ground
from cli.chaos.journal import Journal, read_journal
from cli.chaos.lives import lead_lives
from cli.chaos.outcome import Outcome
from cli.chaos.rest import wait_for_rest
from cli.chaos.schedule import SERVICES, schedule
from cli.keys import signing_key
from cli.tokens import mint

_TELL_SECONDS = 10.0
_ANSWER_SECONDS = 120.0
_REST_SECONDS = 180.0
_TOKEN_LASTS = timedelta(days=1)

Tell = Callable[[str], None]


class Unanswered(Exception):
    """Long after everything was healed some commands have no answer; the text says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to. `faults` says what was done, `ended` which processes ended unasked."""

    seed: int
    seconds: float
    faults: tuple[str, ...]
    ended: tuple[str, ...]
    repeats: int
    journal: Path
    outcome: Outcome


async def run_chaos(ground: Ground, *, seed: int, seconds: float, tell: Tell) -> Ran:
    """Load and strike a running ground for so long, then count.

    Raises `Unanswered` and `NeverAtRest` where the healed system does not come to its end.
    """
    faults = Faults(ground, tell=tell)
    path = journal_path(ground, seed=seed)
    with Journal(path) as journal:
        async with a_client() as client:
            calls = Calls(
                client=client,
                addresses=ground.addresses,
                token=_token(ground),
                journal=journal,
                began_at=asyncio.get_running_loop().time(),
            )
            lives = asyncio.ensure_future(lead_lives(calls, seed=seed))
            telling = asyncio.ensure_future(_tell_now_and_then(calls, tell))
            try:
                await _at_work(lives, faults.run(schedule(seed, seconds=seconds)))
                await _at_work(lives, asyncio.sleep(calls.began_at + seconds - _now()))
                tell("all is healed; callers finish what they have in hand")
                calls.over.set()
                await _ended(lives)
            finally:
                for task in (lives, telling):
                    task.cancel()
                await asyncio.gather(lives, telling, return_exceptions=True)
    tell("waiting for rest")
    await wait_for_rest(_dsns(ground), seconds=_REST_SECONDS, tell=tell)
    tell("at rest; counting")
    outcome = await count_again(ground, seed=seed)
    outcome.wrong("answers that no weather explains", calls.mistakes)
    return Ran(
        seed=seed,
        seconds=seconds,
        faults=tuple(faults.done),
        ended=tuple(ground.ended),
        repeats=calls.repeats,
        journal=path,
        outcome=outcome,
    )


async def count_again(ground: Ground, *, seed: int) -> Outcome:
    """Count what a run left, from its journal, the databases and the topics."""
    evidence = await gather_evidence(
        read_journal(journal_path(ground, seed=seed)),
        dsns=_dsns(ground),
        topics={service: f"{CHAOS.topic_prefix}{service}" for service in SERVICES},
        bootstrap=ground.bootstrap,
        mails=ground.mails,
    )
    return count(evidence)


def journal_path(ground: Ground, *, seed: int) -> Path:
    """Where the answers of a run are kept."""
    return ground.state.folder / f"journal-{seed}.jsonl"


async def _at_work(lives: "asyncio.Future[None]", work: Awaitable[None]) -> None:
    """Wait for the work; raise what ends the callers before."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((lives, task), return_when=asyncio.FIRST_COMPLETED)
        if lives.done():
            await lives
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _ended(lives: "asyncio.Future[None]") -> None:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await lives
    except TimeoutError as error:
        raise Unanswered(f"commands without an answer {_ANSWER_SECONDS:.0f} s after") from error


async def _tell_now_and_then(calls: Calls, tell: Tell) -> None:
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        entries = calls.journal.entries
        good = sum(entry.outcome == "acknowledged" for entry in entries)
        refused = len(entries) - good
        tell(
            f"{_now() - calls.began_at:6.1f} s  {good} commands acknowledged, "
            f"{refused} refused, {calls.repeats} attempts repeated"
        )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _dsns(ground: Ground) -> Mapping[str, str]:
    return {service: ground.dsn(service) for service in SERVICES}


def _token(ground: Ground) -> str:
    return mint(
        signing_key(ground.state),
        subject="chaos",
        scopes=["operator"],
        now=datetime.now(UTC),
        lasting=_TOKEN_LASTS,
    )
