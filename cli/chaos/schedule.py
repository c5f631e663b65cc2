"""What is done to the system, and when: made from a seed, and from nothing else."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

SERVICES = ("contracts", "billing", "monitoring", "notifications")
_FIRST_SECONDS = 2.0
_GAP_SECONDS = (4.0, 8.0)
# Kafka gives up a consumer that says nothing for 10 s; a relay gives up a send after 10 s.
_PAUSED_SECONDS = (12.0, 16.0)
_SILENT_SECONDS = (6.0, 14.0)
_DOWN_SECONDS = (0.2, 3.0)


class Victim(StrEnum):
    """To whom it is done."""

    API = "API"
    WORKER = "worker"
    LEADER = "relay leader"
    CONSUMER = "consumer in mid-batch"
    BROKER = "broker"
    DATABASE = "database"


class Harm(StrEnum):
    """What is done. Whatever it is, it is healed after the fault's time."""

    KILL = "kill -9"
    PAUSE = "SIGSTOP"
    RESTART = "restart"
    CUT = "cut"
    HALF_OPEN = "half-open"


_SECONDS = {
    Harm.KILL: _DOWN_SECONDS,
    Harm.PAUSE: _PAUSED_SECONDS,
    Harm.RESTART: _DOWN_SECONDS,
    Harm.CUT: _DOWN_SECONDS,
    Harm.HALF_OPEN: _SILENT_SECONDS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, `at_seconds` after the first command, healed after `seconds`.

    `service` says whose process it is where the victim is one. `draw` (0 included to 1 excluded)
    chooses where there is still a choice: among a service's workers, and whether connections that
    went silent speak again (below a half) or never do.
    """

    at_seconds: float
    victim: Victim
    harm: Harm
    service: str
    seconds: float
    draw: float


def schedule(seed: int, *, seconds: float) -> tuple[Fault, ...]:
    """The faults that begin before `seconds`, in order.

    Every six in a row are of six victims; every thirty have each victim with each harm.
    """
    chance = random.Random(seed)  # noqa: S311 - chooses faults, guards nothing
    faults = []
    at_seconds = _FIRST_SECONDS
    for victim, harm in _pairs(chance):
        if at_seconds >= seconds:
            break
        faults.append(
            Fault(
                at_seconds=at_seconds,
                victim=victim,
                harm=harm,
                service=chance.choice(SERVICES),
                seconds=chance.uniform(*_SECONDS[harm]),
                draw=chance.random(),
            )
        )
        at_seconds += chance.uniform(*_GAP_SECONDS)
    return tuple(faults)


def _pairs(chance: random.Random) -> Iterator[tuple[Victim, Harm]]:
    """Rounds over all victims, each with a harm it has not had in this deck."""
    decks: dict[Victim, list[Harm]] = {}
    for turn in count():
        if turn % len(Harm) == 0:
            decks = {victim: chance.sample(list(Harm), len(Harm)) for victim in Victim}
        for victim in chance.sample(list(Victim), len(Victim)):
            yield victim, decks[victim][turn % len(Harm)]
