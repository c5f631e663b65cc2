"""A play gives the same events, byte for byte, whether its folds go on or begin anew every time."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from cli.play.offline import TERMS, Installation, read_book
from cli.play.scenario import Scenario, read_scenario
from libs.events.corrections import corrected
from libs.events.envelope import Event, Recorded
from libs.events.folding import Fold
from libs.events.vocabulary.billing import AccountEvent, AccountOpened
from libs.events.vocabulary.contracts import ContractApplied
from libs.events.wire import dump
from services.billing.domain.account import AccountState, Unopened, evolve, fold_account
from services.contracts.domain import contract
from services.contracts.domain.contract import Contract, Unknown
from services.contracts.domain.facts import facts_of, life_of

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.json"))
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}")
"""An id, or the hash of a document, which covers ids."""


def from_the_first(fold: Fold[Any, Any], items: Iterable[Any], *, keep: bool = True) -> Any:
    """The fold as it is without anything kept."""
    assert keep in {True, False}
    return reduce(fold._evolve, items, fold._begin)  # noqa: SLF001 - the same fold, bare


def scenario_of(path: Path) -> Scenario:
    return read_scenario(json.loads(path.read_text("utf-8")))


async def played(path: Path) -> Installation:
    scenario = scenario_of(path)
    installation = Installation(scenario, read_book(scenario.service, folder=TERMS))
    await installation.play()
    return installation


async def recorded_by(played: Installation) -> list[Recorded[Event]]:
    case = played.case
    return [
        recorded
        for log in (case.contracts, case.sites, case.billing.log)
        for recorded in await log.read(0, limit=10_000)
    ]


def said(events: Sequence[Recorded[Event]]) -> list[str]:
    """The events as JSON with their times; ids and hashes are numbered by their first mention."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"id {len(numbers)}")

    return [
        _ID.sub(
            number,
            f"{each.envelope.event_id} {each.envelope.stream_id} {each.envelope.version} "
            f"{each.envelope.recorded_at} {each.event.type} {dump(each.event).decode()}",
        )
        for each in events
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_every_command_of_a_case_gives_the_same_events(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = said(await recorded_by(await played(path)))
    with monkeypatch.context() as patched:
        patched.setattr(Fold, "state", from_the_first)
        assert said(await recorded_by(await played(path))) == going_on


def streams(events: Sequence[Recorded[Event]]) -> list[list[Recorded[Event]]]:
    found: dict[tuple[str, UUID], list[Recorded[Event]]] = {}
    for each in events:
        found.setdefault((each.envelope.context, each.envelope.stream_id), []).append(each)
    return list(found.values())


def shuffled(many: int) -> list[int]:
    """All lengths up to `many`, not in order, so that what is kept does not always fit."""
    return sorted(range(many + 1), key=lambda length: (length * 7 % 5, -length))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_every_prefix_of_a_stream_in_any_order_folds_to_the_same(path: Path) -> None:
    folded = 0
    for history in streams(await recorded_by(await played(path))):
        for length in shuffled(len(history)):
            before = history[:length]
            if isinstance(history[0].event, AccountOpened):
                events = cast("list[AccountEvent]", [each.event for each in before])
                state: AccountState = Unopened()
                assert fold_account(events) == reduce(evolve, events, state)
            elif isinstance(history[0].event, ContractApplied):
                facts = facts_of(before)
                now: Contract = Unknown()
                assert [fact.event for fact in facts] == [each.event for each in corrected(before)]
                for fact in facts:
                    now = contract.evolve(now, fact.event)
                assert life_of(facts).now == now
            folded += 1
    assert folded > 0
