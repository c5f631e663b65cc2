"""The commands on customers and contracts, for every edge: HTTP and the offline player.

Every command gives what the append gave; raises `UnknownContract` (`UnknownCustomer`), the
refusals of its decision, and what `Log.decide` raises. A contract's facts must stay possible as a
whole, else `ImpossibleTimeline`. Dates are the days on which things take effect.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.dates.japan import japan_day_over
from libs.events.envelope import Cause, Event, Recorded
from libs.events.log import NO_RIDERS, Appended, Log, Reservation, Riders
from libs.events.vocabulary.contracts import Content
from libs.refusal.refusal import Refusal, Stale
from services.contracts.domain import (
    abolishing,
    applications,
    cancelling,
    changes,
    correcting,
    customer,
    dunning,
    ending,
    forgetting,
    use,
)
from services.contracts.domain.applications import Costs, Events, Wish
from services.contracts.domain.cancelling import CancellationNotice
from services.contracts.domain.changes import Change, facts_with
from services.contracts.domain.contract import Unknown, application_of, ended_on
from services.contracts.domain.customer import Customer, Details, Unregistered
from services.contracts.domain.deadlines import (
    Deadline,
    ends_at_latest,
    next_deadlines,
    run_deadline,
)
from services.contracts.domain.ending import Judgement, LineEnd
from services.contracts.domain.facts import Life, facts_of, life_of
from services.contracts.domain.refusals import UnknownContract, UnknownCustomer
from services.contracts.domain.terms import ContractTerms, Terms, TicketKind
from services.contracts.domain.timeline import check
from services.contracts.domain.use import Notice, Period

LINE = "line"
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command brings: the stream it is on, its cause, and the riders of its append.

    `expected` is the version the caller saw; None decides on the present one.
    """

    stream_id: UUID
    cause: Cause
    expected: int | None = None
    riders: Riders = NO_RIDERS


Decide = Callable[[Life], Events]


async def register_customer(
    log: Log,
    command: Command,
    *,
    registered_on: date,
    details: Details,
    corporate_number: str | None = None,
) -> Appended:
    """A customer is known from now on; `corporate` and `payment_method` must be given."""
    return await _on_customer(
        log,
        command,
        lambda known: customer.register(
            known,
            customer_id=command.stream_id,
            registered_on=registered_on,
            corporate_number=corporate_number,
            details=details,
        ),
    )


async def change_customer(
    log: Log, command: Command, *, changed_on: date, notified_on: date, details: Details
) -> Appended:
    """Details of a customer changed."""
    return await _on_customer(
        log,
        command,
        lambda known: customer.change_details(
            known, changed_on=changed_on, notified_on=notified_on, details=details
        ),
    )


async def apply(
    log: Log,
    command: Command,
    *,
    service: str,
    customer_id: UUID,
    applied_on: date,
    content: Content,
    consents: Sequence[str],
    terms: Terms,
) -> Appended:
    """A customer applies; a line that bears one contract only is this one's until it ends.

    Raises `UnknownCustomer`, `PartyIsForgotten`, `UnknownService`, `NotYetInForce`, `Reserved` for
    a line under another contract.

    Clauses: WUTM-6.1 (one contract a line), WSRV-6c (several).
    """
    applicant = await load_customer(log, customer_id)
    if isinstance(applicant, Unregistered):
        raise UnknownCustomer(f"{customer_id} is not registered", field="/customer_id")
    forgetting.reachable(applicant)
    wish = Wish(
        contract_id=command.stream_id,
        customer_id=customer_id,
        service=service,
        content=content,
        consents=tuple(consents),
    )
    in_force = terms.at(service, applied_on)
    abolitions = await abolitions_of(log, service)
    if content.line_id is not None and in_force.line and in_force.line.one_contract:
        command = _reserving(command, content.line_id, from_on=applied_on, until_on=None)

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        events = applications.apply(
            life_of(facts_of(history)),
            wish=wish,
            applied_on=applied_on,
            terms=in_force,
            terms_version=terms.version(service, applied_on),
        )
        if events:
            abolishing.still_offered(abolitions, content=content, on=applied_on, terms=in_force)
        return events

    return await _append(log, command, decision)


async def approve(
    log: Log, command: Command, *, approved_on: date, document_number: str, terms: Terms
) -> Appended:
    """The operator accepts an application; not for a service that is no more on that day."""
    application = application_of((await load_life(log, command.stream_id))[0].now)
    assert application is not None  # the contract is known
    abolitions = await abolitions_of(log, application.service)

    def decide(life: Life) -> Events:
        events = applications.approve(
            life, approved_on=approved_on, document_number=document_number
        )
        if events:
            abolishing.still_offered(
                abolitions,
                content=application.content,
                on=approved_on,
                terms=terms_at(life, approved_on, terms=terms),
            )
        return events

    return await on_contract(log, command, decide, terms=terms)


