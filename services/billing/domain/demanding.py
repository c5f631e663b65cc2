"""Demands still to make beside invoices, and demands made that are to be put right."""

from uuid import uuid5

from libs.events.vocabulary.billing import PenaltyCharged
from services.billing.domain.account import Account
from services.billing.domain.books import ContractBooks, Order
from services.billing.domain.demands import Demand, demands


def demands_to_make(
    account: Account, *, contract: ContractBooks, order: Order
) -> tuple[PenaltyCharged, ...]:
    """Demand what arose by the day of issue and was not demanded, and put right what was.

    Clauses: WUTM-25.3.1, WUTM-26.1, WUTM-26.2, WSRV-25.2a, WSRV-26a (demanded beside invoices).
    """
    owed = {
        demand.key: demand
        for demand in demands(contract.timeline, terms=contract.terms)
        if demand.charged_on <= order.issued_on
    }
    made = {d.key: d for d in account.demands if d.contract_id == contract.contract_id}
    found: list[PenaltyCharged] = []
    for key in [*owed, *(key for key in made if key not in owed)]:
        before = [
            d for d in account.demands if d.contract_id == contract.contract_id and d.key == key
        ]
        demand = owed.get(key) or _nothing_of(made[key])
        amount = demand.amount - sum(d.amount for d in before)
        tax = demand.tax - sum(d.tax for d in before)
        if amount or tax or (not before and demand.total):
            found.append(
                PenaltyCharged(
                    penalty_id=uuid5(order.run_id, f"demand {contract.contract_id} {key}"),
                    account_id=account.account_id,
                    contract_id=contract.contract_id,
                    key=key,
                    code=demand.code,
                    clauses=demand.clauses,
                    quantity=demand.quantity,
                    amount=amount,
                    tax_rate=demand.tax_rate,
                    tax=tax,
                    total=demand.total - sum(d.total for d in before),
                    arithmetic=demand.arithmetic,
                    events=demand.events,
                    charged_on=demand.charged_on,
                    due_on=demand.due_on,
                    agreed_due_on=demand.agreed_due_on,
                    bears_interest=demand.bears_interest,
                )
            )
    return tuple(found)


def _nothing_of(made: PenaltyCharged) -> Demand:
    """The demand that is owed no longer: all of it is taken back."""
    return Demand(
        key=made.key,
        code=made.code,
        clauses=made.clauses,
        quantity=made.quantity,
        amount=0,
        tax_rate=made.tax_rate,
        tax=0,
        total=0,
        arithmetic="withdrawn",
        events=made.events,
        charged_on=made.charged_on,
        due_on=None,
    )
