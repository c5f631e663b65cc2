"""When a party may be forgotten, and what a customer is after it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import CustomerDetailsChanged, PartyForgotten
from libs.terms.in_force import InvoicesKept, read_japan
from services.contracts.domain.customer import (
    Customer,
    Details,
    Registered,
    Unregistered,
    change_details,
    evolve,
    register,
)
from services.contracts.domain.forgetting import ContractHeld, Retention, forget, reachable
from services.contracts.domain.refusals import (
    AlreadyExists,
    PartyIsForgotten,
    StillNeeded,
    UnknownCustomer,
)

from .builders import CUSTOMER

ON = date(2024, 1, 5)
KEPT = InvoicesKept(years=7, from_months=2, business_year_months=12, last_invoice_months=2)
ENDED = ContractHeld(contract_id=UUID(int=7), ended_on=date(2024, 8, 20), formed=True, owes=False)
DETAILS = Details(
    corporate=True,
    payment_method="invoice",
    name="株式会社みどり",
    email="midori@example.jp",
    billing_name="経理部",
)


def a_customer(*more: Event) -> Customer:
    known: Customer = Unregistered()
    events = register(
        known, customer_id=CUSTOMER, registered_on=ON, corporate_number=None, details=DETAILS
    )
    for event in (*events, *more):
        known = evolve(known, event)
    return known


def forgotten(
    *,
    known: Customer | None = None,
    held: Sequence[ContractHeld] = (ENDED,),
    classes: tuple[Retention, ...] = ("contact",),
    on: date = date(2024, 8, 20),
    kept: InvoicesKept = KEPT,
) -> tuple[Event, ...]:
    return forget(
        a_customer() if known is None else known,
        held=held,
        classes=classes,
        forgotten_on=on,
        reason="requested",
        kept=kept,
    )


def test_contact_is_forgotten_and_the_recipient_of_documents_kept() -> None:
    (event,) = forgotten()
    assert event == PartyForgotten(
        party_id=CUSTOMER,
        forgotten_on=date(2024, 8, 20),
        retention_classes=("contact",),
        reason="requested",
    )
    known = a_customer(event)
    assert isinstance(known, Registered)
    assert known.details == replace(DETAILS, name=None, email=None)
    assert known.forgotten == {"contact"}


def test_forgetting_again_is_nothing_and_another_class_is_only_that_one() -> None:
    known = a_customer(*forgotten())
    assert forgotten(known=known) == ()
    (event,) = forgotten(known=known, classes=("contact", "invoice"), held=())
    assert isinstance(event, PartyForgotten)
    assert event.retention_classes == ("invoice",)


@pytest.mark.parametrize(
    ("held", "on", "refused"),
    [
        pytest.param(replace(ENDED, ended_on=None), date(2024, 8, 20), True, id="it stands"),
        pytest.param(ENDED, date(2024, 8, 19), True, id="the day before its end"),
        pytest.param(ENDED, date(2024, 8, 20), False, id="the day of its end"),
        pytest.param(replace(ENDED, owes=True), date(2024, 9, 20), True, id="a late debt"),
        pytest.param(replace(ENDED, formed=False), date(2024, 8, 20), False, id="declined"),
    ],
)
def test_contact_is_needed_while_a_contract_stands_or_owes(
    held: ContractHeld, on: date, *, refused: bool
) -> None:
    if refused:
        with pytest.raises(StillNeeded):
            forgotten(held=(ENDED, held), on=on)
    else:
        assert forgotten(held=(held,), on=on)


@pytest.mark.parametrize(
    ("held", "on", "refused"),
    [
        pytest.param((ENDED,), date(2032, 12, 19), True, id="the last day"),
        pytest.param((ENDED,), date(2032, 12, 20), False, id="seven years and sixteen months"),
        pytest.param(
            (ENDED, replace(ENDED, ended_on=date(2025, 1, 1))),
            date(2032, 12, 20),
            True,
            id="the last contract counts",
        ),
        pytest.param((replace(ENDED, formed=False),), date(2024, 8, 20), False, id="never formed"),
        pytest.param((), date(2024, 8, 20), False, id="no contract ever"),
        pytest.param((replace(ENDED, owes=True),), date(2040, 1, 1), True, id="a late debt"),
    ],
)
def test_recipients_of_documents_are_kept_for_the_years_of_tax_law(
    held: tuple[ContractHeld, ...], on: date, *, refused: bool
) -> None:
    if refused:
        with pytest.raises(StillNeeded):
            forgotten(held=held, classes=("invoice",), on=on)
    else:
        assert forgotten(held=held, classes=("invoice",), on=on)


def test_one_class_that_is_needed_keeps_both() -> None:
    with pytest.raises(StillNeeded):
        forgotten(classes=("contact", "invoice"))


def test_nobody_is_forgotten_who_is_not_known() -> None:
    with pytest.raises(UnknownCustomer):
        forgotten(known=Unregistered())


def test_a_forgotten_party_is_not_registered_changed_or_served_again() -> None:
    known = a_customer(*forgotten())
    with pytest.raises(PartyIsForgotten):
        change_details(known, changed_on=ON, notified_on=ON, details=Details(phone="03-0000-0000"))
    with pytest.raises(PartyIsForgotten):
        reachable(known)
    reachable(a_customer())
    with pytest.raises(AlreadyExists):
        register(
            known, customer_id=CUSTOMER, registered_on=ON, corporate_number=None, details=DETAILS
        )
    kept = Details(billing_name="本社")
    assert change_details(known, changed_on=ON, notified_on=ON, details=kept)


def test_what_a_process_still_reads_with_a_cached_key_is_not_shown() -> None:
    late = CustomerDetailsChanged(
        customer_id=CUSTOMER, changed_on=ON, notified_on=ON, name="株式会社みどり"
    )
    known = a_customer(*forgotten(), late)
    assert isinstance(known, Registered)
    assert known.details.name is None


def test_the_table_of_the_law_keeps_invoices_seven_years_and_sixteen_months() -> None:
    table = read_japan(Path("terms")).invoices_kept
    assert list(table.values()) == [KEPT]
    assert KEPT.months_after_end == 7 * 12 + 16


def test_another_number_of_the_table_moves_the_day() -> None:
    on = date(2032, 12, 20)
    assert forgotten(classes=("invoice",), on=on)
    with pytest.raises(StillNeeded):
        forgotten(classes=("invoice",), on=on, kept=KEPT.model_copy(update={"years": 8}))