async def decline(
    log: Log, command: Command, *, declined_on: date, ground: str, terms: Terms
) -> Appended:
    """The operator refuses an application on a ground of the terms."""
    return await on_ending(
        log,
        command,
        lambda life: applications.decline(
            life,
            declined_on=declined_on,
            ground=ground,
            terms=terms_at(life, declined_on, terms=terms),
        ),
        terms=terms,
    )


async def revoke_approval(
    log: Log, command: Command, *, revoked_on: date, ground: str, costs: Costs, terms: Terms
) -> Appended:
    """The operator takes the acceptance back."""
    return await on_ending(
        log,
        command,
        lambda life: applications.revoke_approval(
            life,
            revoked_on=revoked_on,
            ground=ground,
            costs=costs,
            terms=terms_at(life, revoked_on, terms=terms),
        ),
        terms=terms,
    )


async def schedule_initial_work(
    log: Log, command: Command, *, scheduled_on: date, terms: Terms
) -> Appended:
    """The day of the initial work is agreed."""
    return await on_contract(
        log,
        command,
        lambda life: applications.schedule_initial_work(
            life, scheduled_on=scheduled_on, terms=terms_at(life, scheduled_on, terms=terms)
        ),
        terms=terms,
    )


async def start(log: Log, command: Command, *, started_on: date, terms: Terms) -> Appended:
    """Provision begins."""
    return await on_contract(
        log,
        command,
        lambda life: applications.start(
            life, started_on=started_on, terms=terms_at(life, started_on, terms=terms)
        ),
        terms=terms,
    )


async def accept_work(log: Log, command: Command, *, accepted_on: date, terms: Terms) -> Appended:
    """The ordered work is accepted."""
    return await on_contract(
        log,
        command,
        lambda life: applications.accept_work(
            life, accepted_on=accepted_on, terms=terms_at(life, accepted_on, terms=terms)
        ),
        terms=terms,
    )


async def order_tickets(
    log: Log, command: Command, *, kind: TicketKind, quantity: int, ordered_on: date, terms: Terms
) -> Appended:
    """An order of tickets is accepted."""
    return await on_contract(
        log,
        command,
        lambda life: applications.order_tickets(
            life,
            kind=kind,
            quantity=quantity,
            ordered_on=ordered_on,
            terms=terms_at(life, ordered_on, terms=terms),
        ),
        terms=terms,
    )


async def change_content(log: Log, command: Command, *, change: Change, terms: Terms) -> Appended:
    """The content changes from a day on."""
    return await on_contract(
        log,
        command,
        lambda life: changes.change_content(
            life, change=change, terms=terms_at(life, change.effective_on, terms=terms)
        ),
        terms=terms,
    )


async def change_billing_day(
    log: Log, command: Command, *, start_day: int, from_on: date, terms: Terms
) -> Appended:
    """Billing months start on another day from `from_on` on."""
    return await on_contract(
        log,
        command,
        lambda life: changes.change_billing_day(
            life, start_day=start_day, from_on=from_on, terms=terms_at(life, from_on, terms=terms)
        ),
        terms=terms,
    )


async def suspend(
    log: Log, command: Command, *, period: Period, ground: str, notice: Notice, terms: Terms
) -> Appended:
    """Use is suspended."""
    return await on_contract(
        log,
        command,
        lambda life: use.suspend(
            life,
            period=period,
            ground=ground,
            notice=notice,
            terms=terms_at(life, period.from_on, terms=terms),
        ),
        terms=terms,
    )


async def resume(log: Log, command: Command, *, resumed_on: date, terms: Terms) -> Appended:
    """The suspension is over."""
    return await on_contract(
        log,
        command,
        lambda life: use.resume(
            life, resumed_on=resumed_on, terms=terms_at(life, resumed_on, terms=terms)
        ),
        terms=terms,
    )


async def line_ended(
    log: Log, command: Command, *, ended_on: date, reason: LineEnd, terms: Terms
) -> Appended:
    """The line contract ended; some reasons end this one."""
    return await on_ending(
        log,
        command,
        lambda life: ending.line_ended(
            life, ended_on=ended_on, reason=reason, terms=terms_at(life, ended_on, terms=terms)
        ),
        terms=terms,
    )


async def line_converted(
    log: Log, command: Command, *, converted_on: date, terms: Terms
) -> Appended:
    """The line became a collaboration line."""
    return await on_contract(
        log,
        command,
        lambda life: ending.line_converted(
            life, converted_on=converted_on, terms=terms_at(life, converted_on, terms=terms)
        ),
        terms=terms,
    )


