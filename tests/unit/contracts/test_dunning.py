"""The chain of an unpaid debt."""

from datetime import date
from uuid import UUID

import pytest

from libs.events.envelope import Event
from libs.events.vocabulary.billing import ArrearsSettled, PaymentLate, PaymentReversed
from libs.events.vocabulary.contracts import DunningEnded, DunningStarted, SuspensionProposed
from services.contracts.domain.dunning import begin, chain_of, propose, settle, stream_of
from services.contracts.reactions import react

from .builders import CONTRACT, CUSTOMER, mysec, recorded, wutm

INVOICE = UUID("c0000000-0000-4000-8000-000000000009")
OTHER = UUID("c0000000-0000-4000-8000-000000000003")
MAY = date(2024, 5, 1)
STARTED = DunningStarted(contract_id=CONTRACT, invoice_id=INVOICE, started_on=MAY, open_amount=2750)
PROPOSED = SuspensionProposed(
    contract_id=CONTRACT, invoice_id=INVOICE, proposed_on=date(2024, 5, 15), clause="WUTM-18.1.1"
)
ENDED = DunningEnded(contract_id=CONTRACT, invoice_id=INVOICE, ended_on=date(2024, 5, 20))


@pytest.mark.clause("NSEC-16.1.1")
@pytest.mark.clause("WUTM-18.1.1")
@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param((), (STARTED,), id="late"),
        pytest.param((STARTED,), (), id="late already"),
        pytest.param((STARTED, ENDED), (STARTED,), id="late again: the payment was reversed"),
    ],
)
def test_a_late_debt_begins_a_chain(
    history: tuple[Event, ...], expected: tuple[Event, ...]
) -> None:
    assert begin(chain_of(history), started=STARTED) == expected


@pytest.mark.clause("NSEC-16.1.1")
@pytest.mark.clause("WUTM-18.1.1")
@pytest.mark.parametrize(
    ("history", "proposed_on", "expected"),
    [
        pytest.param((STARTED,), date(2024, 5, 14), (), id="a day too early"),
        pytest.param((STARTED,), date(2024, 5, 15), (PROPOSED,), id="on the day"),
        pytest.param((STARTED,), date(2024, 6, 1), (PROPOSED,), id="run late: as on the day"),
        pytest.param((STARTED, PROPOSED), date(2024, 6, 1), (), id="proposed already"),
        pytest.param((STARTED, ENDED), date(2024, 6, 1), (), id="settled"),
        pytest.param((), date(2024, 6, 1), (), id="nothing late"),
    ],
)
def test_a_suspension_is_proposed_after_the_days_of_the_terms(
    history: tuple[Event, ...], proposed_on: date, expected: tuple[Event, ...]
) -> None:
    chain = chain_of(history)
    assert propose(chain, proposed_on=proposed_on, terms=wutm().dunning) == expected


def test_the_proposal_names_the_clause_of_the_service() -> None:
    (event,) = propose(chain_of([STARTED]), proposed_on=date(2024, 6, 1), terms=mysec().dunning)
    assert isinstance(event, SuspensionProposed)
    assert event.clause == "NSEC-16.1.1"


@pytest.mark.clause("NSEC-16.1.1")
@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param((STARTED,), (ENDED,), id="late"),
        pytest.param((STARTED, PROPOSED), (ENDED,), id="proposed"),
        pytest.param((STARTED, ENDED), (), id="settled already"),
        pytest.param((), (), id="never late"),
    ],
)
def test_payment_ends_the_chain(history: tuple[Event, ...], expected: tuple[Event, ...]) -> None:
    assert settle(chain_of(history), ended_on=date(2024, 5, 20)) == expected


def late(*contract_ids: UUID) -> PaymentLate:
    return PaymentLate(
        account_id=CUSTOMER,
        customer_id=CUSTOMER,
        contract_ids=contract_ids,
        invoice_id=INVOICE,
        open_amount=2750,
        due_on=date(2024, 4, 30),
        noticed_on=MAY,
        days_late=1,
    )


def test_a_late_bill_begins_a_chain_for_each_contract_on_it() -> None:
    (event,) = recorded(late(CONTRACT, OTHER))
    reactions = react(event)
    assert [reaction.stream_id for reaction in reactions] == [
        stream_of(CONTRACT, invoice_id=INVOICE),
        stream_of(OTHER, invoice_id=INVOICE),
    ]
    assert reactions[0].decision(()) == (STARTED,)


def test_a_settled_bill_ends_the_chain_of_each_contract_on_it() -> None:
    (event,) = recorded(
        ArrearsSettled(
            account_id=CUSTOMER,
            customer_id=CUSTOMER,
            contract_ids=(CONTRACT,),
            invoice_id=INVOICE,
            settled_on=date(2024, 5, 20),
        )
    )
    (reaction,) = react(event)
    assert reaction.decision(recorded(STARTED)) == (ENDED,)


def test_other_events_lead_to_nothing() -> None:
    (event,) = recorded(
        PaymentReversed(payment_id=INVOICE, account_id=CUSTOMER, reversed_on=MAY, reason="bounced")
    )
    assert list(react(event)) == []
