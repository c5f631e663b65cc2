"""Customers and their registered details."""

from datetime import date

import pytest

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import CustomerDetailsChanged, CustomerRegistered
from services.contracts.domain.customer import (
    Customer,
    Details,
    Registered,
    Unregistered,
    change_details,
    evolve,
    register,
)
from services.contracts.domain.refusals import AlreadyExists, NothingChanges, UnknownCustomer

from .builders import CUSTOMER

ON = date(2024, 1, 5)
DETAILS = Details(corporate=True, payment_method="invoice", name="株式会社みどり")


def customer(*events: Event) -> Customer:
    known: Customer = Unregistered()
    for event in events:
        known = evolve(known, event)
    return known


def registered(details: Details = DETAILS, *, known: Customer | None = None) -> tuple[Event, ...]:
    return register(
        Unregistered() if known is None else known,
        customer_id=CUSTOMER,
        registered_on=ON,
        corporate_number=None,
        details=details,
    )


def test_a_customer_is_registered_once() -> None:
    (event,) = registered()
    assert isinstance(event, CustomerRegistered)
    known = customer(event)
    assert registered(known=known) == ()
    with pytest.raises(AlreadyExists):
        registered(Details(corporate=False, payment_method="invoice"), known=known)


@pytest.mark.clause("NSEC-8.1")
@pytest.mark.clause("WUTM-15.1")
def test_changed_details_hold_from_now_on_and_the_rest_stays() -> None:
    known = customer(*registered())
    (event,) = change_details(
        known, changed_on=ON, notified_on=date(2024, 2, 1), details=Details(phone="06-1234-5678")
    )
    assert isinstance(event, CustomerDetailsChanged)
    after = evolve(known, event)
    assert isinstance(after, Registered)
    assert (after.details.name, after.details.phone) == ("株式会社みどり", "06-1234-5678")
    again = change_details(
        after, changed_on=ON, notified_on=ON, details=Details(phone="06-1234-5678")
    )
    assert again == ()


def test_a_change_of_nothing_or_nobody_is_refused() -> None:
    with pytest.raises(NothingChanges):
        change_details(customer(*registered()), changed_on=ON, notified_on=ON, details=Details())
    with pytest.raises(UnknownCustomer):
        change_details(Unregistered(), changed_on=ON, notified_on=ON, details=DETAILS)
