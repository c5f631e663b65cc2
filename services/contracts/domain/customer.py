"""A customer: who they are, as far as the terms ask."""

from collections.abc import Collection
from dataclasses import dataclass, replace
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
from libs.events.wire import shape_of
from services.contracts.domain.refusals import (
    AlreadyExists,
    NothingChanges,
    PartyIsForgotten,
    UnknownCustomer,
)

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

RETENTION = shape_of(CustomerRegistered).personal
"""The retention class of each personal detail."""


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

    def without(self, classes: Collection[str]) -> "Details":
        """What is left when these retention classes are forgotten."""
        gone = {name: None for name, retention in RETENTION.items() if retention in classes}
        return replace(self, **gone)


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Nobody is known under this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A customer as registered now; `forgotten` names the retention classes that are gone."""

    customer_id: UUID
    registered_on: date
    corporate_number: str | None
    details: Details
    forgotten: frozenset[str] = frozenset()


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
            details = Details(**(customer.details.given() | given))
            return replace(customer, details=details.without(customer.forgotten))
        case PartyForgotten() if isinstance(customer, Registered):
            forgotten = customer.forgotten.union(event.retention_classes)
            return replace(
                customer, details=customer.details.without(forgotten), forgotten=forgotten
            )
        case _:
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

    Raises `PartyIsForgotten` for details of a retention class whose key is destroyed.

    Clauses: NSEC-8.1, WUTM-15.1.
    """
    match customer:
        case Unregistered():
            raise UnknownCustomer
        case Registered(customer_id=customer_id, details=known, forgotten=forgotten):
            given = details.given()
            if not given:
                raise NothingChanges
            if lost := [name for name in given if RETENTION.get(name) in forgotten]:
                raise PartyIsForgotten(field=f"/{lost[0]}")
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
