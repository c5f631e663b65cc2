"""What is told of customers and contracts: the bodies of answers, made from what is known."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from libs.events.envelope import Event, Recorded
from libs.events.vocabulary.contracts import BillingMonthChanged, Content, PaymentMethod
from services.contracts.domain.contract import (
    Ended,
    InForce,
    Revoked,
    application_of,
    ended_on,
    living_of,
    request_of,
    state_name,
)
from services.contracts.domain.customer import Registered
from services.contracts.domain.deadlines import last_day
from services.contracts.domain.facts import Life, by_day, content_on
from services.contracts.domain.periods import following_months, insurance_period, month_end
from services.contracts.domain.terms import Terms


class Days(BaseModel):
    """A period, both days included."""

    from_on: date
    to_on: date


class EndAnswer(BaseModel):
    """How a contract ends; `terminated_on` is the termination date as its terms use the word."""

    terminated_on: date
    by: str
    cause: str
    clause: str | None


class SuspensionAnswer(BaseModel):
    """A suspension; `over_on` is the first day it no longer held."""

    from_on: date
    until_on: date | None
    ground: str
    clause: str
    over_on: date | None


class ContractAnswer(BaseModel):
    """A contract as it is known at a version; `content` is what holds after all its changes."""

    contract_id: UUID
    version: int
    customer_id: UUID
    service: str
    state: str
    terms_version: date
    applied_on: date
    content: Content
    billing_day: int
    approved_on: date | None = None
    document_number: str | None = None
    initial_work_on: date | None = None
    started_on: date | None = None
    termination_requested_on: date | None = None
    termination_desired_on: date | None = None
    suspensions: list[SuspensionAnswer] = []
    end: EndAnswer | None = None
    minimum_term: Days | None = None
    maximum_period_last_day: date | None = None
    contract_end_on: date | None = None
    insurance: Days | None = None


class CustomerAnswer(BaseModel):
    """A customer as registered; fields of the retention classes in `forgotten` are null."""

    customer_id: UUID
    version: int
    registered_on: date
    corporate_number: str | None
    corporate: bool | None
    payment_method: PaymentMethod | None
    name: str | None
    address: str | None
    email: str | None
    phone: str | None
    billing_address: str | None
    billing_name: str | None
    forgotten: list[str]


class EventAnswer(BaseModel):
    """An event of a contract's stream with its cause."""

    event_id: UUID
    version: int
    position: int
    type: str
    takes_effect_on: date | None
    recorded_at: str
    correlation_id: UUID
    causation_id: UUID | None
    actor: str
    trace_id: str | None
    data: dict[str, Any]


def contract_answer(life: Life, *, version: int, terms: Terms) -> ContractAnswer:
    """All that is known of a contract at a version of its stream."""
    application = application_of(life.now)
    assert application is not None  # only known contracts are told of
    answer = ContractAnswer(
        contract_id=application.contract_id,
        version=version,
        customer_id=application.customer_id,
        service=application.service,
        state=state_name(life.now),
        terms_version=application.terms_version,
        applied_on=application.applied_on,
        content=content_on(life.facts, None),
        billing_day=_billing_day(life),
        end=_end(life),
        minimum_term=_minimum_term(life, terms=terms),
        maximum_period_last_day=last_day(life, terms=terms),
        contract_end_on=_contract_end_on(life),
        insurance=_insurance(life, terms=terms),
    )
    return answer.model_copy(update=_living(life))


def customer_answer(customer: Registered, *, version: int) -> CustomerAnswer:
    """All that is registered of a customer."""
    details = customer.details
    return CustomerAnswer(
        customer_id=customer.customer_id,
        version=version,
        registered_on=customer.registered_on,
        corporate_number=customer.corporate_number,
        corporate=details.corporate,
        payment_method=details.payment_method,
        name=details.name,
        address=details.address,
        email=details.email,
        phone=details.phone,
        billing_address=details.billing_address,
        billing_name=details.billing_name,
        forgotten=sorted(customer.forgotten),
    )


def history_answer(history: Sequence[Recorded[Event]]) -> list[EventAnswer]:
    """The events of a stream in order, with their causes and the traces they came from."""
    return [
        EventAnswer(
            event_id=recorded.envelope.event_id,
            version=recorded.envelope.version,
            position=recorded.envelope.position,
            type=recorded.event.type,
            takes_effect_on=recorded.event.takes_effect_on,
            recorded_at=recorded.envelope.recorded_at.isoformat(),
            correlation_id=recorded.envelope.correlation_id,
            causation_id=recorded.envelope.causation_id,
            actor=recorded.envelope.actor,
            trace_id=(recorded.envelope.traceparent or "--").split("-")[1] or None,
            data=recorded.event.model_dump(mode="json", exclude={"type"}),
        )
        for recorded in history
    ]


def _living(life: Life) -> dict[str, Any]:
    living = living_of(life.now)
    if living is None:
        return {}
    formed = living.formed if isinstance(living, InForce) else living
    known: dict[str, Any] = {
        "approved_on": formed.approved_on,
        "document_number": formed.document_number,
        "initial_work_on": formed.work_on,
        "termination_requested_on": formed.request and formed.request.requested_on,
        "termination_desired_on": formed.request and formed.request.desired_on,
    }
    if isinstance(living, InForce):
        known["started_on"] = living.started_on
        known["suspensions"] = [
            SuspensionAnswer(
                from_on=span.suspended.from_on,
                until_on=span.suspended.until_on,
                ground=span.suspended.ground,
                clause=span.suspended.clause,
                over_on=span.over_on,
            )
            for span in living.suspensions
        ]
    return known


def _billing_day(life: Life) -> int:
    day = content_on(life.facts, date.min).billing_day
    for fact in by_day(life.facts):
        if isinstance(fact.event, BillingMonthChanged):
            day = fact.event.start_day
    return day


def _end(life: Life) -> EndAnswer | None:
    match life.now:
        case Ended(end=end):
            return EndAnswer(
                terminated_on=end.terminated_on, by=end.by, cause=end.cause, clause=end.clause
            )
        case Revoked(revoked_on=revoked_on):
            return EndAnswer(terminated_on=revoked_on, by="operator", cause="revoked", clause=None)
        case _:
            return None


def _minimum_term(life: Life, *, terms: Terms) -> Days | None:
    living = living_of(life.now)
    if not isinstance(living, InForce):
        return None
    rule = terms.at(living.application.service, living.started_on).minimum_term
    if rule is None:
        return None
    from_on, to_on = following_months(living.started_on, months=rule.months)
    return Days(from_on=from_on, to_on=to_on)


def _contract_end_on(life: Life) -> date | None:
    """The last day of the month in which an end was declared, where the terms know such a day."""
    if isinstance(life.now, Ended):
        declared_on = life.now.end.declared_on
        return month_end(declared_on) if declared_on else None
    request = request_of(life.now)
    return request.cancellation.contract_end_on if request and request.cancellation else None


def _insurance(life: Life, *, terms: Terms) -> Days | None:
    living = living_of(life.now)
    if not isinstance(living, InForce):
        return None
    rules = terms.at(living.application.service, living.started_on).insurance
    period = insurance_period(
        living.started_on,
        ordered=living.application.content,
        ended_on=ended_on(life.now),
        terms=rules,
    )
    return Days(from_on=period[0], to_on=period[1]) if period else None
