"""Timelines: the same from facts in any order, corrected, packed."""

from datetime import date
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.vocabulary.billing import AccountArranged, BillingFactCorrected, InvoiceIssued
from libs.events.vocabulary.contracts import ContractFactCorrected
from services.billing.domain.fold import fold
from services.billing.domain.timeline import pack, unpack
from tests.unit.billing.assessed import fee
from tests.unit.billing.facts import ACCOUNT, CONTRACT, CUSTOMER, Facts


def a_life() -> Facts:
    """A contract with much going on."""
    facts = Facts(
        "WUTM",
        content={"line": "collab", "packs": {1: 5}},
        corporate=False,
        applied="2024-01-05",
        claims_assigned=("2024-03",),
    )
    facts.approved("2024-01-08").started("2024-01-10")
    facts.changed("2024-03-11", "discount", monthly_discount=100)
    facts.with_packs("2024-04-01", added={1: 2})
    facts.suspended("2024-04-10", until="2024-05-01")
    facts.outage("2024-06-10T00:00", "2024-06-12T00:00")
    facts.cycle("2024-07-11")
    facts.billing("ReliefGranted", granted_on="2024-08-20", percent=50)
    facts.changed("2024-09-01", "option-added", option="report", applied_on="2024-08-01")
    facts.lumped("2024-09-11", "2024-10")
    return facts.terminated("2024-12-20")


@given(order=st.permutations(range(len(a_life().facts))))
def test_the_order_of_arrival_has_no_influence(order: list[int]) -> None:
    facts = a_life().facts
    assert fold([facts[index] for index in order]) == fold(facts)


def test_a_timeline_survives_packing() -> None:
    timeline = a_life().timeline
    assert unpack(pack(timeline)) == timeline
    assert pack(unpack(pack(timeline))) == pack(timeline)


def test_a_change_recorded_later_for_an_earlier_day_keeps_both_additions() -> None:
    facts = Facts("MYSEC", content={"packs": {1: 10}}, applied="2024-01-05").started("2024-01-10")
    later = facts.content
    facts.with_packs("2024-04-10", added={1: 5})
    facts.content = later
    facts.with_packs("2024-03-05", added={1: 3})
    found = [(str(span.from_on), dict(span.packs)) for span in facts.timeline.contents]
    assert found == [
        ("2024-01-05", {1: 10}),
        ("2024-03-05", {1: 13}),
        ("2024-04-10", {1: 18}),
    ]


def test_changes_of_one_day_make_one_span_that_names_them_all() -> None:
    facts = Facts("MYSEC", content={"packs": {1: 10}}, applied="2024-01-05")
    facts.with_packs("2024-04-10", added={1: 5}).with_packs("2024-04-10", added={10: 1})
    last = facts.timeline.contents[-1]
    assert dict(last.packs) == {1: 15, 10: 1}
    assert last.events == tuple(fact.event_id for fact in facts.facts[-2:])


def test_the_earliest_end_holds() -> None:
    facts = Facts("WUTM", applied="2024-01-05").started("2024-01-10")
    facts.terminated("2029-01-10", cause="maximum_period").terminated("2024-05-10", cause="line")
    end = facts.timeline.ended
    assert end is not None
    assert (str(end.on), end.cause) == ("2024-05-10", "line")


def test_a_correction_moves_a_fact() -> None:
    facts = Facts("WUTM", applied="2024-01-05").started("2025-04-10")
    started = facts.facts[-1]
    facts.add(
        ContractFactCorrected(
            contract_id=CONTRACT,
            corrects=started.event_id,
            values={"started_on": "2025-04-16"},
            reason="a wrong day",
        ),
        recorded_on=date(2025, 5, 2),
    )
    assert str(facts.timeline.started and facts.timeline.started.on) == "2025-04-16"
    assert fee(facts, "2025-04") == 1250


def test_a_withdrawn_fact_says_nothing_until_its_withdrawal_is_withdrawn() -> None:
    facts = Facts("WUTM", applied="2024-01-05").started("2024-01-10")
    facts.billing("ReliefGranted", granted_on="2025-04-20", percent=50)
    relief = facts.facts[-1]
    withdrawal = facts.add(
        BillingFactCorrected(
            contract_id=CONTRACT, corrects=relief.event_id, values=None, reason="not granted"
        ),
        recorded_on=date(2025, 5, 2),
    )
    assert fee(facts, "2025-04") == 2500
    facts.add(
        BillingFactCorrected(
            contract_id=CONTRACT, corrects=withdrawal.event_id, values=None, reason="it was"
        ),
        recorded_on=date(2025, 5, 3),
    )
    assert fee(facts, "2025-04") == 1250


@pytest.mark.clause("NQMS-5.2b.v1", "NQMS-5.3b.v2")
def test_what_concerns_another_contract_of_the_account_is_skipped() -> None:
    facts = Facts("WUTM", applied="2024-01-05").started("2024-01-10")
    before = facts.timeline
    other = uuid5(CONTRACT, "other")
    facts.add(
        InvoiceIssued(
            invoice_id=other,
            number=1,
            run_id=other,
            account_id=ACCOUNT,
            customer_id=CUSTOMER,
            contract_ids=(other,),
            service="WUTM",
            month="2024-01",
            from_on=date(2024, 1, 1),
            to_on=date(2024, 1, 31),
            lines=(),
            subtotal=0,
            tax=(),
            total=0,
            payable=0,
            issued_on=date(2024, 2, 1),
            due_on=None,
            previous_hash="",
            hash="",
        )
    )
    assert facts.timeline == before


def test_what_is_arranged_later_holds_from_its_day() -> None:
    facts = Facts("WUTM", applied="2024-01-05", method="credit_card")
    facts.add(
        AccountArranged(account_id=ACCOUNT, arranged_on=date(2024, 6, 1), payment_method="invoice")
    )
    timeline = facts.timeline
    assert timeline.arrangement_on(date(2023, 1, 1)).method == "credit_card"
    assert timeline.arrangement_on(date(2024, 5, 31)).method == "credit_card"
    assert timeline.arrangement_on(date(2024, 6, 1)).method == "invoice"


@pytest.mark.parametrize(("on", "corporate"), [("2023-01-01", True), ("2024-06-01", True)])
def test_before_the_first_word_on_it_the_customer_is_as_at_first(
    on: str, *, corporate: bool
) -> None:
    assert Facts("WUTM").timeline.corporate_on(date.fromisoformat(on)) == corporate