async def request_termination(
    log: Log, command: Command, *, requested_on: date, desired_on: date, terms: Terms
) -> Appended:
    """The customer asks for the end on a desired day."""
    return await on_contract(
        log,
        command,
        lambda life: ending.request_termination(
            life,
            requested_on=requested_on,
            desired_on=desired_on,
            terms=terms_at(life, requested_on, terms=terms),
            ends_at_latest=ends_at_latest(life, terms=terms),
        ),
        terms=terms,
    )


async def confirm_termination(
    log: Log, command: Command, *, confirmed_on: date, terms: Terms
) -> Appended:
    """The operator confirms the pending request, which fixes the termination date."""
    return await on_ending(
        log,
        command,
        lambda life: ending.confirm_termination(
            life,
            confirmed_on=confirmed_on,
            terms_at=lambda on: terms_at(life, on, terms=terms),
            ends_at_latest=ends_at_latest(life, terms=terms),
        ),
        terms=terms,
    )


async def cancel(
    log: Log, command: Command, *, notice: CancellationNotice, terms: Terms
) -> Appended:
    """The customer's notice of cancellation arrived."""
    return await on_ending(
        log,
        command,
        lambda life: cancelling.cancel(
            life, notice=notice, terms=terms_at(life, notice.requested_on, terms=terms)
        ),
        terms=terms,
    )


async def record_ground(
    log: Log, command: Command, *, ground: int, arose_on: date, terms: Terms
) -> Appended:
    """A ground of ending the contract arose."""
    return await on_contract(
        log,
        command,
        lambda life: ending.record_ground(
            life, ground=ground, arose_on=arose_on, terms=terms_at(life, arose_on, terms=terms)
        ),
        terms=terms,
    )


async def terminate_by_customer(
    log: Log,
    command: Command,
    *,
    terminated_on: date,
    received_on: date,
    terms: Terms,
    penalty_due_on: date | None = None,
    ground: str | None = None,
) -> Appended:
    """The customer ends the contract by its form, or at once on a ground of the terms."""
    return await on_ending(
        log,
        command,
        lambda life: ending.terminate_by_customer(
            life,
            terminated_on=terminated_on,
            received_on=received_on,
            terms=terms_at(life, received_on, terms=terms),
            penalty_due_on=penalty_due_on,
            ground=ground,
        ),
        terms=terms,
    )


async def terminate_by_operator(
    log: Log,
    command: Command,
    *,
    terminated_on: date,
    judgement: Judgement,
    terms: Terms,
    penalty_due_on: date | None = None,
) -> Appended:
    """The operator ends the contract on a ground of the terms."""
    return await on_ending(
        log,
        command,
        lambda life: ending.terminate_by_operator(
            life,
            terminated_on=terminated_on,
            judgement=judgement,
            terms=terms_at(life, terminated_on, terms=terms),
            penalty_due_on=penalty_due_on,
        ),
        terms=terms,
    )


async def abolish(log: Log, command: Command, *, abolished_on: date, terms: Terms) -> Appended:
    """The service is abolished, and the contract ends with it."""
    return await on_ending(
        log,
        command,
        lambda life: ending.abolish(
            life, abolished_on=abolished_on, terms=terms_at(life, abolished_on, terms=terms)
        ),
        terms=terms,
    )


async def correct(
    log: Log,
    command: Command,
    *,
    corrects: UUID,
    values: Mapping[str, Any] | None,
    reason: str,
    terms: Terms,
) -> Appended:
    """A recorded fact is put right, or withdrawn (`values` None)."""

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        life = life_known(history)
        events, facts = correcting.correct(life, corrects=corrects, values=values, reason=reason)
        check(facts, ends_at_latest=ends_at_latest(life_of(facts), terms=terms))
        return events

    return await _append(log, command, decision)


async def run_contract_deadline(
    log: Log, command: Command, *, deadline: Deadline, terms: Terms
) -> Appended:
    """What follows when a deadline of a contract comes; it takes effect at the deadline."""
    return await on_ending(
        log,
        command,
        lambda life: run_deadline(life, deadline=deadline, terms=terms),
        terms=terms,
    )


async def propose_suspension(
    log: Log, command: Command, *, proposed_on: date, terms: Terms
) -> Appended:
    """What follows when a debt has been late for the days of the terms; nothing before."""
    chain = dunning.chain_of([recorded.event for recorded in await log.load(command.stream_id)])
    if not isinstance(chain, dunning.Late):
        return await _append(log, command, lambda _: ())
    life = life_known(await log.load(chain.started.contract_id))
    rules = terms_at(life, chain.started.started_on, terms=terms).dunning

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        now = dunning.chain_of([recorded.event for recorded in history])
        return dunning.propose(now, proposed_on=proposed_on, terms=rules)

    return await _append(log, command, decision)


async def load_life(log: Log, contract_id: UUID) -> tuple[Life, int]:
    """A contract and its version. Raises `UnknownContract`."""
    history = await log.load(contract_id)
    return life_known(history), len(history)


