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
    TerminationGroundArose,
    TerminationRequested,
)
from services.contracts.domain.applications import (
    Events,
    application_id,
    ground_among,
    known,
    living_on,
)
from services.contracts.domain.contract import Ended, InForce, Living, request_of
from services.contracts.domain.facts import FORMATIONS, Life
from services.contracts.domain.refusals import (
    AlreadyEnded,
    BeyondMaximumPeriod,
    DemandMissing,
    NoRequest,
    NotAGround,
    NoticeMissing,
    NotOfThisService,
    TooEarly,
    TooLate,
)
from services.contracts.domain.terms import ContractTerms, CustomerTermination, OperatorGround
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
    ground: str | None = None,
) -> Events:
    """End the contract on the day the customer's form states, not before the form's receipt.

    The day of receipt itself is allowed: the form precedes the end on it. On a ground that the
    terms give the customer, the arrival of the notice ends the contract.

    Clauses: NSEC-11.1, NQMS-20.1b, RRNS-43.4.S1.
    """
    rule = terms.termination_by_customer
    if ground is not None:
        return _ended_at_once(life, on=received_on, ground=ground, terms=terms)
    if rule.way != "by-form":
        raise NotOfThisService("a customer's termination is requested first", clause=rule.clause)
    if terminated_on < received_on:
        raise TooEarly(
            f"the form was received on {received_on}", clause=rule.clause, field="/terminated_on"
        )
    return end(
        life,
        on=terminated_on,
        by="customer",
        cause="customer",
        clause=rule.clause,
        penalty_due_on=penalty_due_on,
    )


def _ended_at_once(life: Life, *, on: date, ground: str, terms: ContractTerms) -> Events:
    rule = ground_among(terms.termination_by_customer.at_once, ground)
    return end(life, on=on, by="customer", cause="antisocial", clause=rule.clause, declared_on=on)


def request_termination(
    life: Life,
    *,
    requested_on: date,
    desired_on: date,
    terms: ContractTerms,
    ends_at_latest: date | None,
) -> Events:
    """Note the customer's wish to end on a day; it waits for confirmation, however late it comes.

    Clauses: WUTM-21.1, WUTM-8.2, WSRV-21.1, WSRV-8b (no date beyond the maximum period).
    """
    rule = terms.termination_by_customer
    if rule.way != "on-request":
        raise NotOfThisService("a customer's termination needs no request", clause=rule.clause)
    living = living_on(life, requested_on, clause=rule.clause)
    _within_period(desired_on, ends_at_latest=ends_at_latest, terms=terms)
    requested = TerminationRequested(
        contract_id=application_id(living), requested_on=requested_on, desired_on=desired_on
    )
    return () if request_of(living) == requested else (requested,)


