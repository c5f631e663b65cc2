"""Facts are kept from one asking to the next, but of contracts alone."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import CustomerRegistered
from services.contracts.domain.facts import facts_of

from .builders import CUSTOMER, ON, applied, recorded


def a_customer() -> Event:
    return CustomerRegistered(
        customer_id=CUSTOMER,
        registered_on=ON,
        corporate=False,
        payment_method="invoice",
        name="山田 花子",
    )


def is_held(first: Callable[[], Event]) -> bool:
    """Whether somebody holds the first event of a stream after its facts were asked for."""
    history = [
        replace(one, envelope=replace(one.envelope, event_id=uuid4())) for one in recorded(first())
    ]
    event = weakref.ref(history[0].event)
    facts_of(history)
    del history
    gc.collect()
    return event() is not None


def test_what_is_personal_is_not_held_when_a_customer_is_asked_for_as_a_contract() -> None:
    assert not is_held(a_customer)


def test_a_contract_is_held_to_go_on_from() -> None:
    assert is_held(applied)