def as_known(
    history: Sequence[Recorded[Event]], *, known_on: date | None
) -> Sequence[Recorded[Event]]:
    """The events recorded before a day was over in Japan; all of them without a day."""
    if known_on is None:
        return history
    over_at = japan_day_over(known_on)
    return [each for each in history if each.envelope.recorded_at < over_at]


async def load_customer(log: Log, customer_id: UUID) -> Customer:
    """A customer as registered now."""
    return customer_of(await log.load(customer_id))


def customer_of(history: Sequence[Recorded[Event]]) -> Customer:
    """The customer after these events of their stream."""
    known: Customer = Unregistered()
    for recorded in history:
        known = customer.evolve(known, recorded.event)
    return known


async def abolitions_of(log: Log, service: str) -> abolishing.Abolitions:
    """What was announced of the end of a service, and of plans of it."""
    history = await log.load(abolishing.stream_of(service))
    return abolishing.abolitions_of(recorded.event for recorded in history)


async def deadlines_of(log: Log, contract_id: UUID, *, terms: Terms) -> tuple[Deadline, ...]:
    """The deadlines a contract waits for, earliest first. Raises `UnknownContract`."""
    life, _ = await load_life(log, contract_id)
    return next_deadlines(life, terms=terms)


async def _on_customer(
    log: Log, command: Command, decide: Callable[[Customer], Sequence[Event]]
) -> Appended:
    return await _append(log, command, lambda history: decide(customer_of(history)))


async def on_contract(log: Log, command: Command, decide: Decide, *, terms: Terms) -> Appended:
    """Append what a decision on a contract gives, if its facts stay possible with it."""
    return await _append(log, command, _possible(decide, terms=terms))


async def on_ending(log: Log, command: Command, decide: Decide, *, terms: Terms) -> Appended:
    """As `on_contract`; a line that the contract reserved is free again from its end on."""
    decision = _possible(decide, terms=terms)
    for _ in range(_ATTEMPTS):
        history = await log.load(command.stream_id)
        freeing = _freeing(command, history, decision=decision, terms=terms)
        if freeing is command or command.expected is not None:
            return await _append(log, freeing, decision)
        try:
            return await _append(log, replace(freeing, expected=len(history)), decision)
        except Stale:
            continue
    raise Stale


async def _append(
    log: Log,
    command: Command,
    decision: Callable[[Sequence[Recorded[Event]]], Sequence[Event]],
) -> Appended:
    return await log.decide(
        command.stream_id,
        decision,
        cause=command.cause,
        expected=command.expected,
        riders=command.riders,
    )


def _possible(
    decide: Decide, *, terms: Terms
) -> Callable[[Sequence[Recorded[Event]]], Sequence[Event]]:
    """The decision, refused where the facts of the contract would contradict one another."""

    def decision(history: Sequence[Recorded[Event]]) -> Sequence[Event]:
        life = life_known(history)
        events = decide(life)
        if events:
            facts = facts_with(life, events)
            check(facts, ends_at_latest=ends_at_latest(life_of(facts), terms=terms))
        return events

    return decision


def life_known(history: Sequence[Recorded[Event]]) -> Life:
    """A contract after these events of its stream. Raises `UnknownContract`."""
    life = life_of(facts_of(history))
    if isinstance(life.now, Unknown):
        raise UnknownContract
    return life


def terms_at(life: Life, on: date, *, terms: Terms) -> ContractTerms:
    """The terms of a contract that are in force on a day."""
    application = application_of(life.now)
    assert application is not None  # the contract is known
    return terms.at(application.service, on)


def _freeing(
    command: Command,
    history: Sequence[Recorded[Event]],
    *,
    decision: Callable[[Sequence[Recorded[Event]]], Sequence[Event]],
    terms: Terms,
) -> Command:
    """The command with the line freed from the end that its decision would record."""
    try:
        life = life_known(history)
        after = life_of(facts_with(life, tuple(decision(history))))  # type: ignore[arg-type] # our own events
    except Refusal:
        return command  # refused, or repeated: for the append to say
    application, on = application_of(life.now), ended_on(after.now)
    if application is None or application.content.line_id is None or on is None:
        return command
    line = terms.at(application.service, application.applied_on).line
    if line is None or line.one_contract is None:
        return command
    return _reserving(
        command,
        application.content.line_id,
        from_on=application.applied_on,
        until_on=max(on, application.applied_on + timedelta(days=1)),
    )


def _reserving(command: Command, line_id: str, *, from_on: date, until_on: date | None) -> Command:
    line = Reservation(
        kind=LINE, value=line_id, owner=command.stream_id, from_on=from_on, until_on=until_on
    )
    return replace(command, riders=replace(command.riders, reserve=(line,)))
