"""How a contract ends: by the customer, the operator, its line, its period, the service's end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from libs.dates.business_days import business_days_after
from libs.events.vocabulary.contracts import (
    Actor,
    ContractTerminated,
    LineContractEnded,
    LineConverted,
    TerminationRequested,
)
from services.contracts.domain.applications import Events, application_id, living_on
from services.contracts.domain.contract import Ended, InForce, Living
from services.contracts.domain.facts import Life
from services.contracts.domain.refusals import (
    AlreadyEnded,
    BeyondMaximumPeriod,
    NoRequest,
    NotAGround,
    NoticeMissing,
    NotOfThisService,
    TooEarly,
)
from services.contracts.domain.terms import ContractTerms, CustomerTermination
from services.contracts.domain.use import Notice

Cause = Literal["customer", "provider", "line", "maximum_period", "abolition", "antisocial"]
LineEnd = Literal["termination", "relocation", "conversion", "provider_change"]


def terminate_by_customer(
    life: Life,
    *,
    terminated_on: date,
    received_on: date,
    terms: ContractTerms,
    penalty_due_on: date | None = None,
) -> Events:
    """End the contract on the day the customer's form states, not before the form's receipt.

    The day of receipt itself is allowed: the form precedes the end on it.

    Clauses: NSEC-11.1.
    """
    rule = terms.termination_by_customer
    if rule.way != "by-form":
        raise NotOfThisService("a customer's termination is requested first", clause=rule.clause)
    if terminated_on < received_on:
        raise TooEarly(
            f"the form was received on {received_on}", clause=rule.clause, field="/terminated_on"
        )
    return _end(
        life,
        on=terminated_on,
        by="customer",
        cause="customer",
        clause=rule.clause,
        penalty_due_on=penalty_due_on,
    )


def request_termination(
    life: Life,
    *,
    requested_on: date,
    desired_on: date,
    terms: ContractTerms,
    ends_at_latest: date | None,
) -> Events:
    """Note the customer's wish to end on a day; it waits for confirmation, however late it comes.

    Clauses: WUTM-21.1, WUTM-8.2 (no date beyond the maximum period).
    """
    rule = terms.termination_by_customer
    if rule.way != "on-request":
        raise NotOfThisService("a customer's termination needs no request", clause=rule.clause)
    living = living_on(life, requested_on, clause=rule.clause)
    _within_period(desired_on, ends_at_latest=ends_at_latest, terms=terms)
    requested = TerminationRequested(
        contract_id=application_id(living), requested_on=requested_on, desired_on=desired_on
    )
    return () if _request(living) == requested else (requested,)


def confirm_termination(
    life: Life,
    *,
    confirmed_on: date,
    terms_at: Callable[[date], ContractTerms],
    ends_at_latest: date | None,
) -> Events:
    """Confirm the pending request, which fixes the termination date; again changes nothing.

    The terms of the day of the request decide.

    Clauses: WUTM-21.2.1, WUTM-21.2.2, WUTM-S2021-05-11.2.
    """
    living = living_on(life, confirmed_on, clause=None)
    request = _request(living)
    if request is None:
        raise NoRequest
    terms = terms_at(request.requested_on)
    rule = terms.termination_by_customer
    if confirmed_on < request.requested_on:
        raise TooEarly(
            f"the request is of {request.requested_on}", clause=rule.clause, field="/confirmed_on"
        )
    terminated_on = termination_date(
        request.desired_on,
        confirmed_on=confirmed_on,
        terms=rule,
    )
    _within_period(terminated_on, ends_at_latest=ends_at_latest, terms=terms)
    clause = rule.clause if terminated_on == request.desired_on else rule.late_clause
    return _end(life, on=terminated_on, by="customer", cause="customer", clause=clause)


def termination_date(
    desired_on: date,
    *,
    confirmed_on: date,
    terms: CustomerTermination,
) -> date:
    """The termination date of a confirmed request.

    The desired day when it is the confirmation day or later, also for a request that came less
    than five business days ahead; else the confirmation day plus the business days of the terms.

    Clauses: WUTM-21.2.1, WUTM-21.2.2, WUTM-S2021-05-11.2 (earlier requests: the confirmation
    day itself).
    """
    if desired_on >= confirmed_on:
        return desired_on
    return business_days_after(confirmed_on, terms.business_days, week=terms.week)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An operator's decision to end a contract: the ground, and the notice before it."""

    ground: str
    notice: Notice


