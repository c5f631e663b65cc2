"""Microseconds an assessment, from the packed timeline to the lines of a billing month."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Part, Target
from benchmarks.rules.scenarios import Cases
from cli.play.offline import TERMS, Installation, read_book
from cli.play.plan import last_of_calendar_month
from cli.play.scenario import Scenario, Settings
from services.billing.domain.assessment import BillingMonth, assess, billing_months
from services.billing.domain.terms import BillingTerms
from services.billing.domain.timeline import Timeline, pack, unpack

MOST_MICROSECONDS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A contract as a run finds it, with the billing months that have a charge."""

    packed: bytes
    months: tuple[BillingMonth, ...]
    terms: BillingTerms


def assess_months(cases: Cases, *, seconds: float) -> Part:
    """Unpack and assess every charged month of the cases, over and over for about `seconds`.

    Plain is the contract with the shortest timeline of its service; unpacking alone is timed
    beside it, as the least that any rule would cost.
    """
    rows: list[tuple[str | int | float, ...]] = []
    plain_of: dict[str, float] = {}
    share = seconds / len(cases) / 3
    for service, scenarios in sorted(cases.items()):
        subjects = [s for s in map(_subject, scenarios) if s is not None and s.months]
        plain = min(subjects, key=lambda subject: len(subject.packed))
        unpacked = _microseconds(_unpack, [plain], seconds=share)
        plain_of[service] = _microseconds(_assess, [plain], seconds=share)
        every = _microseconds(_assess, subjects, seconds=share)
        rows.append((service, len(plain.packed), unpacked, plain_of[service], every))
    return Part(
        name="assessments",
        title="Assessments of one contract and billing month, from the packed timeline",
        notes=("microseconds of processor time, unpacking counted in",),
        columns=("service", "bytes", "unpacking", "plain", "all cases"),
        rows=tuple(rows),
        targets=tuple(
            Target(
                what=f"{service}: microseconds an assessment of a plain contract-month",
                measured=found,
                bound="at most",
                limit=MOST_MICROSECONDS,
            )
            for service, found in plain_of.items()
        ),
    )


def _subject(scenario: Scenario) -> _Subject | None:
    timeline = asyncio.run(_timeline(scenario))
    if timeline is None:
        return None
    terms = read_book(scenario.service, folder=TERMS).billing(Settings()).of(scenario.service)
    months = billing_months(timeline, until=last_of_calendar_month(scenario.through), terms=terms)
    return _Subject(
        packed=pack(timeline),
        months=tuple(m for m in months if assess(timeline, month=m, terms=terms).lines),
        terms=terms,
    )


async def _timeline(scenario: Scenario) -> Timeline | None:
    installation = Installation(scenario, read_book(scenario.service, folder=TERMS))
    await installation.play()
    return await installation.timeline()


def _assess(subject: _Subject) -> None:
    for month in subject.months:
        assess(unpack(subject.packed), month=month, terms=subject.terms)


def _unpack(subject: _Subject) -> None:
    for _ in subject.months:
        unpack(subject.packed)


def _microseconds(
    work: Callable[[_Subject], None], subjects: Sequence[_Subject], *, seconds: float
) -> float:
    """The least of a round's microseconds a month: other work only ever adds."""
    months = sum(len(subject.months) for subject in subjects)
    rounds: list[float] = []
    while sum(rounds) < seconds or not rounds:
        before = time.process_time()
        for _ in range(_ROUND):
            for subject in subjects:
                work(subject)
        rounds.append(time.process_time() - before)
    return min(rounds) / _ROUND / months * 1e6


_ROUND = 50
