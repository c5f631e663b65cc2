"""When what is registered of a party may be forgotten, and must not be yet.

Forgetting can't be undone: the keys of the party's personal fields are destroyed. So it waits until
neither the terms nor the law need them. Amounts, dates and numbers are not personal and stay.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, assert_never
from uuid import UUID

from libs.events.envelope import Event
from libs.events.vocabulary.contracts import PartyForgotten
from libs.terms.in_force import InvoicesKept
from services.contracts.domain.customer import Customer, Registered, Unregistered
from services.contracts.domain.periods import months_later
from services.contracts.domain.refusals import PartyIsForgotten, StillNeeded, UnknownCustomer

Retention = Literal["contact", "invoice"]
Reason = Literal["requested", "no-longer-needed", "obtained-wrongly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractHeld:
    """A contract of the party, as far as forgetting asks.

    `ended_on` is the first day on which it is over, None while no end is known; `formed` is False
    for one that was declined; `owes` while a late debt of it is open.
    """

    contract_id: UUID
    ended_on: date | None
    formed: bool
    owes: bool


def forget(
    customer: Customer,
    *,
    held: Sequence[ContractHeld],
    classes: Collection[Retention],
    forgotten_on: date,
    reason: Reason,
    kept: InvoicesKept,
) -> tuple[Event, ...]:
    """Forget these retention classes of a party; what is forgotten already is nothing.

    `kept` is what the law says of invoices on that day. Raises `UnknownCustomer`, and `StillNeeded` with the day or the contract it waits for.
    """
    match customer:
        case Unregistered():
            raise UnknownCustomer
        case Registered(customer_id=customer_id, forgotten=forgotten):
            left = sorted(set(classes) - forgotten)
            for retention in left:
                _may_go(retention, held=held, on=forgotten_on, kept=kept)
            if not left:
                return ()
            return (
                PartyForgotten(
                    party_id=customer_id,
                    forgotten_on=forgotten_on,
                    retention_classes=tuple(left),
                    reason=reason,
                ),
            )
        case _:
            assert_never(customer)


def reachable(customer: Customer) -> None:
    """Raises `PartyIsForgotten` for a party that nothing can be told any more."""
    if isinstance(customer, Registered) and "contact" in customer.forgotten:
        raise PartyIsForgotten(field="/customer_id")


def _may_go(
    retention: Retention, *, held: Sequence[ContractHeld], on: date, kept: InvoicesKept
) -> None:
    match retention:
        case "contact":
            _nothing_stands(held, on=on)
        case "invoice":
            _nothing_stands(held, on=on)
            _documents_expired(held, on=on, kept=kept)
        case _:
            assert_never(retention)


def _nothing_stands(held: Sequence[ContractHeld], *, on: date) -> None:
    """Notices go to the registered address while a contract stands or a debt of it is late."""
    for contract in held:
        if contract.ended_on is None or contract.ended_on > on:
            raise StillNeeded(f"the contract {contract.contract_id} has not ended")
        if contract.owes:
            raise StillNeeded(f"a debt of the contract {contract.contract_id} is open")


def _documents_expired(held: Sequence[ContractHeld], *, on: date, kept: InvoicesKept) -> None:
    """Whom a document was made out to is kept as long as tax law has the document kept.

    Copies of invoices are kept for years that begin some months after the end of their business
    year; whichever year that is, the months counted here have it behind them.
    """
    ends = [contract.ended_on for contract in held if contract.formed and contract.ended_on]
    if ends and on < (until := months_later(max(ends), months=kept.months_after_end)):
        raise StillNeeded(f"tax law has invoices and their recipients kept until {until}")
