"""What would come of a customer's wish to end on a day: the commands' own decisions, unrecorded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from libs.dates.business_days import business_days_before
from libs.events.vocabulary.contracts import (
    Cancellation,
    ContractTerminated,
    TerminationRequested,
)
from services.contracts.domain.applications import Events
from services.contracts.domain.cancelling import CancellationNotice, cancel
from services.contracts.domain.changes import facts_with
from services.contracts.domain.contract import Ended
from services.contracts.domain.ending import (
    confirm_termination,
    request_termination,
    terminate_by_customer,
)
from services.contracts.domain.facts import Life, life_of
from services.contracts.domain.periods import months_later
from services.contracts.domain.terms import ContractTerms, CustomerTermination

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndWish:
    """A customer asks on `requested_on` for an end on `on`; amounts are yen before tax.

    `confirmed_on` is the day on which the operator would be done checking, where the terms ask for
    that. The amounts are what the operator would set where a cancellation costs something.
    """

    on: date
    requested_on: date
    confirmed_on: date
    option: str | None = None
    fee: int = 0
    damage: int = 0
    loss: int = 0
    penalty_due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedInTime:
    """The last day on which the end could be asked for as the terms want it, and what is missed.

    `earliest_on` is the first end that could still be asked for in time on the day of the request.
    """

    ask_by_on: date
    missed: bool
    earliest_on: date
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenEnd:
    """What the commands would record, and the date that results, as the terms use the word.

    `terminated` is None where only an option ends, or while the end waits for a payment.
    """

    events: Events
    ends_on: date
    clauses: tuple[str, ...]
    terminated: ContractTerminated | None
    cancellation: Cancellation | None
    asked: AskedInTime | None


def foresee_end(
    life: Life,
    *,
    wish: EndWish,
    terms_at: Callable[[date], ContractTerms],
    ends_at_latest: date | None,
) -> ForeseenEnd:
    """Take the decisions that the commands would take, one after the other; nothing is recorded.

    Raises what the commands would be refused with.

    Clauses: NSEC-11.1, NQMS-20.1b, WUTM-21.1, WUTM-21.2.1, WUTM-21.2.2, WSRV-21.2a, WSRV-21.2b,
    RRNS-10.1.S1.
    """
    terms = terms_at(wish.requested_on)
    rule = terms.termination_by_customer
    match rule.way:
        case "by-form":
            events = terminate_by_customer(
                life,
                terminated_on=wish.on,
                received_on=wish.requested_on,
                terms=terms,
                penalty_due_on=wish.penalty_due_on,
            )
        case "on-request":
            events = _requested_and_confirmed(
                life, wish=wish, terms_at=terms_at, ends_at_latest=ends_at_latest
            )
        case "by-notice":
            events = cancel(life, notice=_notice(wish), terms=terms)
        case _:
            assert_never(rule.way)
    terminated, cancellation = _ends(life, events=events)
    asked = asked_in_time(wish.on, requested_on=wish.requested_on, rule=rule)
    if cancellation is not None and cancellation.clause != rule.clause:
        asked = None  # something else stands in for the time of notice
    end = cancellation or terminated
    assert end is not None  # the decisions end the contract or refuse
    ends_on = end.ends_on if isinstance(end, Cancellation) else end.terminated_on
    return ForeseenEnd(
        events=events,
        ends_on=ends_on,
        clauses=tuple(dict.fromkeys(each.clause for each in (end, asked) if each is not None)),
        terminated=terminated,
        cancellation=cancellation,
        asked=asked,
    )


def asked_in_time(
    desired_on: date, *, requested_on: date, rule: CustomerTermination
) -> AskedInTime | None:
    """Until when an end has to be asked for by the terms; None where they set no time.

    A request that comes later is not refused: the decision says which day results.

    Clauses: WUTM-21.1, RRNS-10.1.S1.
    """
    if rule.ahead is None and not rule.notice_months:
        return None
    clause = rule.clause if rule.ahead is None else rule.ahead.clause
    ask_by_on = _ask_by(desired_on, rule=rule)
    earliest_on = next(
        on for on in _days_from(requested_on) if _ask_by(on, rule=rule) >= requested_on
    )
    return AskedInTime(
        ask_by_on=ask_by_on,
        missed=requested_on > ask_by_on,
        earliest_on=earliest_on,
        clause=clause,
    )


def _ask_by(desired_on: date, *, rule: CustomerTermination) -> date:
    if rule.ahead is not None:
        return business_days_before(desired_on, rule.ahead.business_days, week=rule.week)
    return next(
        on
        for on in _days_from(desired_on, step=-_DAY)
        if months_later(on, months=rule.notice_months) <= desired_on
    )


def _days_from(on: date, *, step: timedelta = _DAY) -> Iterator[date]:
    while True:
        yield on
        on += step


def _requested_and_confirmed(
    life: Life,
    *,
    wish: EndWish,
    terms_at: Callable[[date], ContractTerms],
    ends_at_latest: date | None,
) -> Events:
    requested = request_termination(
        life,
        requested_on=wish.requested_on,
        desired_on=wish.on,
        terms=terms_at(wish.requested_on),
        ends_at_latest=ends_at_latest,
    )
    confirmed = confirm_termination(
        life_of(facts_with(life, requested)),
        confirmed_on=wish.confirmed_on,
        terms_at=terms_at,
        ends_at_latest=ends_at_latest,
    )
    return (*requested, *confirmed)


def _notice(wish: EndWish) -> CancellationNotice:
    return CancellationNotice(
        requested_on=wish.requested_on,
        desired_on=wish.on,
        fee=wish.fee,
        damage=wish.damage,
        loss=wish.loss,
        option=wish.option,
    )


def _ends(life: Life, *, events: Events) -> tuple[ContractTerminated | None, Cancellation | None]:
    """The end and the cancellation among these events; what is recorded where they are none."""
    terminated = next((e for e in events if isinstance(e, ContractTerminated)), None)
    if not events and isinstance(life.now, Ended):
        terminated = life.now.end
    told = events or tuple(fact.event for fact in life.facts)
    requests = [each for each in told if isinstance(each, TerminationRequested)]
    return terminated, requests[-1].cancellation if requests else None