def confirm_termination(
    life: Life,
    *,
    confirmed_on: date,
    terms_at: Callable[[date], ContractTerms],
    ends_at_latest: date | None,
) -> Events:
    """Confirm the pending request, which fixes the termination date; again changes nothing.

    The terms of the day of the request decide.

    Clauses: WUTM-21.2.1, WUTM-21.2.2, WUTM-S2021-05-11.2, WSRV-21.2a, WSRV-21.2b.
    """
    living = living_on(life, confirmed_on, clause=None)
    request = request_of(living)
    if request is None or request.cancellation is not None:
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
    return end(life, on=terminated_on, by="customer", cause="customer", clause=clause)


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
    day itself), WSRV-21.2a, WSRV-21.2b (the day of confirmation itself, no business days).
    """
    if desired_on >= confirmed_on:
        return desired_on
    return business_days_after(confirmed_on, terms.business_days, week=terms.week)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An operator's decision to end a contract: the ground, and what went before it.

    `cure_by_on` is the last day of the period that a demand set.
    """

    ground: str
    notice: Notice
    cure_by_on: date | None = None


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
    needs one that was not lifted. The last day of a demand's period is still the customer's. Grounds of the
    time after the formation hold for that many days, the day of formation not counted.

    Clauses: NSEC-12.1.1, NSEC-12.1.2, NSEC-12.1.3, NSEC-12.1.4, NSEC-12.2, WUTM-22.0.1,
    WUTM-22.0.3, WUTM-22.1, WUTM-22.4.1, WUTM-22.4.2, WUTM-22.4.3, WUTM-22.4.4, WUTM-22.4.5,
    WUTM-23.2.1, WUTM-23.2.2.i, WUTM-23.2.2.ii, WUTM-23.2.2.iii, WUTM-23.2.2.iv, WUTM-23.2.2.v,
    WSRV-22.0, WSRV-22.1, WSRV-22.3.1, WSRV-22.3.2, WSRV-22.3.3, WSRV-22.3.4, WSRV-22.3.5,
    WSRV-22.3n, WSRV-23.2.1, WSRV-23.2.2, RRNS-5.3, RRNS-5.3.1, RRNS-5.3.2, RRNS-5.3.3,
    RRNS-5.3.4, RRNS-5.3.5, RRNS-5.3.6, RRNS-11.1, RRNS-11.1.1, RRNS-11.1.2, RRNS-11.1.3,
    RRNS-11.1.4, RRNS-11.1.5, RRNS-11.1.6, RRNS-11.1.7, RRNS-11.1.8, RRNS-11.1.9, RRNS-11.1.10,
    RRNS-11.5, RRNS-43.4.S1.
    """
    grounds = terms.termination_by_operator
    if judgement.ground not in grounds:
        raise NotAGround(
            f"{judgement.ground} is not one of {', '.join(sorted(grounds))}", field="/ground"
        )
    ground = grounds[judgement.ground]
    living = living_on(life, terminated_on, clause=ground.clause)
    if ground.after_suspension and not (
        isinstance(living, InForce) and living.unresolved_on(terminated_on)
    ):
        raise NotAGround(
            f"no suspension is unresolved on {terminated_on}", clause=ground.clause, field="/ground"
        )
    _preceded(judgement, on=terminated_on, ground=ground)
    _in_time(life, living, on=terminated_on, ground=ground)
    return end(
        life,
        on=terminated_on,
        by="operator",
        cause="antisocial" if ground.antisocial else "provider",
        clause=ground.clause,
        penalty_due_on=penalty_due_on,
        declared_on=terminated_on if terms.contract_end else None,
    )


def _preceded(judgement: Judgement, *, on: date, ground: OperatorGround) -> None:
    """Raise when the notice or the demand that the ground asks for did not go before."""
    if ground.notice:
        notice = judgement.notice
        if notice.urgent_reason and not ground.urgent:
            raise NoticeMissing("urgency does not replace it here", clause=ground.clause)
        notice.before(on - timedelta(days=1), clause=ground.clause)
    if ground.demand and (judgement.cure_by_on is None or judgement.cure_by_on >= on):
        raise DemandMissing(clause=ground.clause, field="/cure_by_on")


def _in_time(life: Life, living: Living, *, on: date, ground: OperatorGround) -> None:
    """Raise when the ground holds no longer."""
    if ground.before_acceptance and isinstance(living, InForce):
        raise TooLate(f"the work was accepted on {living.started_on}", clause=ground.clause)
    if ground.days_from_formation is None:
        return
    formed_on = next(fact.on for fact in life.facts if isinstance(fact.event, FORMATIONS))
    last_on = formed_on + timedelta(days=ground.days_from_formation)
    if on > last_on:
        raise TooLate(f"the last day was {last_on}", clause=ground.clause)


def record_ground(life: Life, *, ground: int, arose_on: date, terms: ContractTerms) -> Events:
    """A ground of ending the contract arose, which ends nothing; the same again changes nothing.

    Clauses: RRNS-11.1, RRNS-11.2, RRNS-11.3.
    """
    maturing = known(terms.maturing, what="ground that makes debts due")
    if ground not in maturing.grounds:
        raise NotAGround(f"the terms number no ground {ground}", clause=maturing.clause)
    living = living_on(life, arose_on, clause=maturing.clause)
    arose = TerminationGroundArose(
        contract_id=application_id(living),
        arose_on=arose_on,
        ground=str(ground),
        clause=maturing.grounds[ground].clause,
    )
    return () if any(fact.event == arose for fact in life.facts) else (arose,)


def abolish(life: Life, *, abolished_on: date, terms: ContractTerms) -> Events:
    """The service is abolished on that day, and the contract ends with it by itself.

    For one contract, of a service whose end was made known elsewhere: no notice is asked for, and
    the customer is told nothing of it here. `abolishing.announce` ends a service with its notice.

    Clauses: NSEC-20.2, WUTM-20.2.2, WUTM-22.3, WSRV-20.1, WSRV-20.2c, WSRV-22.2b, RRNS-13.1,
    RRNS-13.3.
    """
    clause = known(terms.abolition, what="abolition").clause
    return end(life, on=abolished_on, by="operator", cause="abolition", clause=clause)


def line_ended(life: Life, *, ended_on: date, reason: LineEnd, terms: ContractTerms) -> Events:
    """The line contract ended: its termination ends this contract by itself on the same day.

    Relocation, conversion and change of provider do not. A pending later end is overtaken.

    Clauses: WUTM-22.0.2, WUTM-22.2, WSRV-22.2a.
    """
    rule = known(terms.line, what="line")
    clause = rule.clause
    living = living_on(life, ended_on, clause=clause)
    ended = LineContractEnded(contract_id=application_id(living), ended_on=ended_on, reason=reason)
    if any(fact.event == ended for fact in life.facts):
        return ()
    if reason not in rule.ending:
        return (ended,)
    return (ended, *end(life, on=ended_on, by="operator", cause="line", clause=clause))


def line_converted(life: Life, *, converted_on: date, terms: ContractTerms) -> Events:
    """The line became a collaboration line (転用); the contract goes on.

    Clauses: WUTM-22.2, WSRV-22.2a.
    """
    rule = known(terms.line, what="line")
    living = living_on(life, converted_on, clause=rule.goes_on.clause)
    converted = LineConverted(contract_id=application_id(living), converted_on=converted_on)
    return () if any(fact.event == converted for fact in life.facts) else (converted,)


def reach_maximum_period(life: Life, *, ends_on: date, terms: ContractTerms) -> Events:
    """The contract ends by itself on the day after the last day of its maximum period.

    Clauses: WUTM-8.2, WSRV-8b.
    """
    clause = known(terms.maximum_period, what="maximum period").end_clause
    return end(life, on=ends_on, by="operator", cause="maximum_period", clause=clause)


def end(
    life: Life,
    *,
    on: date,
    by: Actor,
    cause: Cause,
    clause: str,
    penalty_due_on: date | None = None,
    declared_on: date | None = None,
) -> Events:
    """The end, unless it is recorded already; a later end than the recorded one is refused."""
    if isinstance(life.now, Ended) and on >= life.now.end.terminated_on:
        ended = life.now.end
        if (ended.terminated_on, ended.cause) == (on, cause):
            return ()
        raise AlreadyEnded(f"it ends on {ended.terminated_on}", clause=ended.clause)
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
            declared_on=declared_on,
        ),
    )


def _within_period(on: date, *, ends_at_latest: date | None, terms: ContractTerms) -> None:
    if ends_at_latest is not None and on > ends_at_latest:
        clause = terms.maximum_period.end_clause if terms.maximum_period else None
        raise BeyondMaximumPeriod(f"it ends by itself on {ends_at_latest}", clause=clause)
