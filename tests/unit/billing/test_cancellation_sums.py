"""What a cancellation by notice costs: a fee, the damage above it, the loss before acceptance."""

from datetime import date
from typing import Any

import pytest

from libs.events.vocabulary.contracts import (
    Cancellation,
    TerminationLapsed,
    TerminationRequested,
)
from tests.unit.billing.assessed import all_demands
from tests.unit.billing.facts import CONTRACT, Facts


def cancelled(ends_on: date, **amounts: Any) -> Facts:
    facts = Facts("RRNS", applied="2024-04-01")
    facts.add(
        TerminationRequested(
            contract_id=CONTRACT,
            requested_on=date(2024, 4, 20),
            desired_on=ends_on,
            cancellation=Cancellation(
                ends_on=ends_on,
                contract_end_on=date(2024, 4, 30),
                clause="RRNS-10.1.S1",
                **amounts,
            ),
        )
    )
    return facts


@pytest.mark.clause("RRNS-10.3.S2")
@pytest.mark.parametrize(
    ("ends_on", "due_on"),
    [
        (date(2025, 1, 15), date(2025, 2, 28)),
        (date(2025, 1, 31), date(2025, 2, 28)),
        (date(2024, 11, 1), date(2024, 12, 31)),
        (date(2024, 12, 10), date(2025, 1, 31)),
    ],
)
def test_the_fee_is_due_at_the_end_of_the_month_after_the_cancellation(
    ends_on: date, due_on: date
) -> None:
    (fee,) = all_demands(cancelled(ends_on, fee=60_000))
    assert (fee.code, fee.total, fee.tax_rate, fee.due_on) == ("RRNS-CANCEL", 60_000, 0, due_on)


@pytest.mark.clause("RRNS-10.4")
def test_the_damage_above_the_fee_has_no_due_date_and_no_tax() -> None:
    _, excess = all_demands(cancelled(date(2024, 9, 30), fee=60_000, excess=15_000, option="vpn"))
    assert (excess.code, excess.total, excess.due_on) == ("RRNS-EXCESS:vpn", 15_000, None)


@pytest.mark.clause("RRNS-10.2")
def test_the_loss_is_taxed_due_on_its_day_and_owed_no_longer_once_it_lapsed() -> None:
    facts = cancelled(date(2024, 5, 10), loss=80_000)
    (loss,) = all_demands(facts)
    assert (loss.code, loss.tax, loss.due_on) == ("RRNS-LOSS", 8_000, date(2024, 5, 10))
    facts.add(
        TerminationLapsed(contract_id=CONTRACT, lapsed_on=date(2024, 5, 11), clause="RRNS-10.2")
    )
    assert all_demands(facts) == ()


@pytest.mark.clause("RRNS-10.2", "RRNS-10.4", "RRNS-36.S2")
def test_the_fee_bears_late_interest_and_damages_bear_none() -> None:
    owed = all_demands(cancelled(date(2024, 9, 30), fee=60_000, excess=15_000, loss=80_000))
    assert {(each.code, each.bears_interest) for each in owed} == {
        ("RRNS-CANCEL", True),
        ("RRNS-EXCESS", False),
        ("RRNS-LOSS", False),
    }
