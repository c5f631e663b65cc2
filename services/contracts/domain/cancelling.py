"""Cancelling by notice: the day that results, and what the customer owes for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from libs.events.vocabulary.contracts import (
    Cancellation,
    ContentChanged,
    TerminationLapsed,
    TerminationRequested,
    WorkAccepted,
)
from services.contracts.domain.applications import Events, application_id, living_on
from services.contracts.domain.changes import Change, change_content
from services.contracts.domain.contract import Living, application_of, request_of
from services.contracts.domain.ending import end
from services.contracts.domain.facts import Facts, Life
from services.contracts.domain.periods import following_months, month_end, months_later
from services.contracts.domain.refusals import NotEnoughToRemove, NotOfThisService
from services.contracts.domain.terms import ContractTerms, CustomerTermination


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationNotice:
    """A customer's notice that arrived on `requested_on`; yen before tax, as the operator set them.

    `fee` is what a cancellation in the first months costs, `damage` the operator's whole damage
    from it, `loss` what the operator lost where the work is not accepted yet. With `option` only
    that one is cancelled.
    """

    requested_on: date
    desired_on: date
    fee: int = 0
    damage: int = 0
    loss: int = 0
    option: str | None = None


def cancel(life: Life, *, notice: CancellationNotice, terms: ContractTerms) -> Events:
    """End the contract, or one option, by the customer's notice; the same notice again is nothing.

    The end comes with the end of the resulting day. Where a loss is to be paid first, the request
    waits for it.

    Clauses: RRNS-10.1.S1, RRNS-10.1.S2, RRNS-10.2, RRNS-10.3.S1, RRNS-3.D3, RRNS-6.
    """
    rule = terms.termination_by_customer
    if rule.way != "by-notice":
        raise NotOfThisService("a cancellation needs no notice here", clause=rule.clause)
    living = living_on(life, notice.requested_on, clause=rule.clause)
    judged = cancellation(
        notice,
        accepted_on=_accepted_on(life.facts, option=notice.option),
        starts_on=_starts_on(living),
        terms=rule,
    )
    requested = TerminationRequested(
        contract_id=application_id(living),
        requested_on=notice.requested_on,
        desired_on=notice.desired_on,
        cancellation=judged,
    )
    if any(fact.event == requested for fact in life.facts):
        return ()
    if notice.option is not None:
        removal = Change(kind="option-removed", effective_on=judged.ends_on, option=notice.option)
        return (requested, *change_content(life, change=removal, terms=terms))
    if judged.loss:
        return (requested,)
    return (requested, *_ended(life, judged, declared_on=notice.requested_on))


def cancellation(
    notice: CancellationNotice,
    *,
    accepted_on: date | None,
    starts_on: date,
    terms: CustomerTermination,
) -> Cancellation:
    """What a notice comes to, of a contract that runs from `starts_on`.

    From then to the acceptance, that day included, the operator's loss is paid by the desired day.
    In the first months, judged by the desired day and their last day inside, the fee stands in for
    the time of notice. Else the end comes at the earliest that many months after the notice: a
    shorter notice takes effect then.

    Clauses: RRNS-10.1.S1, RRNS-10.2, RRNS-10.3.S1, RRNS-10.3.S2, RRNS-10.4, RRNS-3.D3.
    """
    arrived_on, desired_on = notice.requested_on, max(notice.desired_on, notice.requested_on)
    contract_end_on = month_end(arrived_on)
    unaccepted = accepted_on is None or arrived_on <= accepted_on
    if terms.before_acceptance and unaccepted and arrived_on >= starts_on:
        return Cancellation(
            ends_on=desired_on,
            contract_end_on=contract_end_on,
            clause=terms.before_acceptance.clause,
            option=notice.option,
            loss=notice.loss,
        )
    if terms.first_months and _inside(notice.desired_on, accepted_on, terms.first_months.months):
        return Cancellation(
            ends_on=desired_on,
            contract_end_on=contract_end_on,
            clause=terms.first_months.clause,
            option=notice.option,
            fee=notice.fee,
            excess=max(0, notice.damage - notice.fee),
        )
    return Cancellation(
        ends_on=max(desired_on, months_later(arrived_on, months=terms.notice_months)),
        contract_end_on=contract_end_on,
        clause=terms.clause,
        option=notice.option,
    )


def loss_paid(life: Life, *, requests: Collection[UUID], paid_on: date) -> Events:
    """The loss of one of these requests was paid in full: in time, it ends the contract.

    In time is up to the day with whose end the contract ends.

    Clauses: RRNS-10.2.
    """
    request = request_of(life.now)
    waiting = request.cancellation if request else None
    if request is None or waiting is None or not waiting.loss or paid_on > waiting.ends_on:
        return ()
    if not any(fact.event == request and fact.event_id in requests for fact in life.facts):
        return ()
    return _ended(life, waiting, declared_on=request.requested_on)


def lapses_on(life: Life) -> date | None:
    """The first day on which a request that waits for its payment has lapsed.

    Clauses: RRNS-10.2.
    """
    request = request_of(life.now)
    waiting = request.cancellation if request else None
    if waiting is None or not waiting.loss:
        return None
    return waiting.ends_on + timedelta(days=1)


def lapse(life: Life, *, lapsed_on: date) -> Events:
    """The loss was not paid in time: the contract goes on.

    Clauses: RRNS-10.2.
    """
    request, application = request_of(life.now), application_of(life.now)
    if request is None or request.cancellation is None or application is None:
        return ()
    return (
        TerminationLapsed(
            contract_id=application.contract_id,
            lapsed_on=lapsed_on,
            clause=request.cancellation.clause,
        ),
    )


def _ended(life: Life, judged: Cancellation, *, declared_on: date) -> Events:
    return end(
        life,
        on=judged.ends_on,
        by="customer",
        cause="customer",
        clause=judged.clause,
        declared_on=declared_on,
    )


def _inside(desired_on: date, accepted_on: date | None, months: int) -> bool:
    return accepted_on is not None and desired_on <= following_months(accepted_on, months=months)[1]


def _accepted_on(facts: Facts, *, option: str | None) -> date | None:
    """The acceptance of the base order, or of the option's own."""
    if option is None:
        days = [fact.on for fact in facts if isinstance(fact.event, WorkAccepted)]
        return days[-1] if days else None
    days = [
        fact.on
        for fact in facts
        if isinstance(fact.event, ContentChanged)
        and (fact.event.kind, fact.event.option) == ("option-added", option)
    ]
    if not days:
        raise NotEnoughToRemove(f"there is no option {option}", field="/option")
    return days[-1]


def _starts_on(living: Living) -> date:
    """The day wished for in the application, else that of the application."""
    application = living.application
    return application.content.wished_start_on or application.applied_on
