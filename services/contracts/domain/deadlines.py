"""Deadlines of a contract: what follows by itself, and when."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, assert_never

from libs.dates.japan import japan_date, japan_instant
from libs.events.vocabulary.contracts import ContractResumed
from services.contracts.domain.applications import Events
from services.contracts.domain.cancelling import lapse, lapses_on
from services.contracts.domain.contract import InForce, application_of, ended_on, living_of
from services.contracts.domain.ending import reach_maximum_period
from services.contracts.domain.facts import Life, content_on
from services.contracts.domain.periods import maximum_period_last_day
from services.contracts.domain.terms import Terms

Kind = Literal["maximum-period", "suspension-limit", "cancellation-lapse"]


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """Something follows by itself at an instant; deadlines of a day come at its 00:00."""

    due_at: datetime
    kind: Kind


def next_deadlines(life: Life, *, terms: Terms) -> tuple[Deadline, ...]:
    """The deadlines a contract waits for, earliest first; none after its end."""
    end = ended_on(life.now)
    due = [
        Deadline(japan_instant(on), kind)
        for on, kind in _dues(life, terms=terms)
        if end is None or on < end
    ]
    return tuple(sorted(due))


def run_deadline(life: Life, *, deadline: Deadline, terms: Terms) -> Events:
    """What follows when a deadline comes; it takes effect at the deadline, not at the run.

    One that is no longer waited for changes nothing.

    Clauses: WUTM-8.2, WUTM-18.1, WSRV-8b, WSRV-18.1.0, RRNS-10.2.
    """
    if deadline not in next_deadlines(life, terms=terms):
        return ()
    application = application_of(life.now)
    assert application is not None  # a deadline rests on a contract
    on = japan_date(deadline.due_at)
    match deadline.kind:
        case "maximum-period":
            return reach_maximum_period(
                life, ends_on=on, terms=terms.at(application.service, _started(life))
            )
        case "suspension-limit":
            return (ContractResumed(contract_id=application.contract_id, resumed_on=on),)
        case "cancellation-lapse":
            return lapse(life, lapsed_on=on)
        case _:
            assert_never(deadline.kind)


def last_day(life: Life, *, terms: Terms) -> date | None:
    """The last day of the maximum period; None before the start, or where there is none.

    Clauses: WUTM-8.1, WSRV-8a.
    """
    living = living_of(life.now)
    if not isinstance(living, InForce):
        return None
    rules = terms.at(living.application.service, living.started_on).maximum_period
    device = content_on(life.facts, living.started_on).device
    if rules is None or device is None:
        return None
    return maximum_period_last_day(living.started_on, device=device, terms=rules)


def ends_at_latest(life: Life, *, terms: Terms) -> date | None:
    """The first day on which the contract can no longer run; None where nothing limits it."""
    last = last_day(life, terms=terms)
    return None if last is None else last + timedelta(days=1)


def _dues(life: Life, *, terms: Terms) -> list[tuple[date, Kind]]:
    dues: list[tuple[date, Kind]] = []
    latest = ends_at_latest(life, terms=terms)
    if latest is not None:
        dues.append((latest, "maximum-period"))
    living = living_of(life.now)
    if isinstance(living, InForce) and living.suspended is not None:
        until_on = living.suspended.suspended.until_on
        if until_on is not None:
            dues.append((until_on, "suspension-limit"))
    lapsed_on = lapses_on(life)
    if lapsed_on is not None:
        dues.append((lapsed_on, "cancellation-lapse"))
    return dues


def _started(life: Life) -> date:
    living = living_of(life.now)
    assert isinstance(living, InForce)  # the period counts from the start
    return living.started_on