def terminate_by_operator(
    life: Life,
    *,
    terminated_on: date,
    judgement: Judgement,
    terms: ContractTerms,
    penalty_due_on: date | None = None,
) -> Events:
    """End the contract on one of the grounds of the terms; where they ask for a notice, after it.

    A notice comes at the latest on the day before the termination date. Suspension as a ground
    needs one on record.

    Clauses: NSEC-12.1.1, NSEC-12.1.2, NSEC-12.1.3, NSEC-12.1.4, NSEC-12.2, WUTM-22.0.1,
    WUTM-22.0.3, WUTM-22.1, WUTM-22.4.1, WUTM-22.4.2, WUTM-22.4.3, WUTM-22.4.4, WUTM-22.4.5,
    WUTM-23.2.1, WUTM-23.2.2.i, WUTM-23.2.2.ii, WUTM-23.2.2.iii, WUTM-23.2.2.iv, WUTM-23.2.2.v.
    """
    grounds = terms.termination_by_operator
    if judgement.ground not in grounds:
        raise NotAGround(
            f"{judgement.ground} is not one of {', '.join(sorted(grounds))}", field="/ground"
        )
    ground = grounds[judgement.ground]
    living = living_on(life, terminated_on, clause=ground.clause)
    if ground.after_suspension and not (isinstance(living, InForce) and living.suspensions):
        raise NotAGround("the contract was never suspended", clause=ground.clause, field="/ground")
    if ground.notice:
        notice = judgement.notice
        if notice.urgent_reason and not ground.urgent:
            raise NoticeMissing("urgency does not replace it here", clause=ground.clause)
        notice.before(terminated_on - timedelta(days=1), clause=ground.clause)
    return _end(
        life,
        on=terminated_on,
        by="operator",
        cause="antisocial" if ground.antisocial else "provider",
        clause=ground.clause,
        penalty_due_on=penalty_due_on,
    )


def abolish(life: Life, *, abolished_on: date, terms: ContractTerms) -> Events:
    """The service is abolished on that day, and the contract ends with it by itself.

    Clauses: NSEC-20.2, WUTM-20.2.2, WUTM-22.3.
    """
    return _end(
        life, on=abolished_on, by="operator", cause="abolition", clause=terms.abolition.clause
    )


def line_ended(life: Life, *, ended_on: date, reason: LineEnd, terms: ContractTerms) -> Events:
    """The line contract ended: its termination ends this contract by itself on the same day.

    Relocation, conversion and change of provider do not. A pending later end is overtaken.

    Clauses: WUTM-22.0.2, WUTM-22.2.
    """
    if terms.line is None:
        raise NotOfThisService("this service rests on no line")
    clause = terms.line.clause
    living = living_on(life, ended_on, clause=clause)
    ended = LineContractEnded(contract_id=application_id(living), ended_on=ended_on, reason=reason)
    if any(fact.event == ended for fact in life.facts):
        return ()
    if reason not in terms.line.ending:
        return (ended,)
    return (ended, *_end(life, on=ended_on, by="operator", cause="line", clause=clause))


def line_converted(life: Life, *, converted_on: date, terms: ContractTerms) -> Events:
    """The line became a collaboration line (転用); the contract goes on.

    Clauses: WUTM-22.2.
    """
    if terms.line is None:
        raise NotOfThisService("this service rests on no line")
    living = living_on(life, converted_on, clause=terms.line.goes_on.clause)
    converted = LineConverted(contract_id=application_id(living), converted_on=converted_on)
    return () if any(fact.event == converted for fact in life.facts) else (converted,)


def reach_maximum_period(life: Life, *, ends_on: date, terms: ContractTerms) -> Events:
    """The contract ends by itself on the day after the last day of its maximum period.

    Clauses: WUTM-8.2.
    """
    if terms.maximum_period is None:
        raise NotOfThisService("this service knows no maximum period")
    clause = terms.maximum_period.end_clause
    return _end(life, on=ends_on, by="operator", cause="maximum_period", clause=clause)


def _end(
    life: Life,
    *,
    on: date,
    by: Actor,
    cause: Cause,
    clause: str,
    penalty_due_on: date | None = None,
) -> Events:
    """The end, unless it is recorded already; a later end than the recorded one is refused."""
    if isinstance(life.now, Ended) and on >= life.now.end.terminated_on:
        known = life.now.end
        if (known.terminated_on, known.cause) == (on, cause):
            return ()
        raise AlreadyEnded(f"it ends on {known.terminated_on}", clause=known.clause)
    application = living_on(life, on, clause=clause).application
    return (
        ContractTerminated(
            contract_id=application.contract_id,
            customer_id=application.customer_id,
            terminated_on=on,
            by=by,
            cause=cause,
            clause=clause,
            penalty_due_on=penalty_due_on,
        ),
    )


def _request(living: Living) -> TerminationRequested | None:
    return living.formed.request if isinstance(living, InForce) else living.request


def _within_period(on: date, *, ends_at_latest: date | None, terms: ContractTerms) -> None:
    if ends_at_latest is not None and on > ends_at_latest:
        clause = terms.maximum_period.end_clause if terms.maximum_period else None
        raise BeyondMaximumPeriod(f"it ends by itself on {ends_at_latest}", clause=clause)
