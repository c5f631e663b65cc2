"""A customer: who they are, as far as the terms ask."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import (
    CustomerDetailsChanged,
    CustomerRegistered,
    PartyForgotten,
    PaymentMethod,
)
from services.contracts.domain.refusals import AlreadyExists, NothingChanges, UnknownCustomer

_DETAILS = (
    "corporate",
    "payment_method",
    "name",
    "address",
    "email",
    "phone",
    "billing_address",
    "billing_name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is registered of a customer; None: not given, or forgotten."""

    corporate: bool | None = None
    payment_method: PaymentMethod | None = None
    name: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    billing_address: str | None = None
    billing_name: str | None = None

    def given(self) -> dict[str, Any]:
        """The fields that are given."""
        values = {name: getattr(self, name) for name in _DETAILS}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Nobody is known under this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A customer as registered now."""

    customer_id: UUID
    registered_on: date
    corporate_number: str | None
    details: Details


Customer = Unregistered | Registered


def evolve(customer: Customer, event: Event) -> Customer:
    """The customer after one more event of their stream."""
    match event:
        case CustomerRegistered():
            return Registered(
                customer_id=event.customer_id,
                registered_on=event.registered_on,
                corporate_number=event.corporate_number,
                details=Details(**{name: getattr(event, name) for name in _DETAILS}),
            )
        case CustomerDetailsChanged() if isinstance(customer, Registered):
            changed = {name: getattr(event, name) for name in _DETAILS}
            given = {name: value for name, value in changed.items() if value is not None}
            return Registered(
                customer_id=customer.customer_id,
                registered_on=customer.registered_on,
                corporate_number=customer.corporate_number,
                details=Details(**(customer.details.given() | given)),
            )
        case PartyForgotten() | _:
            return customer


def register(
    customer: Customer,
    *,
    customer_id: UUID,
    registered_on: date,
    corporate_number: str | None,
    details: Details,
) -> tuple[Event, ...]:
    """Register a customer; the same one again changes nothing."""
    wished = Registered(
        customer_id=customer_id,
        registered_on=registered_on,
        corporate_number=corporate_number,
        details=details,
    )
    match customer:
        case Unregistered():
            return (
                CustomerRegistered(
                    customer_id=customer_id,
                    registered_on=registered_on,
                    corporate_number=corporate_number,
                    **details.given(),
                ),
            )
        case Registered() if customer == wished:
            return ()
        case Registered():
            raise AlreadyExists(f"customer {customer_id} is another one", field="/customer_id")


def change_details(
    customer: Customer, *, changed_on: date, notified_on: date, details: Details
) -> tuple[Event, ...]:
    """Register changed details from now on; what is not given stays, what is the same is nothing.

    Clauses: NSEC-8.1, WUTM-15.1.
    """
    match customer:
        case Unregistered():
            raise UnknownCustomer
        case Registered(customer_id=customer_id, details=known):
            given = details.given()
            if not given:
                raise NothingChanges
            new = {name: value for name, value in given.items() if getattr(known, name) != value}
            if not new:
                return ()
            return (
                CustomerDetailsChanged(
                    customer_id=customer_id,
                    changed_on=changed_on,
                    notified_on=notified_on,
                    **new,
                ),
            )
